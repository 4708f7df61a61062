"""What the rooms may ask of a chat model, and what it answers. Times are seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

Form = Literal["schema", "object", "free"]


class Turn(NamedTuple):
    """Who says what to a chat model: words, and pictures as JPEGs."""

    role: Literal["user", "assistant"]
    parts: tuple[str | bytes, ...]


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What is sent to a chat model."""

    name: str
    """Of the prompt."""
    system: str
    turns: tuple[Turn, ...] = field(repr=False)
    schema: dict[str, Any] = field(repr=False)
    """JSON schema of the answer."""
    form: Form
    """How it is held to the schema: by the server, to some JSON object, or by words alone."""
    most_tokens: int
    seconds: float
    """Within which the answer must be whole."""
    most_tries: int = 100
    """Requests that may be sent for it."""
    probabilities: bool = False
    """Whether the probabilities of its tokens are wanted."""


class Token(NamedTuple):
    """A token of an answer."""

    text: bytes
    """UTF-8; a letter may be cut in two."""
    likely: Mapping[str, float]
    """Log-probabilities of the tokens that might stand there."""


@dataclass(frozen=True, slots=True)
class ChatReply:
    """What a chat model answered."""

    text: str
    cut: bool = False
    """Whether it was cut off at the most tokens it may have."""
    tokens_in: int | None = None
    """As the server counts; None if it does not say."""
    tokens_out: int | None = None
    tokens: tuple[Token, ...] = field(default=(), repr=False)
    """All of them, if the server tells their probabilities."""
    tries: int = 1
    """Requests sent."""


class ChatModel(Protocol):
    """Reads, looks and judges."""

    name: str
    """The model and the host that receives what is sent."""
    host: str
    address: str
    """All that tells one endpoint from another: answers are kept under it."""

    def check(self) -> None:
        """Raises SettingsError if nothing can be asked: before a question, not before indexing."""
        ...

    def complete(self, request: ChatRequest, alive: Callable[[], None]) -> ChatReply:
        """One answer. Raises a ServiceError; ``alive`` is called while waiting and may raise."""
        ...
