"""The whole agent on the colour film: what it finds, which rooms it visits, what it decodes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langgraph.checkpoint.memory import InMemorySaver

import vmr_agent.graph
from vmr_agent import VMRAgent
from vmr_agent.graph import build_graph, build_index_graph
from vmr_agent.protocols import Array
from vmr_agent.state import State
from vmr_agent.testing import TRUTH, colour_toolbox
from vmr_agent.toolbox import Toolbox
from vmr_agent.types import RunReport
from vmr_agent.video import Frame, Picture, probe

ONCE = {"detect_shots", "embed_frames", "read_text", "transcribe", "listen", "index_video"}
ROAD = ["understand", "retrieve", "filter_relevance", "caption", "trim", "ground", "verify"]
# design.md's drawing, door by door.
FRONT = {
    *(("__start__", first) for first in ("detect_shots", "transcribe", "listen")),
    ("detect_shots", "embed_frames"),
    ("detect_shots", "read_text"),
    *((room, "index_video") for room in ("embed_frames", "read_text", "transcribe", "listen")),
}
BACK = {
    ("index_video", "understand"),
    ("understand", "retrieve"),
    ("retrieve", "filter_relevance"),
    ("filter_relevance", "caption"),
    ("filter_relevance", "widen"),
    ("caption", "trim"),
    ("trim", "ground"),
    ("ground", "verify"),
    ("verify", "__end__"),
    ("verify", "widen"),
    ("widen", "retrieve"),
}
README = Path(__file__).parents[1] / "README.md"


@pytest.fixture
def box(tmp_path: Path) -> Toolbox:
    return colour_toolbox(tmp_path / "home")


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one whenever a film's picture is decoded or its sound is asked for."""
    calls: list[str] = []
    frames, sound = Picture.frames, vmr_agent.graph.sound

    def watched_frames(self: Picture) -> Iterator[Frame]:
        calls.append("picture")
        return frames(self)

    def watched_sound(*args: Any, **options: Any) -> Iterator[tuple[float, Array]]:
        calls.append("sound")
        yield from sound(*args, **options)

    monkeypatch.setattr(Picture, "frames", watched_frames)
    monkeypatch.setattr("vmr_agent.graph.sound", watched_sound)
    return calls


def rooms(report: RunReport) -> list[str]:
    return [step.room for step in report.steps]


def one_round(box: Toolbox) -> Toolbox:
    retrieve = box.settings.retrieve.model_copy(update={"smooth": (2.0,)})
    return replace(box, settings=box.settings.model_copy(update={"retrieve": retrieve}))


def test_red_is_found_both_times_best_first_within_a_second(colours: Path, box: Toolbox) -> None:
    VMRAgent(toolbox=box).search("warm up the imports")
    build_graph()
    began = time.perf_counter()
    report = VMRAgent(toolbox=box).run(colours, "the red one")
    assert time.perf_counter() - began < 1
    assert (report.status, report.rounds, report.rejected) == ("found", 1, None)
    assert len(report.moments) == 2
    for moment, truth in zip(report.moments, TRUTH["red"], strict=True):
        assert moment.span.iou(truth) > 0.8
        assert all(why.span is None or why.span.overlap(truth) for why in moment.evidence)
        sources = [why.source for why in moment.evidence]
        assert sources == ["picture", "relevance", "caption", "grounding", "verification"]
    assert report.moments[0].score > report.moments[1].score
    assert rooms(report)[6:] == ROAD


def test_the_front_half_is_visited_in_the_order_of_its_doors(colours: Path, box: Toolbox) -> None:
    order = rooms(VMRAgent(toolbox=box).run(colours, "red"))
    assert set(order[:6]) == ONCE
    for before, after in FRONT - {door for door in FRONT if door[0] == "__start__"}:
        assert order.index(before) < order.index(after)


def test_a_brief_green_is_found_in_the_second_round(colours: Path, box: Toolbox) -> None:
    report = VMRAgent(toolbox=box).run(colours, "green")
    (moment,) = report.moments
    assert moment.span.iou(TRUTH["green"][0]) > 0.8
    assert report.rounds == 2
    back = rooms(report)[6:]
    climb = back.index("widen")
    assert back[:climb] in (ROAD, ROAD[:3])
    assert back[climb + 1 :] == ROAD[1:]


def test_with_one_round_it_is_not_found(colours: Path, box: Toolbox) -> None:
    report = VMRAgent(toolbox=one_round(box)).run(colours, "green")
    assert (report.status, report.moments, report.rounds) == ("not_found", (), 1)
    assert "widen" not in rooms(report)


