"""What a model was told stays between us: no answer may repeat it.

A model that obeys what it reads in a film can be made to tell its instructions. What it answers is
a few ids and bounded numbers, but captions are free text, and are shown to people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

RUN = 16  # letters and digits in a row, whatever stands between them, that are no coincidence
SHORT = 8  # letters of a text that tells nothing by itself: a yes, a kind of order
WORD = re.compile(r"[\w'-]+")


def discreet(answer: Any, told: str, asked: str) -> Any:
    """The answer, with every text emptied that repeats what was ``told`` and not ``asked``.

    Sixteen letters in a row are a repetition, also when they are handed out in parts over several
    texts, and so is one name with digits and letters, or with many digits: those are nobody's own.
    """
    secret, names = _runs(told) - _runs(asked), _names(told) - _names(asked)
    texts = [*_texts(answer)]
    bare = [_bare(text) for text in texts]
    whole = "".join(bare)
    repeated = [n for n in range(len(whole) - RUN + 1) if whole[n : n + RUN] in secret]
    emptied, start = [], 0
    for text, letters in zip(texts, bare, strict=True):
        end = start + len(letters)
        said = len(letters) > SHORT and any(n < end and n + RUN > start for n in repeated)
        emptied.append("" if said or _names(text) & names else text)
        start = end
    return _refilled(answer, iter(emptied))


def _texts(value: Any) -> Iterator[str]:
    """All texts in an answer, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _refilled(value: Any, texts: Iterator[str]) -> Any:
    """The answer with other texts in the places of its own."""
    if isinstance(value, str):
        return next(texts)
    if isinstance(value, dict):
        return {key: _refilled(each, texts) for key, each in value.items()}
    return [_refilled(each, texts) for each in value] if isinstance(value, list) else value


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))


def _runs(text: str) -> set[str]:
    bare = _bare(text)
    return {bare[n : n + RUN] for n in range(len(bare) - RUN + 1)}


def _names(text: str) -> set[str]:
    return set(filter(_is_name, WORD.findall(text.lower())))


def _is_name(word: str) -> bool:
    digits = sum(letter.isdigit() for letter in word)
    return digits > 4 or 0 < digits < len(word)
