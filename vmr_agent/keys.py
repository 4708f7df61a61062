"""The address of an endpoint and its key: fit to be used, and kept out of whatever is said."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx2

from vmr_agent.errors import SettingsError

SHARED = 6  # characters in a row that a word may not have in common with the key


def checked_address(url: str) -> str:
    """The address. Raises SettingsError that says what is wrong with it, and not what it is."""
    try:
        parts = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError):
        parts = httpx2.URL("")
    if parts.userinfo or parts.query:
        raise SettingsError("no key belongs into chat.base_url: set OPENAI_API_KEY")
    fits = parts.scheme in ("http", "https") and re.fullmatch(r"[\w.:-]+", parts.host)
    if not fits or not (parts.port is None or 0 < parts.port < 1 << 16):
        raise SettingsError("chat.base_url is no address: it looks like http://localhost:8000/v1")
    return url


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