def test_what_was_nearest_is_told_with_the_reasons_against_it(colours: Path, box: Toolbox) -> None:
    verify = box.settings.verify.model_copy(update={"accept": 0.99})
    strict = replace(box, settings=box.settings.model_copy(update={"verify": verify}))
    report = VMRAgent(toolbox=strict).run(colours, "red")
    assert (report.status, report.moments, report.rounds) == ("not_found", (), 2)
    best = report.rejected
    assert best is not None
    assert 0.5 < best.score < 0.99
    assert best.span.iou(TRUTH["red"][0]) > 0.8
    assert best.evidence[-1].note == "turned down"


def test_purple_is_not_in_there_however_often_one_looks(colours: Path, box: Toolbox) -> None:
    report = VMRAgent(toolbox=box).run(colours, "purple")
    assert (report.status, report.moments) == ("not_found", ())
    assert report.rounds == 2
    assert rooms(report).count("widen") == 1
    assert rooms(report)[-1] == "verify"
    assert "not found" in str(report)


def test_a_second_question_decodes_nothing(colours: Path, box: Toolbox, decoded: list[str]) -> None:
    agent = VMRAgent(toolbox=box)
    agent.run(colours, "red")
    assert decoded.count("picture") == 1
    decoded.clear()
    assert agent.run(colours, "blue").moments
    assert agent.run(colours, "purple").rounds == 2
    assert decoded == []


def test_indexed_ahead_a_question_decodes_nothing(
    colours: Path, box: Toolbox, decoded: list[str]
) -> None:
    agent = VMRAgent(toolbox=box)
    video = agent.index(colours)
    assert video.duration == pytest.approx(16, abs=0.2)
    assert video.coverage == 1
    assert decoded.count("picture") == 1
    decoded.clear()
    report = agent.run(colours, "red")
    assert report.moments
    assert report.video == video
    assert decoded == []


def test_a_new_agent_on_the_same_shelf_decodes_nothing_and_says_the_same(
    colours: Path, box: Toolbox, decoded: list[str]
) -> None:
    first = VMRAgent(toolbox=box).run(colours, "red")
    decoded.clear()
    again = VMRAgent(toolbox=colour_toolbox(box.shelf.home)).run(colours, "red")
    assert decoded == []
    timeless = {"steps": ()}
    assert again.model_copy(update=timeless) == first.model_copy(update=timeless)
    assert rooms(again) == rooms(first)


def test_other_settings_do_not_answer_from_the_old_shelf(
    colours: Path, box: Toolbox, decoded: list[str]
) -> None:
    VMRAgent(toolbox=box).run(colours, "green")
    decoded.clear()
    assert VMRAgent(toolbox=one_round(box)).run(colours, "green").moments == ()
    assert decoded == [], "other curves need no other decode"
    strip = box.settings.strip.model_copy(update={"fps": 5.0})
    coarse = replace(box, settings=box.settings.model_copy(update={"strip": strip}))
    VMRAgent(toolbox=coarse).index(colours)
    assert decoded == ["picture"]


def test_the_plan_is_the_one_that_was_drawn() -> None:
    plan = build_graph().get_graph()
    assert set(plan.nodes) == {"__start__", "__end__", "widen", *ONCE, *ROAD}
    assert {(door.source, door.target) for door in plan.edges} == FRONT | BACK
    choices = {(door.source, door.target) for door in plan.edges if door.conditional}
    assert {source for source, _ in choices} == {"filter_relevance", "verify"}
    ahead = build_index_graph().get_graph()
    doors = {(door.source, door.target) for door in ahead.edges}
    assert doors == FRONT | {("index_video", "__end__")}


def drawn() -> str:
    """What the README must say between its two marks."""
    return f"\n```mermaid\n{build_graph().get_graph().draw_mermaid().strip()}\n```\n"


def test_the_readme_shows_the_plan_that_is_built() -> None:
    text = README.read_text()
    for mark in ("<!-- graph:start -->", "<!-- graph:end -->"):
        assert text.count(mark) == 1, f"README.md needs one {mark}"
    between = text.partition("<!-- graph:start -->")[2].partition("<!-- graph:end -->")[0]
    assert between == drawn()


def test_the_tray_carries_small_records_and_nothing_else(colours: Path, box: Toolbox) -> None:
    graph = build_graph(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    video = probe(colours, box.shelf.fingerprint, box.settings.video)
    graph.invoke(State(video=video, request="the red one"), config, context=box)
    history = [each.values for each in graph.get_state_history(config)]
    trays = [State.model_validate(values) for values in history if "video" in values]
    assert len(trays) > 10
    assert not any(list(arrays(tray.model_dump())) for tray in trays)
    assert len(trays[0].model_dump_json()) < 20_000
    assert State.model_validate_json(trays[0].model_dump_json()) == trays[0]
    assert len(trays[0].judged.moments) == 2


def arrays(value: Any) -> Iterator[object]:
    """Whatever in there is not a plain thing."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from arrays(each)
    elif not isinstance(value, str | int | float | bool | None) or isinstance(value, np.generic):
        yield value
