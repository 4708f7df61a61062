"""The agent and the baselines asked about needle films, and where the right answer was lost."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.logbook import read
from evals.needle import fit, page, rooms
from evals.needle.compare import PRESSED, compared, lines
from evals.needle.naive import Taste
from evals.needle.questions import asked, subject
from evals.needle.run import OURS, run
from evals.playlist import JoinError
from vmr_agent import Moment, RunReport, Settings, Span, VMRAgent
from vmr_agent.events import Visit
from vmr_agent.testing import colour_film, colour_toolbox

RED = [{"start": 2.0, "end": 5.0}, {"start": 12.0, "end": 14.0}]
QUERIES = [
    {"query": "the red one", "kind": "repeated", "file": "red", "spoken": False, "moments": RED},
    {"query": "a purple one", "kind": "absent", "file": "", "spoken": False, "moments": []},
    {
        "query": "the blue one",
        "kind": "single",
        "file": "blue",
        "spoken": False,
        "moments": [{"start": 10.0, "end": 12.0}],
    },
]
TASTES = {"frames": Taste("frames", 3.0), "threshold": Taste("stretches", 1.0, least=0.5)}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = colour_film(tmp_path_factory.mktemp("film"))
    path.with_suffix(".json").write_text(json.dumps({"queries": QUERIES}))
    return path


@pytest.fixture
def build(tmp_path: Path):
    return lambda given: colour_toolbox(tmp_path / "home")


def spans(*pairs: tuple[float, float]) -> tuple[Span, ...]:
    return tuple(Span(start=a, end=b) for a, b in pairs)


def report(base: RunReport, *pairs: tuple[float, float]) -> RunReport:
    moments = tuple(Moment(span=span, score=0.9) for span in spans(*pairs))
    return base.model_copy(update={"moments": moments})


# ── where the answer was lost ─────────────────────────────────────────────────────────────────

TRUE = spans((10, 20), (50, 60))
WHOLE = rooms.Seen(*(spans((11, 19)) for _ in range(4)))


@pytest.fixture(scope="module")
def empty(film: Path, tmp_path_factory: pytest.TempPathFactory) -> RunReport:
    return VMRAgent(toolbox=colour_toolbox(tmp_path_factory.mktemp("h"))).run(film, "a purple one")


@pytest.mark.parametrize(
    ("shelved", "changed", "room"),
    [
        (False, {}, "index"),
        (True, {"candidates": spans((30, 40))}, "retrieve"),
        (True, {"kept": ()}, "filter"),
        (True, {"clips": spans((10, 13))}, "trim"),
        (True, {"proposals": spans((10, 60))}, "ground"),
        (True, {}, "verify"),
    ],
)
def test_the_first_room_that_has_nothing_left_has_lost_it(empty, shelved, changed, room):
    assert rooms.lost(TRUE, shelved, WHOLE._replace(**changed), report(empty, (30, 40))) == room


def test_what_is_right_was_lost_nowhere_and_what_is_absent_neither(empty):
    nothing = rooms.Seen()
    assert rooms.lost(TRUE, True, nothing, report(empty, (48, 61))) == ""
    assert rooms.lost((), True, nothing, report(empty, (48, 61))) == ""
    assert rooms.lost(TRUE, True, WHOLE, report(empty, (30, 40), (10, 20))) == "verify"


@given(st.lists(st.sampled_from(["", *rooms.ROOMS]), min_size=1))
def test_recalls_only_fall_and_end_at_what_was_right(losses):
    found = [*rooms.recalls(losses).values()]
    assert found == sorted(found, reverse=True)
    assert found[-1] == pytest.approx(losses.count("") / len(losses))


def test_rooms_are_heard_in_all_rounds(film, tmp_path):
    *events, last = VMRAgent(toolbox=colour_toolbox(tmp_path)).stream(film, "the green one")
    visits = [each for each in events if isinstance(each, Visit)]
    assert last.rounds == 2
    second = next(place for place, visit in enumerate(visits) if visit.room == "widen")
    found, first = rooms.seen(visits), rooms.seen(visits[:second])
    assert first.candidates == found.candidates[: len(first.candidates)]
    assert len(found.candidates) > len(first.candidates)
    assert last.moments[0].span in found.proposals


# ── baselines ─────────────────────────────────────────────────────────────────────────────────


def test_frames_have_windows_around_the_best_that_are_apart():
    curve = np.zeros(60, np.float32)
    curve[[10, 12, 40]] = 0.9, 0.8, 0.7
    found = Taste("frames", 4.0).answer(curve, 60.0)
    assert [(s.start, s.end) for s, _ in found[:2]] == [(8.5, 12.5), (38.5, 42.5)]
    assert Taste("frames", 4.0, least=0.95).answer(curve, 60.0) == []


def test_stretches_stand_out_from_the_film():
    curve = np.full(60, 0.1, np.float32)
    curve[20:25], curve[26:30], curve[50:52] = 0.8, 0.8, 0.9
    found = Taste("stretches", 1.0).answer(curve, 60.0)
    assert [(s.start, s.end) for s, _ in found] == [(50, 52), (20, 30)]


@given(
    st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=80),
    st.sampled_from(["frames", "stretches"]),
    st.floats(0.5, 20),
)
@settings(max_examples=50)
def test_windows_are_inside_the_film_and_fall(curve, way, size):
    found = Taste(way, size).answer(np.array(curve, np.float32), float(len(curve)))
    assert all(0 <= span.start < span.end <= len(curve) for span, _ in found)
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)
    assert len(found) <= 10


def test_what_is_chosen_is_the_best_there_is(film, build, tmp_path):
    tastes = fit.fit([film], Settings(), build)
    fit.save(tmp_path / "t.json", tastes)
    assert fit.load(tmp_path / "t.json") == tastes
    assert tastes["threshold"].least > -1, "colours that are not there are refused"
    assert tastes["frames"].least == -1
    with pytest.raises(JoinError, match="is not what fit writes"):
        fit.load(film)
    (tmp_path / "bad.json").write_text('{"frames": {"way": "up", "size": 8}}')
    with pytest.raises(JoinError, match="no baseline"):
        fit.load(tmp_path / "bad.json")


# ── the whole run ─────────────────────────────────────────────────────────────────────────────


def test_all_are_asked_the_same_and_told_side_by_side(film, build, tmp_path):
    answers = run([film], Settings(), tmp_path / "out", TASTES, build=build)
    assert [*answers] == [OURS, "frames", "threshold"]
    for name, samples in answers.items():
        book = read(tmp_path / "out" / f"{name}.jsonl")
        assert book.header.system == name
        assert [each.query for each in samples] == [each["query"] for each in QUERIES]
        assert [each.group for each in book.samples] == ["repeated", "absent", "single"]
        assert book.metrics is not None
        assert book.metrics.figures["all"]["queries"] == 3
    assert [each.lost for each in answers[OURS]] == ["", "", ""]
    told = compared(answers, [subject(each) for each in asked([film])])
    assert told["kinds"][OURS]["all"]["R1@0.5"] == 100
    assert told["kinds"][OURS]["absent"]["false alarms"] == 0
    assert told["kinds"]["frames"]["absent"]["false alarms"] == 100
    assert told["less"][OURS]["frames"]["rejection"]["change"][0] == 100
    assert told["less"][PRESSED]["frames"]["rejection"]["change"][0] == 0
    assert told["kinds"][PRESSED]["absent"]["false alarms"] == 100
    assert told["rooms"]["verify"] == 1
    text = lines(json.loads(json.dumps(told)))
    assert "pressed less frames" in text
    assert "pressed less threshold" not in text, "who may refuse is not pressed either"
    assert "nan" not in text


def test_what_failed_is_in_no_figure_and_counted(film, build, tmp_path):
    answers = run([film], Settings(), tmp_path, TASTES, build=build)
    about = [subject(each) for each in asked([film])]
    whole = compared(answers, about)
    fails = [each.model_copy(update={"report": None}) for each in answers[OURS]]
    for place, kind, figure in ((1, "absent", "false alarms"), (2, "single", "R1@0.5")):
        ours = [*answers[OURS][:place], fails[place], *answers[OURS][place + 1 :]]
        told = compared(answers | {OURS: ours}, about)
        assert told["failed"] == {OURS: 1, "frames": 0, "threshold": 0}
        assert told["kinds"][OURS]["all"]["queries"] == 2
        assert figure not in told["kinds"][OURS].get(kind, {})
        assert f"{OURS}: 1 failed" in lines(told)
    assert whole["less"][OURS]["frames"]["rejection"]["change"][0] == 100
    none = compared({OURS: fails, "frames": answers["frames"]}, about)
    assert none["rooms"]["verify"] == 0
    assert np.isnan(none["less"][OURS]["frames"]["rejection"]["change"][0])
    assert none["cost"][OURS] == {}
    assert lines(none)


def test_the_same_run_again_asks_nothing_and_another_is_refused(film, build, tmp_path):
    run([film], Settings(), tmp_path, {}, build=build)
    book = tmp_path / f"{OURS}.jsonl"
    before = book.read_text().count('"kind":"sample"')
    again = run([film], Settings(), tmp_path, {}, build=build)
    assert book.read_text().count('"kind":"sample"') == before == len(again[OURS])
    assert [each.id for each in again[OURS]] == [each.id for each in read(book).samples]
    with pytest.raises(Exception, match="another run"):
        run([film], Settings(), tmp_path, {OURS: TASTES["frames"]}, build=build)


def test_two_films_of_one_name_are_refused(film, tmp_path):
    other = tmp_path / film.name
    with pytest.raises(JoinError, match="same name"):
        asked([film, other])


# ── the README ────────────────────────────────────────────────────────────────────────────────


def test_the_readme_claims_what_was_measured():
    told = json.loads(page.RESULTS.read_text())
    text = page.README.read_text()
    assert page.START + page.page(told) + page.END in text
