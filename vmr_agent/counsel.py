"""Asking a chat model, as the rooms do it: within a budget, once, and with films as mere data.

    question = Question(load("caption"), {"query": "a dog"}, data, pictures)
    heard = counsel.ask(film, question, Captions)
    heard.record, heard.chances  # what it answered; the probability behind each yes or no in it

What comes from a film goes in as JSON between two lines that no film can know. Every answer goes
through the journal: asked again, it costs nothing.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, Field

from vmr_agent.answers import read, schema
from vmr_agent.chances import chances
from vmr_agent.discretion import discreet
from vmr_agent.errors import (
    BudgetSpent,
    ChatAnswerError,
    ChatBusyError,
    ChatFormError,
    ChatRefusedError,
    ChatTimeoutError,
    ServiceError,
)
from vmr_agent.ledger import Ledger, missed
from vmr_agent.library import Shelf, digest
from vmr_agent.prompts import Prompt, load
from vmr_agent.protocols import ChatModel, ChatReply, ChatRequest, Form, Turn
from vmr_agent.quoted import WORDS, block, clean
from vmr_agent.terms import ChatSettings
from vmr_agent.types import Record

A = TypeVar("A", bound=BaseModel)

FORMS: tuple[Form, ...] = ("schema", "object", "free")
"""How an answer is asked for; each when the one before has failed with this endpoint."""


class Shown(NamedTuple):
    """A picture, and what is said about it."""

    label: str
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Question:
    """One question to a chat model."""

    prompt: Prompt
    inputs: Mapping[str, str]
    """What the prompt has places for: words of ours, or of whoever asks."""
    data: Any
    """From the film, or about it; goes in as JSON that is no instruction."""
    pictures: tuple[Shown, ...] = ()
    probabilities: bool = False
    """Whether the answer has yes and no in it, whose probabilities count."""
    kept: bool = True
    """Whether the answer goes through the journal."""


class Noted(Record):
    """An answer in the journal."""

    text: str
    """The JSON object."""
    chances: dict[str, float] = Field(default_factory=dict)
    """Probability of yes at each yes or no in it, by where it stands, if the server told it."""


@dataclass(frozen=True, slots=True)
class Heard(Generic[A]):
    """An answer."""

    record: A
    chances: Mapping[str, float]
    """Probability of yes at each yes or no in it, by where it stands: ``c1.i2``."""


class Rungs:
    """What an endpoint makes of our ways to ask; remembered from question to question."""

    def __init__(self) -> None:
        self.first = 0


class Counsel:
    """A chat model for one run: one budget, one ledger."""

    def __init__(
        self,
        chat: ChatModel,
        shelf: Shelf,
        settings: ChatSettings,
        rungs: Rungs,
        alive: Callable[[], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        nonce: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._chat, self._shelf, self._settings, self._rungs = chat, shelf, settings, rungs
        self._alive, self._clock, self._nonce = alive, clock, nonce
        self._down: ServiceError | None = None
        self._told: set[str] = set()
        self.ledger = Ledger(settings, chat.host)

    def ask(self, film: str, question: Question, kind: type[A]) -> Heard[A]:
        """The answer to a question about the film with this fingerprint.

        Raises a ServiceError: BudgetSpent, or whatever keeps the endpoint from answering.
        """
        if question.kept:
            name = f"{film}/chat/{self._key(question, kind)}"
            self._shelf.keep(name, Noted, lambda: (self._climb(question, kind), {}), self._alive)
            noted = self._shelf.get(name, Noted)[0]
        else:
            noted = self._climb(question, kind)
        return Heard(read(noted.text, kind).record, noted.chances)

    def first_told(self, what: str) -> bool:
        """Whether nobody has heard of it in this run: four rooms need not complain of one fault."""
        if what in self._told:
            return False
        self._told.add(what)
        return True

    def check(self) -> None:
        """Raises what keeps the endpoint from answering anything more in this run."""
        if self._down is not None:
            raise self._down

    @property
    def silent(self) -> bool:
        """Whether nothing will be answered in this run any more."""
        return self._down is not None

    def _key(self, question: Question, kind: type[BaseModel]) -> str:
        """Everything that the answer depends on, but the nonce."""
        pictures = [[shown.label, digest(shown.jpeg.hex())] for shown in question.pictures]
        prompts = [load("preface").digest, question.prompt.digest]
        asked = [dict(question.inputs), clean(question.data), pictures, question.probabilities]
        return digest(self._chat.name, self._chat.address, prompts, asked, schema(kind))

    def _climb(self, question: Question, kind: type[A]) -> Noted:
        """Strictly first; what cannot be read is put right once, then asked for in other forms."""
        self.check()
        mended, refused = False, self._rungs.first
        for rung in range(self._rungs.first, len(FORMS)):
            request = self._request(question, kind, FORMS[rung])
            try:
                reply = self._send(request)
                try:
                    found = read(reply.text, kind)
                except ChatAnswerError as wrong:
                    if mended:
                        raise
                    mended = True
                    reply = self._send(_mending(request, reply, str(wrong)))
                    found = read(reply.text, kind)
            except ChatAnswerError as error:
                refused = rung + 1 if isinstance(error, ChatFormError) else refused
                if rung == len(FORMS) - 1:
                    told = str(error).removeprefix(self._chat.name).strip(" :")
                    raise ChatAnswerError(f"{self._chat.name}: {told}") from None
            else:
                self._rungs.first = min(rung, refused)
                likely = chances(found, reply) if question.probabilities else {}
                told = _screened(found.record, request, question.prompt.examples)
                return Noted(text=told, chances=likely)
        raise AssertionError("the last form returns or raises")

    def _send(self, request: ChatRequest) -> ChatReply:
        """One request, paid for."""
        load = self.ledger.weighed(request)
        try:
            left = self.ledger.left(load, request.most_tokens)
        except BudgetSpent as error:
            self._down = error
            raise
        seconds = min(request.seconds, left.seconds)
        capped = replace(request, seconds=seconds, most_tries=left.calls, most_tokens=left.tokens)
        began = self._clock()
        try:
            reply = self._chat.complete(capped, self._alive)
        except ServiceError as error:
            self.ledger.note(missed(load, error, self._clock() - began))
            if isinstance(error, ChatTimeoutError) and seconds < request.seconds:
                error = self.ledger.over("seconds")
            if isinstance(error, ChatBusyError | ChatTimeoutError | ChatRefusedError | BudgetSpent):
                self._down = error  # whoever asks next in this run need not wait for the same
            raise error from None
        self.ledger.answered(load, reply, self._clock() - began)
        return reply

    def _request(self, question: Question, kind: type[BaseModel], form: Form) -> ChatRequest:
        nonce, shape = self._nonce(), schema(kind)
        asked = [question.prompt.fill(question.inputs)]
        if form != "schema":
            asked.append(f"The JSON schema of the answer: {json.dumps(shape)}")
        asked.append(block(question.data, nonce))
        pictures = [part for shown in question.pictures for part in (shown.label, shown.jpeg)]
        closing = [f"END PICTURES {nonce}. Answer now, as JSON."] if pictures else []
        preface = load("preface").fill({"nonce": nonce})
        return ChatRequest(
            name=question.prompt.name,
            system=f"{preface}\n\n{question.prompt.system}",
            turns=(Turn("user", ("\n\n".join(asked), *pictures, *closing)),),
            schema=shape,
            form=form,
            most_tokens=self._settings.answer_tokens,
            seconds=self._settings.deadline,
            probabilities=question.probabilities,
        )


def _screened(record: BaseModel, request: ChatRequest, examples: str) -> str:
    """An answer that repeats nothing of its instructions but what they have for ``examples``."""
    parts = request.turns[0].parts
    asked = "\n".join([*(part for part in parts if isinstance(part, str)), examples])
    answer = record.model_dump(mode="json", exclude_none=True)
    told = json.dumps(discreet(answer, request.system, asked), ensure_ascii=False)
    return told.encode(errors="replace").decode()  # half an emoji is no text


def _mending(request: ChatRequest, reply: ChatReply, wrong: str) -> ChatRequest:
    """The question again, with the answer that was no good and what was wrong with it."""
    why = f"it was cut off at {request.most_tokens} tokens; be brief" if reply.cut else wrong
    told = f"That answer cannot be used: {why}. Answer again, with the JSON object alone."
    turns = (Turn("assistant", (reply.text[: 4 * WORDS],)), Turn("user", (told,)))
    return replace(request, turns=request.turns + turns)
