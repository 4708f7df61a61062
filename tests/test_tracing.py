"""Spans as a tracer provider gets them: the tree, what is told, and what is not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from colour_chat import asking
from endpoint import Exchange
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as gen_ai
from opentelemetry.semconv.attributes import error_attributes, server_attributes

from vmr_agent import VMRAgent, tracing
from vmr_agent.errors import QueryError, ServiceError, Stopped, VideoUnreadableError
from vmr_agent.settings import TraceSettings
from vmr_agent.testing import ColourEncoder, colour_toolbox
from vmr_agent.toolbox import Toolbox

FRONT = {"detect_shots", "embed_frames", "read_text", "listen", "transcribe", "index_video"}
ROAD = ["understand", "retrieve", "filter_relevance", "caption", "trim", "ground", "verify"]
CANARY = "canary-5Kp"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """All spans that were ended, with a provider as an application sets one."""
    provider, kept = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield kept
    provider.shutdown()


def told(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def named(spans: InMemorySpanExporter, start: str) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.name.startswith(start)]


def parent(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


def identity(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.span_id


def traced(box: Toolbox, **trace: Any) -> Toolbox:
    settings = box.settings.model_copy(update={"trace": TraceSettings(**trace)})
    return replace(box, settings=settings)


def test_a_run_is_a_tree_of_its_rooms_below_the_callers_own_span(
    spans: InMemorySpanExporter, colours: Path, tmp_path: Path
) -> None:
    agent = VMRAgent(toolbox=colour_toolbox(tmp_path))
    with trace.get_tracer("caller").start_as_current_span("caller") as caller:
        report = agent.run(colours, "the red one")
        assert trace.get_current_span() is caller
    (run,) = named(spans, "vmr.find")
    rooms = named(spans, "vmr.room")
    assert parent(run) == caller.get_span_context().span_id
    assert {parent(span) for span in rooms} == {identity(run)}, "though they work in other threads"
    assert {told(span)["vmr.room"] for span in rooms} == FRONT | set(ROAD)
    assert [told(span)["vmr.room"] for span in rooms][-7:] == ROAD
    assert all(span.name == f"vmr.room {told(span)['vmr.room']}" for span in rooms)
    whole = told(run)
    assert whole == {
        "vmr.film.duration": report.video.duration,
        "vmr.film.fingerprint": report.video.fingerprint[:8],
        "vmr.status": "found",
        "vmr.moments": 2,
        "vmr.rounds": 1,
        "vmr.faults": 2,
    }
    made = {told(span)["vmr.room"]: told(span)["vmr.made"] for span in rooms}
    assert made["verify"] == "2 moments, 0 rejected"
    events = [event for span in rooms for event in span.events]
    assert {event.name for event in events} == {"vmr.fault"}
    kinds = [dict(event.attributes or {})["vmr.fault.kind"] for event in events]
    # index_video is visited by both halves, and says both times what the film lacks.
    assert kinds == 2 * [fault.kind for fault in report.faults]


def test_a_later_question_has_no_front_half_and_an_index_and_a_search_have_their_own(
    spans: InMemorySpanExporter, colours: Path, tmp_path: Path
) -> None:
    agent = VMRAgent(toolbox=colour_toolbox(tmp_path))
    agent.index(colours)
    (index,) = named(spans, "vmr.index")
    assert {told(span)["vmr.room"] for span in named(spans, "vmr.room")} == FRONT
    assert told(index)["vmr.film.duration"] == pytest.approx(16)
    spans.clear()
    agent.run(colours, "purple")
    searched = [told(span)["vmr.room"] for span in named(spans, "vmr.room")]
    assert searched[:2] == ["index_video", "understand"]
    assert searched.count("widen") == 1
    assert told(named(spans, "vmr.find")[0])["vmr.status"] == "not_found"
    agent.search("red", 3)
    assert told(named(spans, "vmr.search")[0])["vmr.hits"] == 3


def test_what_an_agent_asks_over_mcp_belongs_to_its_call(
    spans: InMemorySpanExporter, colours: Path, tmp_path: Path
) -> None:
    from test_mcp import answer, serving

    served = serving(colour_toolbox(tmp_path), colours.parent)
    with trace.get_tracer("caller").start_as_current_span("caller") as caller:
        answer(served, "find_moments", path="colours.mp4", query=f"red {CANARY}")
    (run,) = named(spans, "vmr.find")
    assert parent(run) is not None, "the call, or where its server tells of none, the caller"
    assert run.context is not None
    assert run.context.trace_id == caller.get_span_context().trace_id
    assert CANARY not in "".join(span.to_json() for span in spans.get_finished_spans())


def test_only_the_run_is_told_where_rooms_are_not_wanted(
    spans: InMemorySpanExporter, colours: Path, tmp_path: Path
) -> None:
    VMRAgent(toolbox=traced(colour_toolbox(tmp_path), rooms=False)).run(colours, "red")
    assert [span.name for span in spans.get_finished_spans()] == ["vmr.find"]


def test_questions_about_nothing_are_no_thousand_spans(
    spans: InMemorySpanExporter, colours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vmr_agent.alarms.nothing", lambda: ("a unicorn", "a dragon"))
    plain = colour_toolbox(tmp_path)
    verify = plain.settings.verify.model_copy(update={"false_alarms": 0.5})
    settings = plain.settings.model_copy(update={"verify": verify})
    VMRAgent(toolbox=replace(plain, settings=settings)).run(colours, "red")
    assert [told(s)["vmr.room"] for s in named(spans, "vmr.room")].count("understand") == 1


@pytest.mark.parametrize("content", [False, True])
def test_neither_question_nor_path_nor_words_nor_key_is_told_unless_asked_for(
    spans: InMemorySpanExporter,
    colours: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bool,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"sk-{CANARY}-key")
    film = tmp_path / f"{CANARY}-film.mp4"
    film.symlink_to(colours)
    query, settings = f"the crimson {CANARY} word", {"trace": TraceSettings(content=content)}
    with asking(tmp_path / "home", others=settings) as (agent, _):
        agent.run(film, query)
        agent.search(query)
        with pytest.raises(VideoUnreadableError):
            agent.run(written(tmp_path / f"{CANARY}.mp4"), query)
    written_down = "".join(span.to_json() for span in spans.get_finished_spans())
    assert f"{CANARY}-film" not in written_down
    assert f"{CANARY}.mp4" not in written_down
    assert f"{CANARY}-key" not in written_down
    assert (CANARY in written_down) is content
    if content:
        asked = [told(span).get("vmr.query") for span in spans.get_finished_spans()]
        assert [each for each in asked if each] == [query] * 3


def written(path: Path) -> Path:
    path.write_text("no film")
    return path


def test_a_chat_call_is_told_as_the_conventions_have_it(
    spans: InMemorySpanExporter, colours: Path, tmp_path: Path
) -> None:
    with asking(tmp_path) as (agent, served):
        agent.run(colours, "the crimson one")
    calls, rooms = named(spans, "chat"), named(spans, "vmr.room")
    assert len(calls) == len(served.requests) == 4
    by_room = {identity(span): told(span)["vmr.room"] for span in rooms}
    assert [by_room[parent(call) or 0] for call in calls] == [
        *("understand", "filter_relevance", "caption", "verify")
    ]
    for call, body in zip(calls, served.requests, strict=True):
        assert call.name == "chat looker"
        assert call.kind is trace.SpanKind.CLIENT
        assert told(call) == {
            gen_ai.GEN_AI_OPERATION_NAME: "chat",
            gen_ai.GEN_AI_PROVIDER_NAME: "openai_compatible",
            gen_ai.GEN_AI_REQUEST_MODEL: "looker",
            gen_ai.GEN_AI_REQUEST_MAX_TOKENS: body["max_tokens"],
            gen_ai.GEN_AI_OUTPUT_TYPE: "json",
            gen_ai.GEN_AI_PROMPT_NAME: body["response_format"]["json_schema"]["name"],
            gen_ai.GEN_AI_USAGE_INPUT_TOKENS: 100,
            gen_ai.GEN_AI_USAGE_OUTPUT_TOKENS: 20,
            gen_ai.GEN_AI_RESPONSE_FINISH_REASONS: ("stop",),
            server_attributes.SERVER_ADDRESS: "127.0.0.1",
            server_attributes.SERVER_PORT: int(served.url.split(":")[2].split("/")[0]),
            "vmr.chat.tries": 1,
        }


def test_a_call_that_fails_is_marked_and_the_run_that_went_on_is_not(
    spans: InMemorySpanExporter, colours: Path, tmp_path: Path
) -> None:
    def down(exchange: Exchange) -> None:
        exchange.error(503, f"overloaded {CANARY}", x_should_retry="false")

    with asking(tmp_path, down) as (agent, _):
        agent.run(colours, "the red one")
    (call,), (run,) = named(spans, "chat"), named(spans, "vmr.find")
    assert call.status.status_code is trace.StatusCode.ERROR
    assert told(call)[error_attributes.ERROR_TYPE] == "ChatBusyError"
    assert run.status.status_code is trace.StatusCode.UNSET
    kinds = [
        dict(e.attributes or {})["vmr.fault.kind"] for s in named(spans, "vmr") for e in s.events
    ]
    assert "chat" in kinds
    assert CANARY not in "".join(span.to_json() for span in spans.get_finished_spans())


def test_errors_mark_their_room_and_the_run(
    spans: InMemorySpanExporter,
    colours: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise ServiceError(f"{CANARY} at {colours}", 7)

    monkeypatch.setattr(ColourEncoder, "look", broken)
    agent = VMRAgent(toolbox=colour_toolbox(tmp_path))
    with pytest.raises(ServiceError):
        agent.run(colours, "red")
    with pytest.raises(QueryError):
        agent.run(colours, "")
    failed = [span for span in spans.get_finished_spans() if not span.status.is_ok]
    assert {span.name: told(span)["error.type"] for span in failed if span.name != "vmr.find"} == {
        "vmr.room embed_frames": "ServiceError"
    }
    runs = [told(span)["error.type"] for span in named(spans, "vmr.find")]
    assert runs == ["ServiceError", "QueryError"]
    assert CANARY not in "".join(span.to_json() for span in spans.get_finished_spans())


def test_a_run_that_somebody_breaks_off_is_no_error(
    spans: InMemorySpanExporter, colours: Path, tmp_path: Path
) -> None:
    def enough() -> None:
        raise Stopped("enough")

    agent = VMRAgent(toolbox=colour_toolbox(tmp_path))
    stream = agent.stream(colours, "red")
    next(stream)
    stream.close()
    with pytest.raises(Stopped):
        list(agent.stream(colours, "red", alive=enough))
    runs = named(spans, "vmr.find")
    assert [told(span).get("vmr.stopped") for span in runs] == [True, True]
    assert all(span.status.status_code is trace.StatusCode.UNSET for span in runs)


def test_where_nobody_watches_it_costs_next_to_nothing(colours: Path, tmp_path: Path) -> None:
    """All spans of one question, against the question."""
    box = colour_toolbox(tmp_path)
    agent = VMRAgent(toolbox=box)
    film = agent.run(colours, "red").video
    began = time.perf_counter()
    agent.run(colours, "red")
    question = time.perf_counter() - began
    began, times = time.perf_counter(), 50
    for _ in range(times):
        with tracing.Run("find", box.settings.trace, "red") as run, run.inside():
            for room in ROAD:
                with tracing.room(room, film, box.settings.trace) as visit:
                    visit.made("something", ())
    assert (time.perf_counter() - began) / times < 0.01 * question
