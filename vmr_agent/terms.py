"""The terms on which a chat model is asked: which one, where, how long, and at what cost."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, FiniteFloat, model_validator

from vmr_agent.limits import Group

Price = Annotated[FiniteFloat, Field(ge=0)]

PRICES: dict[str, tuple[float, float]] = {
    "gpt-4.1": (2.0, 8.0),
    "gpt-4.1-mini": (0.4, 1.6),
    "gpt-4.1-nano": (0.1, 0.4),
    "gpt-4o": (2.5, 10.0),
    "gpt-4o-mini": (0.15, 0.6),
    "gpt-5": (1.25, 10.0),
    "gpt-5-mini": (0.25, 2.0),
    "gpt-5-nano": (0.05, 0.4),
}
"""US dollars for a million tokens in and out, as listed in 2025. They change: ``chat.prices``."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Nobody is paid there, unless the model is one of the table's, behind a gateway."""


class Budget(Group):
    """What one question may cost. When it is spent, the run ends with the best so far."""

    calls: int = Field(default=40, ge=0)
    """Requests sent, those tried again included: four times what an hour needs."""
    tokens: int = Field(default=400_000, ge=0)
    """Tokens in and out, pictures included as the server counts them."""
    money: Price | None = None
    """US dollars by ``chat.prices``; None for no limit."""
    seconds: float = Field(default=600.0, gt=0)
    """Seconds of waiting for answers, all calls together."""


class ChatSettings(Group):
    """A chat model behind an OpenAI-compatible endpoint; off while ``model`` is empty.

    The key comes from ``OPENAI_API_KEY``. No other ``OPENAI_*`` variable switches anything on.
    """

    model: str = ""
    """Its name as the endpoint knows it. Switches the chat model on: frames and words of films
    then go to that endpoint."""
    base_url: str | None = None
    """Where: ``http://localhost:8000/v1``. None is the openai client's own hosted address."""
    deadline: float = Field(default=60.0, gt=0, le=3600)
    """Seconds for one answer, tries and waiting in between included."""
    retries: int = Field(default=2, ge=0, le=10)
    """How often a request is sent again after a fault of the service."""
    concurrency: int = Field(default=4, ge=1, le=64)
    """Requests under way at once."""
    answer_tokens: int = Field(default=2000, ge=64)
    """Tokens an answer may have: a batch of candidates takes some hundreds, thinking aloud more."""
    images: int = Field(default=24, ge=0, le=250)
    """Pictures sent with one request at most; shots share them by relevance (SMART). 0 for a model
    without eyes."""
    image_side: int = Field(default=260, ge=64, le=2160)
    """Short side of those in pixels. What is larger than the strip is decoded again."""
    budget: Budget = Budget()
    """What one question may cost."""
    prices: dict[str, tuple[Price, Price]] = Field(default_factory=dict)
    """US dollars for a million tokens in and out, by model; in front of our own small table."""

    @model_validator(mode="after")
    def _priced(self) -> Self:
        if self.model and self.budget.money is not None and self.price_at("") is None:
            raise ValueError(
                f"chat.budget.money is set and no price: put {self.model!r} into chat.prices"
            )
        return self

    def price_at(self, host: str) -> tuple[float, float] | None:
        """Of the model, for a million tokens in and out; None if it is not known."""
        usual = PRICES.get(self.model, (0.0, 0.0) if host in LOOPBACK else None)
        return self.prices.get(self.model, usual)
