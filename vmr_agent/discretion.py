"""What a model was told stays between us: no answer may repeat it.

A model that obeys what it reads in a film can be made to tell its instructions. What it answers is
a few ids and bounded numbers, but captions are free text, and are shown to people.
"""

from __future__ import annotations

import re
from typing import Any

RUN = 8  # words in a row that nobody writes by chance
WORD = re.compile(r"[\w'-]+")


def discreet(answer: Any, told: str, asked: str) -> Any:
    """The answer, with every text emptied that repeats what was ``told`` and not ``asked``.

    Eight words in a row are a repetition, and so is one of digits and letters, or of many digits:
    names of that kind are nobody's own words.
    """
    secret = _marks(told) - _marks(asked)

    def screened(value: Any) -> Any:
        if isinstance(value, str):
            return "" if _marks(value) & secret else value
        if isinstance(value, dict):
            return {key: screened(each) for key, each in value.items()}
        if isinstance(value, list):
            return [screened(each) for each in value]
        return value

    return screened(answer)


def _marks(text: str) -> set[str]:
    words = WORD.findall(text.lower())
    runs = (" ".join(words[n : n + RUN]) for n in range(len(words) - RUN + 1))
    return {*runs, *filter(_is_name, words)}


def _is_name(word: str) -> bool:
    digits = sum(letter.isdigit() for letter in word)
    return digits > 4 or 0 < digits < len(word)
