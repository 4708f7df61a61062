"""The whole agent on the colour film: what it finds, which rooms it visits, what it decodes."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import media
import numpy as np
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from shelved import say

from vmr_agent import VMRAgent
from vmr_agent.artefacts import Entry, Footage, Sounds, Speech, Vectors
from vmr_agent.graph import build_graph, build_index_graph, picture_wing, sound_wing
from vmr_agent.playback import RATE
from vmr_agent.protocols import Array
from vmr_agent.report import RunReport
from vmr_agent.state import State
from vmr_agent.testing import TRUTH, colour_toolbox
from vmr_agent.toolbox import Toolbox
from vmr_agent.types import Record, Utterance

ONCE = {"detect_shots", "embed_frames", "read_text", "transcribe", "listen", "index_video"}
ROAD = ["understand", "retrieve", "filter_relevance", "caption", "trim", "ground", "verify"]
# The drawing, door by door: two wings side by side, in each of them round and round.
FRONT = {
    *(("__start__", wing) for wing in ("picture", "sound")),
    *((wing, "index_video") for wing in ("picture", "sound")),
}
PICTURE = ["detect_shots", "embed_frames", "read_text"]
SOUND = ["listen", "transcribe"]
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


def jobs(decoders: list[Any]) -> list[str]:
    """What films were opened for: ``probe``, ``picture`` or ``sound``."""
    return [json.loads(decoder.args[-1])["do"] for decoder in decoders]


def with_settings(box: Toolbox, **groups: dict[str, Any]) -> Toolbox:
    """The same with some settings changed, group by group."""
    changed = {name: getattr(box.settings, name).model_copy(update=u) for name, u in groups.items()}
    return replace(box, settings=box.settings.model_copy(update=changed))


def seconds_of_work() -> float:
    """Of ours and our decoders' so far, however busy the machine is."""
    decoders = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + decoders.ru_utime + decoders.ru_stime


def rooms(report: RunReport) -> list[str]:
    return [step.room for step in report.steps]


def one_round(box: Toolbox) -> Toolbox:
    return with_settings(box, retrieve={"smooth": (2.0,)})


def test_red_is_found_both_times_best_first_with_little_work(colours: Path, box: Toolbox) -> None:
    VMRAgent(toolbox=box).search("warm up the imports")
    build_graph()
    began = seconds_of_work()
    report = VMRAgent(toolbox=box).run(colours, "the red one")
    assert seconds_of_work() - began < 3
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
    for wing in (PICTURE, SOUND):
        places = [order.index(room) for room in (*wing, "index_video")]
        assert places == sorted(places)
    assert order[5] == "index_video"


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
    strict = with_settings(box, verify={"accept": 0.99})
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


def test_a_second_question_decodes_nothing(
    colours: Path, box: Toolbox, decoders: list[Any]
) -> None:
    agent = VMRAgent(toolbox=box)
    agent.run(colours, "red")
    assert jobs(decoders) == ["probe", "picture"]
    decoders.clear()
    assert agent.run(colours, "blue").moments
    assert agent.run(colours, "purple").rounds == 2
    assert jobs(decoders) == []


def test_indexed_ahead_a_question_decodes_nothing(
    colours: Path, box: Toolbox, decoders: list[Any]
) -> None:
    agent = VMRAgent(toolbox=box)
    video = agent.index(colours)
    assert video.duration == pytest.approx(16, abs=0.2)
    assert video.coverage == 1
    assert jobs(decoders) == ["probe", "picture"]
    decoders.clear()
    report = agent.run(colours, "red")
    assert report.moments
    assert report.video == video
    assert jobs(decoders) == []


def test_a_new_agent_on_the_same_shelf_decodes_nothing_and_says_the_same(
    colours: Path, box: Toolbox, decoders: list[Any]
) -> None:
    first = VMRAgent(toolbox=box).run(colours, "red")
    decoders.clear()
    again = VMRAgent(toolbox=colour_toolbox(box.shelf.home)).run(colours, "red")
    assert jobs(decoders) == []
    timeless = {"steps": ()}
    assert again.model_copy(update=timeless) == first.model_copy(update=timeless)
    assert rooms(again) == rooms(first)


def test_other_settings_do_not_answer_from_the_old_shelf(
    colours: Path, box: Toolbox, decoders: list[Any]
) -> None:
    VMRAgent(toolbox=box).run(colours, "green")
    decoders.clear()
    assert VMRAgent(toolbox=one_round(box)).run(colours, "green").moments == ()
    assert jobs(decoders) == [], "other curves need no other decode"
    VMRAgent(toolbox=with_settings(box, strip={"fps": 5.0})).index(colours)
    assert jobs(decoders) == ["picture"]


