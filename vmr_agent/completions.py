"""What an endpoint sends back, read with care: local servers leave out what they like."""

from __future__ import annotations

import json
import re
from typing import Any

from vmr_agent.errors import (
    ChatAnswerError,
    ChatBusyError,
    ChatDeclinedError,
    ChatFormError,
    ChatRefusedError,
    ChatTooLongError,
    ServiceError,
)
from vmr_agent.protocols import ChatReply, Token

SAID = 160  # characters of what a server says that are passed on
REFUSALS = (401, 403, 404)
FORMS = (400, 422)
"""Status codes that are about the form of a request."""
SHAPE = ("response_format", "json_", "grammar", "schema")
"""Words about how an answer was asked for."""


def completion(body: bytes, tries: int, name: str) -> ChatReply:
    """The answer in a body. Raises ChatAnswerError or ChatDeclinedError, with what it cost."""
    try:
        whole = json.loads(body)
    except (ValueError, RecursionError):
        raise ChatAnswerError(
            f"{name} sent something else than JSON; is chat.base_url right?"
        ) from None
    usage = _at(whole, "usage")
    cost = (_number(_at(usage, "prompt_tokens")), _number(_at(usage, "completion_tokens")))
    choice = _first(_at(whole, "choices"))
    message = _at(choice, "message")
    text, declined = _at(message, "content"), _at(message, "refusal")
    if isinstance(text, list):
        text = "".join(str(_at(part, "text") or "") for part in text)
    cut = _at(choice, "finish_reason") == "length"
    if declined and not text:
        raise ChatDeclinedError(f"{name} declined to answer", *cost)
    if not isinstance(text, str) or not text.strip():
        hint = "; raise chat.answer_tokens, it was cut off" if cut else ""
        raise ChatAnswerError(f"{name} sent an answer without words in it{hint}", *cost)
    return ChatReply(
        text=text.encode(errors="replace").decode(),  # half an emoji is no text
        cut=cut,
        tokens_in=cost[0],
        tokens_out=cost[1],
        tokens=_tokens(_at(_at(choice, "logprobs"), "content")),
        tries=tries,
    )


def complaint(status: int, said: str, name: str, model: str) -> ServiceError:
    """Whose fault an error is, by its status and what is ``said`` of it."""
    words = said.lower().replace(model.lower(), "")  # models may be called multimodal
    about_form = any(word in words for word in SHAPE)
    # What passes, or is about the form, says nothing about what was sent.
    if not about_form and status not in (408, 409, 429) and (known := _misfit(words, name)):
        return known
    if status in REFUSALS:  # what it says may hold parts of the key
        return ChatRefusedError(
            f"{name} turns us down ({status}): "
            "is OPENAI_API_KEY valid there, and chat.model its name for the model?"
        )
    short = " ".join(said.split())[:SAID]
    told = f"{name} answers {status}" + (f": {short}" if short else "")
    if status in FORMS or (status >= 500 and about_form):
        return ChatFormError(told)
    return ChatBusyError(told)


def _misfit(words: str, name: str) -> ServiceError | None:
    """What this model cannot take."""
    most = re.search(r"at most (\d+) image", words)
    if most:
        return ChatRefusedError(f"{name}: set chat.images to {most[1]}, it takes no more")
    if "multimodal" in words or ("image" in words and "support" in words):
        return ChatRefusedError(f"{name} takes no pictures: set chat.images to 0")
    if "context" in words and ("length" in words or "exceed" in words or "size" in words):
        return ChatTooLongError(
            f"{name}: the question is too long for its context: lower chat.images, "
            "or serve it with a longer one"
        )
    return None


def _tokens(told: Any) -> tuple[Token, ...]:
    """Each token of the answer, with the log-probabilities of those that might stand there."""
    tokens = []
    for each in told if isinstance(told, list) else ():
        text, raw, others = (_at(each, key) for key in ("token", "bytes", "top_logprobs"))
        if not isinstance(text, str):
            return ()
        likely = {
            str(_at(other, "token")): value
            for other in [*(others if isinstance(others, list) else ()), each]
            if (value := _logarithm(_at(other, "logprob"))) is not None
        }
        tokens.append(Token(_raw(raw) or text.encode(errors="replace"), likely))
    return tuple(tokens)


def _logarithm(told: Any) -> float | None:
    """Of a probability; servers round, and some of it comes out above 0."""
    fits = isinstance(told, int | float) and not isinstance(told, bool) and -1e6 < told < 0.01
    return min(0.0, float(told)) if fits else None


def _raw(told: Any) -> bytes:
    fits = isinstance(told, list) and all(isinstance(n, int) and 0 <= n < 256 for n in told)
    return bytes(told) if fits else b""


def _at(node: Any, key: str) -> Any:
    return node.get(key) if isinstance(node, dict) else None


def _first(node: Any) -> Any:
    return node[0] if isinstance(node, list) and node else None


def _number(value: Any) -> int | None:
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
    return value if fits else None
