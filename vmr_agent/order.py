"""Order in a question, by rules: "after he sits down", "without a hat", "the second time".

    ordered("a dog barks after the bang")  # ("a dog barks", (("after", "the bang"),), 0)

The same words often mean something else ("one after another", "a while", "the first time machine"):
in doubt a question is left whole.
"""

from __future__ import annotations

import re

from vmr_agent.words import content, tokens

Related = tuple[tuple[str, str], ...]

KINDS = "after|before|while|without"
RELATED = re.compile(rf"^(?P<main>.+?),?\s+(?P<kind>{KINDS})\s+(?P<other>.+)$")
ASIDE = re.compile(rf"^(?P<main>.+?),\s+(?P<kind>{KINDS})\s+(?P<other>[^,]+),\s*(?P<rest>.+)$")
LEADING = re.compile(
    rf"^(?:right |just |shortly |soon |immediately )?(?P<kind>{KINDS})\s+(?P<other>[^,]+),"
    r"\s*(?P<main>.+)$",
    re.IGNORECASE,
)
CLAUSE = (
    r"(?:that|when|he|she|it|they|we|you|i|the|a|an|this|these|his|her|its|their|my|our|your|there"
    r"|people|some\w*|any\w*|every\w*|after|before|while|\w+\s+(?:is|are|was|were|has|have))\b"
)
COMPOUND = r"(?:machine|capsule|lapse|loop|bomb|warp|zone|travell?er)\b"
"""Time and one of these are one thing."""
OCCURRENCE = re.compile(
    r",?\s*\b(?:for\s+)?the\s+(?P<which>first|second|third|fourth|fifth|last|final)\s+time"
    rf"(?!\s+{COMPOUND})(?=$|\s*[,.;?!]|\s+{CLAUSE})(?:\s+that\b)?,?\s*",
    re.IGNORECASE,
)
WHICH = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1, "final": -1}

SEEKING = frozenset(
    """look looks looking looked name named names go goes going went gone come comes coming came run
    runs running ran chase chases chasing take takes taking took ask asks asking asked shout shouts
    call calls inquire inquired seek seeks thirst model modelled modeled""".split()
)
"""To do these after somebody is no order in time."""
TIMES = frozenset("all another that hours tomorrow yesterday noon midnight dark time times".split())
"""After and before these nothing is to be seen."""
PLACES = frozenset(
    "mirror camera cameras crowd audience judge court altar king queen god eyes".split()
)
"""One is before them in space."""
VAGUE = frozenset(
    """right just shortly soon immediately directly long happens happen happened occurs everything
    anything do does did thing things go goes come comes next""".split()
)
"""Words that alone name nothing to be seen."""
JOINTS = frozenset(("and", "or"))
"""Beside these such a word is one of two: "before and after the storm", "with or without"."""


def ordered(text: str) -> tuple[str, Related, int]:
    """What is to be seen, what else it is set in relation to, and which time: 0 for all."""
    related = _related(text)
    scene, others = related or (text, ())
    scene, occurrence = _occurring(scene)
    return scene, others, occurrence


def _occurring(text: str) -> tuple[str, int]:
    time = OCCURRENCE.search(text)
    if time is None:
        return text, 0
    left = " ".join(part for part in (text[: time.start()], text[time.end() :].strip()) if part)
    return (left, WHICH[time["which"].lower()]) if content(left) else (text, 0)


def _related(text: str) -> tuple[str, Related] | None:
    aside = ASIDE.match(text)
    match = aside or LEADING.match(text) or RELATED.match(text)
    if match is None:
        return None
    kind, other = match["kind"].lower(), match["other"].strip(" .?!,")
    main = f"{match['main']} {match['rest']}" if aside else match["main"].strip()
    if not _orders(kind, tokens(match["main"]), tokens(other)):
        return None
    # "The last time he is without a hat": what is left of the main thing is nothing.
    if not set(content(OCCURRENCE.sub(" ", main, count=1))) - VAGUE or not content(other):
        return None
    further = _related(other)  # "after he sits down while she sings"
    return main, (((kind, further[0]), *further[1]) if further else ((kind, other),))


def _orders(kind: str, main: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether the word between these says when something is."""
    if not main or not other:
        return False
    if main[-1] in JOINTS or other[0] in JOINTS:
        return False
    amount = other[0].isdigit() or other[0] in TIMES
    if kind == "while":
        return main[-1] not in ("a", "worth", "little", "long")
    if kind == "without":
        return True
    repeated = main[-1] == other[0]  # day after day
    if kind == "before" and PLACES & set(other):
        return False
    return not amount and not repeated and not (kind == "after" and main[-1] in SEEKING)