def test_the_plan_is_the_one_that_was_drawn() -> None:
    plan = build_graph().get_graph()
    assert set(plan.nodes) == {
        *("__start__", "__end__", "picture", "sound", "index_video", "widen"),
        *ROAD,
    }
    assert {(door.source, door.target) for door in plan.edges} == FRONT | BACK
    choices = {(door.source, door.target) for door in plan.edges if door.conditional}
    assert {source for source, _ in choices} == {"filter_relevance", "verify"}
    ahead = build_index_graph().get_graph()
    doors = {(door.source, door.target) for door in ahead.edges}
    assert doors == FRONT | {("index_video", "__end__")}
    for wing, way in ((picture_wing, PICTURE), (sound_wing, SOUND)):
        rooms_of_it = wing().get_graph()
        assert {(door.source, door.target) for door in rooms_of_it.edges} == {
            *pairwise(["__start__", *way, "__end__"]),
            (way[-1], way[0]),
        }
    assert {*PICTURE, *SOUND, "index_video"} == ONCE


def drawn() -> str:
    """What the README must say between its two marks."""
    return f"\n```mermaid\n{build_graph().get_graph(xray=True).draw_mermaid().strip()}\n```\n"


def test_the_readme_shows_the_plan_that_is_built() -> None:
    text = README.read_text()
    for mark in ("<!-- graph:start -->", "<!-- graph:end -->"):
        assert text.count(mark) == 1, f"README.md needs one {mark}"
    between = text.partition("<!-- graph:start -->")[2].partition("<!-- graph:end -->")[0]
    assert between == drawn()


