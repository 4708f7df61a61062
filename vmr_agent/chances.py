"""How sure a chat model is: the probability of yes behind each yes or no that it wrote."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from vmr_agent.answers import Read
from vmr_agent.protocols import ChatReply, Token

CERTAIN = 0.001  # no token is more certain than this, or its opposite
ANSWER = re.compile(r':\s*"(yes|no)"', re.IGNORECASE)
"""A yes or no as a value; inside a string, the quotes would be escaped."""


def chances(found: Read, reply: ChatReply) -> dict[str, float]:
    """Probability of yes at each yes or no of the answer, from the tokens at its place.

    By where it stands: ``c1.i2``; without those of which the server does not tell.
    """
    said = b"".join(token.text for token in reply.tokens)
    origin = said.rfind(reply.text.encode())  # the last: thoughts may have drafts of it
    names = [*_names(json.loads(found.text))]
    starts = [match.start(1) for match in ANSWER.finditer(found.text)]
    if origin < 0 or len(names) != len(starts):  # something stands there twice
        return {}
    places = [origin + len(reply.text[: found.start + start].encode()) for start in starts]
    likely = {
        name: _chance(_token_at(reply.tokens, place))
        for name, place in zip(names, places, strict=True)
    }
    return {name: chance for name, chance in likely.items() if chance is not None}


def _names(node: Any, name: str = "") -> Iterator[str]:
    """Where each yes and no stands, in the order of the text."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _names(value, f"{name}.{key}" if name else key)
    elif isinstance(node, list):
        for value in node:
            if isinstance(value, dict):
                yield from _names(value, name)
    elif isinstance(node, str) and node.lower() in ("yes", "no"):
        yield name


def _token_at(tokens: tuple[Token, ...], place: int) -> Token:
    end = 0
    for token in tokens:
        end += len(token.text)
        if end > place:
            return token
    raise AssertionError("the place lies inside the text")


def _chance(token: Token) -> float | None:
    """Probability of yes among yes and no; None where neither can be told from the token."""
    mass = {"yes": 0.0, "no": 0.0}
    for text, value in token.likely.items():
        bare = text.strip(" \"'\n:").lower()
        for word in mass:
            if bare and word.startswith(bare):
                mass[word] += math.exp(value)
    total = sum(mass.values())
    if total <= 0:
        return None
    return min(1 - CERTAIN, max(CERTAIN, mass["yes"] / total))
