"""The chat endpoint: one tiny question with the key from the environment, which is never told."""

from __future__ import annotations

import time

from vmr_agent.doctor.finding import Finding
from vmr_agent.errors import ServiceError, SettingsError
from vmr_agent.protocols import ChatRequest, Turn
from vmr_agent.settings import Settings
from vmr_agent.workshop import chat

WAIT = 20.0
"""Seconds that the answer may take; less where ``chat.deadline`` is."""


def asked(settings: Settings) -> Finding:
    """Whether it answers, and how soon. Nothing is sent where no model is named."""
    try:
        server = chat(settings)
        if server is None:
            return Finding("chat", "chat", "missing", "off: VMR_CHAT__MODEL is not set")
        server.check()
    except SettingsError as error:
        return Finding("chat", "chat", "bad", "", str(error))
    began = time.monotonic()
    try:
        reply = server.complete(_question(settings), lambda: None)
    except ServiceError as error:
        told = {"seconds": round(time.monotonic() - began, 3), "error": type(error).__name__}
        return Finding("chat", "chat", "bad", "", str(error), told)
    seconds = time.monotonic() - began
    figures = {"model": settings.chat.model, "seconds": round(seconds, 3), "tries": reply.tries}
    tokens = {"tokens_in": reply.tokens_in, "tokens_out": reply.tokens_out}
    told_ = f"{server.name} answers in {seconds:.2f} s"
    return Finding("chat", "chat", "good", told_, None, {**figures, **tokens})


def _question(settings: Settings) -> ChatRequest:
    return ChatRequest(
        name="doctor",
        system="You answer with one word.",
        turns=(Turn("user", ("Say yes.",)),),
        schema={},
        form="free",
        most_tokens=settings.chat.answer_tokens,
        seconds=min(WAIT, settings.chat.deadline),
    )