def test_the_tray_carries_small_records_and_nothing_else(colours: Path, box: Toolbox) -> None:
    graph = build_graph(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    video = box.probe(colours)
    graph.invoke(State(video=video, request="the red one"), config, context=box)
    box.showing.close()
    history = [each.values for each in graph.get_state_history(config)]
    trays = [State.model_validate(values) for values in history if "video" in values]
    assert len(trays) > 9
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


# ── reel by reel, block by block ──────────────────────────────────────────────────────────────


def shelved(box: Toolbox, path: Path, stage: str, kind: type[Record]) -> tuple[Any, Any]:
    return box.shelf.get(box.name(State(video=box.probe(path)), stage), kind)


def test_reels_make_no_difference_to_what_is_found(
    colours: Path, box: Toolbox, tmp_path: Path, decoders: list[Any]
) -> None:
    whole = VMRAgent(toolbox=box).run(colours, "green")
    parted = with_settings(colour_toolbox(tmp_path / "other"), video={"reel": 5.0})
    decoders.clear()
    report = VMRAgent(toolbox=parted).run(colours, "green")
    assert jobs(decoders) == ["probe", "picture"], "all reels from one decoding"
    assert [m.span for m in report.moments] == [m.span for m in whole.moments]
    assert [m.score for m in report.moments] == pytest.approx([m.score for m in whole.moments])
    assert rooms(report) == rooms(whole)
    footage, other = (shelved(b, colours, "footage", Footage)[0] for b in (box, parted))
    assert footage == other
    times, more = (shelved(b, colours, "vectors", Vectors)[1]["times"] for b in (box, parted))
    assert set(times) | {5.0, 10.0, 15.0} == set(more), "no vector stands for two reels"


class Cutter:
    """Hears one word a second into whatever it is given, and notes how long that was."""

    name = "cutter"

    def __init__(self, good: int = 99) -> None:
        self.heard: list[float] = []
        self.good = good

    def transcribe(self, samples: Array, rate: int, voice: Array) -> tuple[Utterance, ...]:
        assert rate == RATE
        if len(self.heard) == self.good:
            raise ZeroDivisionError
        self.heard.append(len(samples) / RATE)
        return (say(1, "word"),)


@pytest.fixture(scope="module")
def humming(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """130 seconds of a tone that pauses twice."""
    tone = 0.5 * np.sin(np.arange(130 * 48_000) / 10).astype(np.float32)
    for pause in (52, 110):
        tone[pause * 48_000 : (pause + 1) * 48_000] = 0
    path = tmp_path_factory.mktemp("humming") / "long.mp4"
    return media.film(path, frames=10, sound=[(0, tone)])


def in_blocks(box: Toolbox, cutter: Cutter) -> Toolbox:
    """Of a minute."""
    return with_settings(replace(box, transcriber=cutter), transcribe={"chunk": 60.0})


def test_sound_is_heard_block_by_block_and_no_second_twice(
    humming: Path, box: Toolbox, decoders: list[Any]
) -> None:
    path, cutter = humming, Cutter()
    box = in_blocks(box, cutter)
    VMRAgent(toolbox=box).index(path)
    assert sorted(jobs(decoders)) == ["picture", "probe", "sound"]
    assert len(cutter.heard) == 3
    assert 52 < cutter.heard[0] < 53
    assert 110 < sum(cutter.heard[:2]) < 111
    assert sum(cutter.heard) == pytest.approx(130, abs=0.1)
    speech, _ = shelved(box, path, "speech", Speech)
    starts = np.cumsum([0, *cutter.heard[:2]]) + 1
    assert [u.span.start for u in speech.utterances] == pytest.approx(list(starts))
    sounds, levels = shelved(box, path, "sounds", Sounds)
    assert sounds.duration == pytest.approx(130, abs=0.1)
    loud = levels["levels"][:130, 0] > -20
    assert np.flatnonzero(~loud).tolist() == [52, 110]
    assert not list(box.shelf.home.rglob("s*.pieces")), "journals are swept when they are done"


@pytest.mark.parametrize("good", [0, 1, 2])
def test_sound_broken_off_goes_on_where_it_was(
    humming: Path, box: Toolbox, tmp_path: Path, good: int
) -> None:
    whole, early, late = Cutter(), Cutter(good), Cutter()
    VMRAgent(toolbox=in_blocks(colour_toolbox(tmp_path / "whole"), whole)).index(humming)
    with pytest.raises(ZeroDivisionError):
        VMRAgent(toolbox=in_blocks(box, early)).index(humming)
    VMRAgent(toolbox=in_blocks(box, late)).index(humming)
    assert (len(early.heard), early.heard + late.heard) == (good, whole.heard)
    shelves = [
        {path.name: path.read_bytes() for path in home.rglob("s*-*.npz")}
        for home in (tmp_path / "whole" / "shelf", box.shelf.home / "shelf")
    ]
    assert shelves[0] == shelves[1]
    assert len(shelves[0]) == 3, "screen, sounds and speech"


# ── films that lack something ─────────────────────────────────────────────────────────────────


def test_no_picture(tmp_path: Path, box: Toolbox, decoders: list[Any]) -> None:
    pieces = [(0.0, media.tone(3, 0.5))]
    path = media.film(tmp_path / "a.mp3", frames=0, sound=pieces, sound_codec="mp3", cover=True)
    box = replace(box, transcriber=Cutter())
    report = VMRAgent(toolbox=box).run(path, "somebody says word")
    assert sorted(jobs(decoders)) == ["probe", "sound"]
    assert report.video.duration == pytest.approx(3, abs=0.1)
    assert (report.coverage.picture, report.coverage.text) == (0, 0)
    assert report.coverage.speech == pytest.approx(1)
    assert [moment.evidence[0].source for moment in report.moments] == ["speech"]
    assert "no_picture" in [fault.kind for fault in report.faults]
    assert shelved(box, path, "footage", Footage)[0].shots == ()


def test_no_sound(colours: Path, box: Toolbox, decoders: list[Any]) -> None:
    box = replace(box, transcriber=Cutter())
    report = VMRAgent(toolbox=box).run(colours, "blue")
    assert jobs(decoders) == ["probe", "picture"]
    assert report.coverage.speech == 0
    assert len(report.moments) == 1
    assert "no_audio" in [fault.kind for fault in report.faults]
    assert shelved(box, colours, "sounds", Sounds)[0].duration == 0
    assert box.transcriber.heard == []  # type: ignore[union-attr]


@pytest.mark.parametrize("length", [0.5, 9.0], ids=["shorter", "longer"])
def test_sound_of_another_length_than_the_picture(
    tmp_path: Path, box: Toolbox, length: float
) -> None:
    cuts, pieces = [25, 50, 75], [(0.0, media.tone(length, 0.2))]
    path = media.film(tmp_path / "a.mp4", frames=100, cuts=cuts, sound=pieces)
    box = replace(box, transcriber=Cutter())
    report = VMRAgent(toolbox=box).run(path, "the yellow one")
    (moment,) = report.moments
    assert (moment.span.start, moment.span.end) == pytest.approx((3, 4), abs=0.21)
    assert report.video.duration == pytest.approx(max(4, length), abs=0.01)
    entry = shelved(box, path, "entry", Entry)[0]
    assert entry.heard == pytest.approx(length, abs=0.1)
    assert report.coverage.speech == pytest.approx(min(1, length / 4), abs=0.03)
    assert shelved(box, path, "sounds", Sounds)[0].duration == pytest.approx(length, abs=0.1)
    assert report.coverage.picture == 1


class Late(Cutter):
    """Hears one sentence, eight seconds into the film."""

    def transcribe(self, samples: Array, rate: int, voice: Array) -> tuple[Utterance, ...]:
        return (say(8, "the ferry leaves the harbour at seven"),)


@pytest.mark.parametrize("frames", [1, 100])
def test_what_is_said_behind_the_picture_is_found(
    tmp_path: Path, box: Toolbox, frames: int
) -> None:
    """Talks over a single picture, and films whose sound goes on."""
    pieces = [(0.0, media.tone(20, 0.2))]
    path = media.film(tmp_path / "a.mp4", frames=frames, sound=pieces)
    agent = VMRAgent(toolbox=replace(box, transcriber=Late()))
    (moment,) = agent.run(path, "the ferry leaves the harbour").moments
    assert moment.span.start == pytest.approx(8)
    assert moment.evidence[0].source == "speech"
    seen = agent.run(path, "the red one").moments
    assert all(red.span.end <= 4 for red in seen), "nothing is to be seen where the picture ended"
    assert len(seen) == (frames == 100)


def test_sound_before_the_picture_alone_is_no_sound(tmp_path: Path, box: Toolbox) -> None:
    times = [7 + i / 25 for i in range(50)]
    path = media.film(tmp_path / "a.mkv", times=times, sound=[(0.0, media.tone(5, 1))])
    report = VMRAgent(toolbox=replace(box, transcriber=Cutter())).run(path, "red")
    told = {fault.kind: fault.message for fault in report.faults}
    assert report.coverage.speech == 0
    assert told["no_audio"] == "the sound is left out, for it all lies before the first picture"
    assert "no_speech" not in told


def test_damaged_sound_says_what_is_missing(tmp_path: Path, box: Toolbox) -> None:
    tone = [(0.0, media.humming(20, *range(20)))]
    path = media.film(tmp_path / "a.flac", frames=0, sound=tone, sound_codec="flac")
    media.damaged(path, 0.4, 0.6)
    box = with_settings(replace(box, transcriber=Cutter()), transcribe={"chunk": 60.0})
    report = VMRAgent(toolbox=box).run(path, "somebody says nothing of the kind")
    (hole,) = [fault.span for fault in report.faults if fault.kind == "unheard"]
    assert hole is not None
    assert (hole.start, hole.end) == pytest.approx((7.3, 11.8), abs=0.1)
    assert report.video.coverage == report.coverage.speech == pytest.approx(0.775, abs=0.01)
    (told,) = [fault.message for fault in report.faults if fault.kind == "coverage"]
    assert told == f"only {report.video.coverage:.0%} of the sound could be decoded"
    unread = [p.span for p in report.coverage.passed_over if p.why == "it cannot be read"]
    assert unread or any(span.overlap(hole) for span in report.coverage.closely)


def test_a_damaged_film_says_what_is_missing(tmp_path: Path, box: Toolbox) -> None:
    path = media.KINDS["damaged mkv"](tmp_path)
    report = VMRAgent(toolbox=with_settings(box, video={"reel": 5.0})).run(path, "purple")
    assert report.status == "partial"
    assert 0.4 < report.coverage.picture < 0.8
    (hole,) = [fault.span for fault in report.faults if fault.kind == "unreadable"]
    assert hole is not None
    assert hole.length == pytest.approx(10 * (1 - report.coverage.picture), rel=0.5)
    whole = sorted(
        [*report.coverage.closely, *(part.span for part in report.coverage.passed_over)],
        key=lambda span: span.start,
    )
    assert [span.end for span in whole[:-1]] == [span.start for span in whole[1:]], "no gap"
    unread = [p.span for p in report.coverage.passed_over if p.why == "it cannot be read"]
    assert all(hole.start <= span.start and span.end <= hole.end for span in unread)
    assert unread or any(span.overlap(hole) for span in report.coverage.closely)
    assert "coverage" in [fault.kind for fault in report.faults]
