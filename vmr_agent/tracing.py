"""OpenTelemetry spans: one for a run, one for each visit to a room, one for each chat call.

Where no tracer provider is set, and so nobody watches, they cost some microseconds each and record
nothing. Told are lengths, counts and names of models; never paths, films' words or keys, and
questions only where ``trace.content`` is set. So errors are told by their class alone: their
messages name files. The ``gen_ai`` attributes are those of the semantic conventions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from types import TracebackType
from typing import Self

from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind, StatusCode

from vmr_agent.correspondence import ChatReply, ChatRequest
from vmr_agent.errors import ServiceError, Stopped
from vmr_agent.outside import TraceSettings
from vmr_agent.report import Fault, RunReport
from vmr_agent.types import Video

NAME = "vmr_agent"  # of the instrumentation
PRINT = 8  # hex digits of a film's fingerprint: enough to tell films apart, too few to look it up
HOSTED = "openai"
COMPATIBLE = "openai_compatible"


def carried() -> Callable[[], object]:
    """To be called first in a new thread: what it does then belongs to the span at work here."""
    return partial(context.attach, context.get_current())


class Run:
    """The span of a run, ``vmr.find``, ``vmr.index`` or ``vmr.search``.

    Runs are told of by generators, whose callers have spans of their own: so it is made the current
    one only where ``inside`` says so.
    """

    def __init__(self, kind: str, settings: TraceSettings, query: str = "") -> None:
        asked = {"vmr.query": query} if settings.content and query else {}
        self._span = _tracer().start_span(f"vmr.{kind}", attributes=asked)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        _failed(self._span, error)
        self._span.end()

    def inside(self) -> AbstractContextManager[Span]:
        """Where what is begun belongs to the run."""
        return trace.use_span(self._span, record_exception=False, set_status_on_exception=False)

    def of(self, video: Video) -> None:
        """That is the film."""
        _tell_film(self._span, video)

    def ended(self, report: RunReport) -> None:
        """That is the answer."""
        if self._span.is_recording():
            _tell_film(self._span, report.video)
            told = {"status": report.status, "moments": len(report.moments)}
            told |= {"rounds": report.rounds, "faults": len(report.faults)}
            self._span.set_attributes({f"vmr.{key}": value for key, value in told.items()})

    def found(self, number: int) -> None:
        """So many places a search came to."""
        self._span.set_attribute("vmr.hits", number)


class Visit:
    """The span of a visit to a room."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def made(self, made: str, faults: Sequence[Fault]) -> None:
        """What the room made, in a few words without any of the film's, and what it lacked."""
        if not self._span.is_recording():
            return
        self._span.set_attribute("vmr.made", made)
        for fault in faults:
            told: dict[str, str | float] = {"vmr.fault.room": fault.room}
            told["vmr.fault.kind"] = fault.kind
            if fault.span is not None:
                told |= {"vmr.fault.start": fault.span.start, "vmr.fault.end": fault.span.end}
            self._span.add_event("vmr.fault", told)


@contextmanager
def room(name: str, video: Video, settings: TraceSettings) -> Iterator[Visit]:
    """Where a room is at work; chat calls and spans of others lie inside of it."""
    if not settings.rooms:
        yield Visit(trace.INVALID_SPAN)
        return
    with _current(f"vmr.room {name}", SpanKind.INTERNAL) as span:
        span.set_attribute("vmr.room", name)
        _tell_film(span, video)
        yield Visit(span)


class Call:
    """The span of a chat call."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def answered(self, reply: ChatReply) -> None:
        """What came back: how much it was, not what it said."""
        if self._span.is_recording():
            _tell_tokens(self._span, reply.tokens_in, reply.tokens_out)
            ending = "length" if reply.cut else "stop"
            self._span.set_attribute("gen_ai.response.finish_reasons", [ending])
            self._span.set_attribute("vmr.chat.tries", reply.tries)


@contextmanager
def chat(
    model: str, host: str, port: int | None, hosted: bool, request: ChatRequest
) -> Iterator[Call]:
    """Where an endpoint is asked. ``hosted``: by the openai client's own address."""
    with _current(f"chat {model}", SpanKind.CLIENT) as span:
        if span.is_recording():
            told: dict[str, str | int] = {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": HOSTED if hosted else COMPATIBLE,
                "gen_ai.request.model": model,
                "gen_ai.request.max_tokens": request.most_tokens,
                "gen_ai.output.type": "json",
                "gen_ai.prompt.name": request.name,
                "server.address": host,
            }
            span.set_attributes(told | ({} if port is None else {"server.port": port}))
        yield Call(span)


@contextmanager
def _current(name: str, kind: SpanKind) -> Iterator[Span]:
    """A span that what happens in it belongs to."""
    starting = _tracer().start_as_current_span(
        name, kind=kind, record_exception=False, set_status_on_exception=False
    )
    with starting as span, _Watched(span):
        yield span


class _Watched:
    """Marks the span where what is done in it fails."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: TracebackType | None) -> None:
        _failed(self._span, error)


def _failed(span: Span, error: BaseException | None) -> None:
    if error is None:
        return
    if isinstance(error, GeneratorExit | Stopped):
        span.set_attribute("vmr.stopped", True)  # as somebody wished: it is no error
        return
    span.set_status(StatusCode.ERROR)
    span.set_attribute("error.type", type(error).__name__)
    if isinstance(error, ServiceError):
        _tell_tokens(span, error.tokens_in, error.tokens_out)


def _tell_tokens(span: Span, sent: int | None, answered: int | None) -> None:
    for which, number in (("input", sent), ("output", answered)):
        if number is not None:
            span.set_attribute(f"gen_ai.usage.{which}_tokens", number)


def _tell_film(span: Span, video: Video) -> None:
    if span.is_recording():
        span.set_attribute("vmr.film.duration", video.duration)
        span.set_attribute("vmr.film.fingerprint", video.fingerprint[:PRINT])


def _tracer() -> trace.Tracer:
    # Asked for each time: a provider may be set at any time, and those of tests are many.
    return trace.get_tracer(NAME)
