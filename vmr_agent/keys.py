"""The key of an endpoint: fit to be sent, and kept out of whatever is said."""

from __future__ import annotations

import re
from collections.abc import Callable

SHARED = 6  # characters in a row that a word may not have in common with the key


def is_sendable(key: str) -> bool:
    """Whether it fits into a header; none at all does."""
    return not key or (key.isascii() and key.isprintable() and " " not in key)


def scrubber(key: str) -> Callable[[str], str]:
    """Blots out every word that has a part of the key in it."""
    parts = {key[start : start + SHARED] for start in range(max(1, len(key) - SHARED + 1))} - {""}

    def scrub(text: str) -> str:
        def blot(match: re.Match[str]) -> str:
            return "[…]" if any(part in match[0] for part in parts) else match[0]

        return re.sub(r"\S+", blot, text)

    return scrub
