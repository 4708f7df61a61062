"""understand: what a question names, by rules (SMORE: query parsing)."""

from __future__ import annotations

import re

from vmr_agent.errors import QueryError
from vmr_agent.order import ordered
from vmr_agent.sounds import named
from vmr_agent.types import Query, Relation
from vmr_agent.words import FUNCTION_WORDS, content, tokens

LETTERS = 25
"""In a word of a question, on average, at most."""
QUOTED = re.compile(r"[\"“”«»]([^\"“”«»]+)[\"“”«»]")
SPOKEN = re.compile(
    r"\b(?:say(?:s|ing)?|said|talk(?:s|ing|ed)? about|sp(?:eak|oke)(?:s|ing)? (?:of|about)"
    r"|mention(?:s|ed|ing)?|tell(?:s|ing)? (?:us )?(?:about|that)|explain(?:s|ed|ing)?"
    r"|announc(?:e|es|ed|ing)|discuss(?:es|ed|ing)?|hear (?:about|that)|words? spoken)\b"
    r"(?:\s+(?:that|about|how|why))?\s*(?P<what>.*)",
    re.IGNORECASE,
)
WRITTEN = re.compile(
    r"\b(?:sign|title(?: card)?|caption|subtitle|headline|text|words?|letters|writing|label|banner"
    r"|poster|card|slide|screen)s?\b[^\"“«]*?"
    r"\b(?:say(?:s|ing)?|read(?:s|ing)?|with|show(?:s|ing)?|that is|called|of)\b"
    r"(?:\s+the (?:words?|text|title))?\s*[:,]?\s*(?P<what>.*)",
    re.IGNORECASE,
)
ON_SCREEN = frozenset(
    """screen on-screen text caption subtitle subtitles sign title headline card slide banner label
    poster words word written writing reads letters logo""".split()
)
ALOUD = frozenset("say says saying said speaks spoken hear heard voice narrator aloud".split())
NOT_ACTIONS = frozenset("building ceiling clothing evening king morning ring string thing".split())


def check(text: str, max_words: int) -> str:
    """The question with white space folded. Raises QueryError when it cannot be one."""
    # Lone surrogates, which a shell makes of bytes that are no text, cannot be embedded or written.
    folded = " ".join(text.encode(errors="replace").decode().split())
    if not tokens(folded):
        raise QueryError("the query is empty: say in a few words what to look for")
    if (count := len(re.findall(r"\w+", folded))) > max_words:  # between commas and hyphens too
        raise QueryError(
            f"the query has {count} words, at most {max_words} make a question: "
            "ask for one moment at a time"
        )
    if len(folded) > max_words * LETTERS:
        raise QueryError(
            f"the query has {len(folded)} letters, at most {max_words * LETTERS} make a question"
        )
    return folded


def understand(folded: str) -> Query:
    """The question, taken apart."""
    words = tokens(folded)
    written, spoken = _asked(WRITTEN, folded), _asked(SPOKEN, folded)
    if quote := _quoted(folded):
        # A quotation is looked for where the question says; if it does not, in both places.
        on_screen, aloud = bool(ON_SCREEN & set(words)), bool(spoken or ALOUD & set(words))
        written = quote if on_screen or not aloud else ""
        spoken = quote if aloud or not on_screen else ""
    elif written:
        spoken = ""
    # Whoever asks for words means all of them.
    scene, relations, occurrence = (folded, (), 0) if spoken or written else ordered(folded)
    keywords = tuple(dict.fromkeys(content(scene)))
    actions = tuple(word for word in keywords if _is_action(word))
    return Query(
        text=folded,
        scene=spoken or written or scene,
        keywords=keywords,
        objects=tuple(word for word in keywords if word not in actions),
        actions=actions,
        sounds=named(scene),
        spoken=spoken,
        written=written,
        relations=tuple(Relation.model_validate({"kind": k, "scene": o}) for k, o in relations),
        occurrence=occurrence,
        paraphrases=_paraphrases(scene, keywords),
    )


def _asked(pattern: re.Pattern[str], text: str) -> str:
    """What a sentence asks to be said or written: all after the verb."""
    match = pattern.search(text)
    if match is None or not content(match["what"]):
        return ""
    return match["what"].strip(" .?!,:")


def _quoted(text: str) -> str:
    match = QUOTED.search(text)
    return match[1].strip() if match else ""


def _is_action(word: str) -> bool:
    return word.endswith("ing") and len(word) > 5 and word not in NOT_ACTIONS


def _paraphrases(text: str, keywords: tuple[str, ...]) -> tuple[str, ...]:
    """The bare content words: what is left when the grammar goes."""
    bare = " ".join(keywords)
    bare_enough = any(word in FUNCTION_WORDS for word in tokens(text))
    return (bare,) if bare and bare_enough else ()
