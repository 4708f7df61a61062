"""Words: how questions, speech and on-screen text are taken apart and compared."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache

FUNCTION_WORDS = frozenset(
    """a about above after again all also am an and any are as at be because been before being
    below between both but by can could did do does doing down during each either else every few
    for from further get gets had has have having he her here hers him his how i if in into is it
    its just me more most my no nor not now of off on once one only onto or other our out over own
    she should so some someone something such than that the their them then there these they this
    those through to together too under until up upon us very was we were what when where which
    while who whom whose why will with without would you your""".split()
)
VAGUE = frozenset(
    "close-up closeup shot scene clip view moment part video film footage picture image".split()
)
EMPTY = FUNCTION_WORDS | VAGUE
FUZZY = 0.8  # share of letters in common from which two longer words count as the same
REMEMBERED = 1 << 15  # texts taken apart, and words compared: some megabytes
LONG = 5  # letters from which a misread word may still be the same

PHRASE = 12  # words of a long sentence that are compared with a question by themselves
HOP = 6  # words from the start of one phrase to the next


@lru_cache(REMEMBERED)
def tokens(text: str) -> tuple[str, ...]:
    """Lower-case words and numbers in order, apostrophes dropped."""
    plain = text.lower().replace("'", "").replace("’", "")
    return tuple(re.findall(r"[^\W_]+(?:-[^\W_]+)*", plain))


def content(text: str) -> list[str]:
    """The tokens that mean something by themselves."""
    return [token for token in tokens(text) if token not in EMPTY]


@lru_cache(REMEMBERED)
def stem(token: str) -> str:
    """A crude English stem: enough to see that "dogs" and "dog", "flips" and "flipping" agree."""
    for suffix in ("ingly", "edly", "ings", "ing", "ied", "ies", "ed", "es", "ly", "s"):
        if token.endswith(suffix) and len(token) - len(suffix) >= 3:
            base = token[: -len(suffix)]
            base = base + "y" if suffix in ("ies", "ied") else base
            doubled = len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lsz"
            return (base[:-1] if doubled else base).removesuffix("e")
    return token.removesuffix("e") if len(token) > 3 else token


def same(one: str, other: str) -> bool:
    """Whether two stems are one word, allowing for a misheard or misread letter in long ones."""
    if one == other:
        return True
    if min(len(one), len(other)) < LONG or abs(len(one) - len(other)) > 1:
        return False
    if 2 * sum(letter in other for letter in one) < FUZZY * (len(one) + len(other)):
        return False  # the ratio cannot be more than that, and takes ten times as long
    return SequenceMatcher(None, one, other).ratio() >= FUZZY


def matched(wanted: Sequence[str], given: Sequence[str]) -> list[int | None]:
    """For each given token, which wanted token it is, or None."""
    asked = tuple(stem(token) for token in wanted)
    return [_place(asked, stem(token)) for token in given]


@lru_cache(REMEMBERED)
def _place(wanted: tuple[str, ...], token: str) -> int | None:
    """Where among the wanted stems a stem is. A film of an hour says ten thousand words, but few
    different ones."""
    return next((index for index, word in enumerate(wanted) if same(word, token)), None)


def spaced(text: str, wanted: Sequence[str]) -> str:
    """The text with spaces where it runs together words that are wanted, as letters on screen are
    often read."""
    words = sorted({word for each in wanted for word in content(each)}, key=len, reverse=True)
    row = re.compile(f"(?:{'|'.join(map(re.escape, words))}){{2,}}") if words else None
    if row is None or not any(row.fullmatch(token) for token in tokens(text)):
        return text
    each = re.compile("|".join(map(re.escape, words)))
    told = ([*each.findall(t)] if row.fullmatch(t) else [t] for t in tokens(text))
    return " ".join(word for run in told for word in run)


def covered(wanted: Sequence[str], given: Sequence[str]) -> float:
    """Share of the wanted tokens that are among the given ones, in [0, 1]; 0 when none wanted."""
    return shares(wanted, [given])[0]


def shares(wanted: Sequence[str], texts: Sequence[Sequence[str]]) -> list[float]:
    """The same for many texts, each of whose words is looked at once."""
    asked = tuple(dict.fromkeys(stem(token) for token in wanted))
    words = set().union(*texts) if asked else set()
    places = {word: _place(asked, stem(word)) for word in words}
    found = ({places[word] for word in text} - {None} for text in texts)
    return [len(each) / len(asked) for each in found] if asked else [0.0] * len(texts)


def phrases(text: str) -> list[str]:
    """A sentence, and if it is long, overlapping pieces of it: one aside must not be averaged out.

    The first is always the whole.
    """
    words = text.split()
    if len(words) < PHRASE + HOP // 2:
        return [text]
    starts = range(0, len(words) - PHRASE + HOP, HOP)
    return [text, *(" ".join(words[start : start + PHRASE]) for start in starts)]
