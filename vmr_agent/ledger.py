"""What chat models cost one run, and when that is enough."""

from __future__ import annotations

import math
from typing import NamedTuple

from vmr_agent.errors import (
    BudgetSpent,
    ChatAnswerError,
    ChatFormError,
    ChatTimeoutError,
    ServiceError,
)
from vmr_agent.protocols import ChatReply, ChatRequest
from vmr_agent.report import Cost
from vmr_agent.terms import ChatSettings

PICTURE = 300  # tokens a picture counts for until the server has said what one takes
LEAST = 64  # tokens: no answer of ours is shorter


class Load(NamedTuple):
    """What a request weighs before it is sent."""

    tokens: int
    words: int
    """Of them, those that are no picture's."""
    images: int


class Left(NamedTuple):
    """What another request may still take."""

    seconds: float
    calls: int
    tokens: int
    """Of its answer."""


class Ledger:
    """Everything spent so far, in front of a budget."""

    def __init__(self, settings: ChatSettings, host: str) -> None:
        self._budget, self._price = settings.budget, settings.price_at(host)
        self.spent = self._unbilled = Cost()
        self.picture = PICTURE
        """Tokens that a picture took at most so far."""

    def left(self, load: Load, answer: int) -> Left:
        """For a request with an answer of so many tokens. Raises BudgetSpent if it is too much."""
        budget, spent = self._budget, self.spent
        tokens = budget.tokens - spent.tokens_in - spent.tokens_out - load.tokens
        if spent.calls >= budget.calls:
            raise self.over("calls")
        if spent.seconds >= budget.seconds:
            raise self.over("seconds")
        if tokens < LEAST:
            raise self.over("tokens")
        affordable = self._affordable(load)
        if affordable < LEAST:
            raise self.over("money")
        return Left(
            budget.seconds - spent.seconds,
            budget.calls - spent.calls,
            min(answer, tokens, affordable),
        )

    def weighed(self, request: ChatRequest) -> Load:
        """About what a request weighs."""
        parts = [part for turn in request.turns for part in turn.parts]
        images = sum(isinstance(part, bytes) for part in parts)
        words = sum(counted(part) for part in (request.system, *parts) if isinstance(part, str))
        return Load(words + images * self.picture, words, images)

    def over(self, what: str) -> BudgetSpent:
        """That a part of the budget is spent."""
        most = getattr(self._budget, what)
        told = f"{most:g}" if isinstance(most, float) else most
        return BudgetSpent(f"the budget of the question is spent (chat.budget.{what} = {told})")

    def answered(self, load: Load, reply: ChatReply, seconds: float) -> None:
        """A request that was answered; the tokens as the server counts them, if it says so."""
        if load.images and reply.tokens_in is not None:
            self.picture = max(self.picture, (reply.tokens_in - load.words) // load.images)
        told = reply.tokens_in is not None and reply.tokens_out is not None
        cost = Cost(
            calls=reply.tries,
            tokens_in=load.tokens if reply.tokens_in is None else reply.tokens_in,
            tokens_out=counted(reply.text) if reply.tokens_out is None else reply.tokens_out,
            images=load.images,
            seconds=seconds,
            counted=told,
        )
        self.note(cost)

    def note(self, cost: Cost) -> None:
        """A request that was sent, whatever came of it."""
        priced = cost.model_copy(update={"money": self._money(cost.tokens_in, cost.tokens_out)})
        self.spent += priced
        self._unbilled += priced

    def bill(self) -> Cost:
        """What was spent since the last bill."""
        bill, self._unbilled = self._unbilled, Cost()
        return bill

    def _affordable(self, load: Load) -> int:
        """Tokens of an answer that there is money for."""
        most, price = self._budget.money, self._price
        if most is None or price is None or not any(price):
            return self._budget.tokens
        left = most - (self.spent.money or 0.0) - load.tokens * price[0] / 1e6
        return math.floor(left * 1e6 / price[1]) if price[1] else self._budget.tokens * (left > 0)

    def _money(self, tokens_in: int, tokens_out: int) -> float | None:
        price = self._price
        return price and (tokens_in * price[0] + tokens_out * price[1]) / 1e6


def missed(load: Load, error: ServiceError, seconds: float) -> Cost:
    """What a request took that was not answered: read it was, unless it was turned down."""
    told = error.tokens_in is not None
    read = isinstance(error, ChatAnswerError | ChatTimeoutError)
    read = read and not isinstance(error, ChatFormError)
    guess = load.tokens if read and error.tries else 0
    return Cost(
        calls=error.tries,
        tokens_in=guess if error.tokens_in is None else error.tokens_in,
        tokens_out=error.tokens_out or 0,
        images=load.images if error.tries else 0,
        seconds=seconds,
        counted=told or not guess,
    )


def counted(text: str) -> int:
    """About how many tokens a text has: where the server does not say, and before it can."""
    return math.ceil(max(len(text.encode(errors="replace")) / 4, 1.2 * len(text.split())))
