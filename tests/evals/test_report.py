"""The report of runs: its figures against the scorers', intervals, differences, single samples."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evals_runs import ROOMS, failed, header, moment, report, sample, samples, write
from hypothesis import given
from hypothesis import strategies as st

from evals.needle import score
from evals.reporting import losses, trust
from evals.reporting.content import Content, content
from evals.reporting.figures import known
from evals.reporting.intervals import differences, estimates
from evals.reporting.labels import labels
from evals.reporting.page import page
from evals.reporting.runs import Run, load, together
from vmr_agent.metrics import qvhighlights, scoring
from vmr_agent.metrics.calibration import calibration_error


def made(path: Path, name: str = "needle", **more: Any) -> Path:
    return write(path, samples(60, **more), header(name))


def figures(told: Content, side: int = 0) -> dict[str, float]:
    return {each.name: each.official.value for each in told.sides[side].headlines}


def rows(run: Run) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """As the official scorer of QVHighlights reads them."""
    told = [
        {
            "qid": each.id,
            "pred_relevant_windows": [
                [m.span.start, m.span.end, m.score] for m in each.report.moments
            ],
            "relevant_windows": [list(window) for window in each.truth],
        }
        for each in run.samples
        if each.report
    ]
    return told, told


def test_figures_of_qvhighlights_are_the_official_ones(tmp_path: Path) -> None:
    run = load(made(tmp_path / "a.jsonl", "qvhighlights"))
    official = qvhighlights.evaluate(*rows(run))
    found = figures(content([run]))
    assert {name: round(value, 2) for name, value in found.items()} == pytest.approx(
        {
            "R1@0.5": official["brief"]["MR-full-R1@0.5"],
            "R1@0.7": official["brief"]["MR-full-R1@0.7"],
            "mAP": official["brief"]["MR-full-mAP"],
        },
        abs=0.0051,
    )
    lengths = content([run]).breakdown[0]
    # Strict: an empty answer drops out of the official one.
    answered = [each for each in run.samples if each.report and each.report.moments]
    part = content([load(write(tmp_path / "b.jsonl", answered, header("qvhighlights")))])
    of_length = {row.name: row.estimates["mAP"].value for row in part.breakdown[0].rows}
    brief = qvhighlights.evaluate(*rows(load(tmp_path / "b.jsonl")))["brief"]
    assert of_length == pytest.approx(
        {
            "up to 10 s": brief["MR-short-mAP"],
            "10 to 30 s": brief["MR-middle-mAP"],
            "30 to 150 s": brief["MR-long-mAP"],
        },
        abs=0.0051,
    )
    assert [row.name for row in lengths.rows] == list(of_length)


def test_intervals_are_those_that_a_run_writes_itself(tmp_path: Path) -> None:
    parts = [sample(n, video=f"source-{n % 9:04d}_{n}.0_{n + 150}.0") for n in range(60)]
    run = load(write(tmp_path / "a.jsonl", parts, header("qvhighlights")))
    told, truth = rows(run)
    named = [{**row, "vid": each.video} for row, each in zip(truth, run.samples, strict=True)]
    sure = scoring.sureness("qvhighlights", told, named)
    assert len(set(run.videos)) == 9
    for each in content([run]).sides[0].headlines:
        assert each.strict[:3] == pytest.approx(sure[each.name])


def test_an_empty_answer_is_strictly_nothing(tmp_path: Path) -> None:
    told = content([load(made(tmp_path / "a.jsonl", "qvhighlights"))])
    precise = next(each for each in told.sides[0].headlines if each.name == "mAP")
    assert not precise.same
    share = told.sides[0].totals.coverage / 100
    assert 0 < share < 1
    assert precise.strict.value == pytest.approx(precise.official.value * share)


def test_figures_of_needle_films_are_those_of_its_own_scorer(tmp_path: Path) -> None:
    run = load(made(tmp_path / "a.jsonl"))
    asked = [
        score.Given(
            each.video,
            each.query,
            each.group,
            each.truth,
            [(m.span.start, m.span.end, m.score) for m in each.report.moments],
            0.0,
        )
        for each in run.samples
        if each.report
    ]
    by_kind = score.by_kind(asked)
    told, whole = content([run]), by_kind["all"]
    found = figures(told)
    for name in ("R1@0.5", "R1@0.7", "mAP", "mR@3"):
        assert found[name] == pytest.approx(whole[name], abs=0.0051)
    assert found["rejection"] == pytest.approx(100 - whole["false alarms"], abs=0.0051)
    assert told.sides[0].totals.coverage == pytest.approx(whole["found"], abs=0.0051)
    kinds = next(table for table in told.breakdown if table.name == "Kind of query")
    for row in kinds.rows:
        assert row.queries == by_kind[row.name]["queries"]
        if row.name != "absent":
            mine = row.estimates["R1@0.5"].value
            assert mine == pytest.approx(by_kind[row.name]["R1@0.5"], abs=0.0051)


def test_of_charades_the_mean_overlap(tmp_path: Path) -> None:
    some = [
        sample(0, truth=((0.0, 10.0),), report=report("q", [moment(0, 5, 0.9)])),
        sample(2, truth=((0.0, 10.0),), report=report("q", [])),
        sample(3, truth=((0.0, 10.0),), report=report("q", [moment(0, 10, 0.9)])),
    ]
    told = content([load(write(tmp_path / "a.jsonl", some, header("charades-sta")))])
    assert figures(told) == pytest.approx(
        {"R1@0.3": 200 / 3, "R1@0.5": 200 / 3, "R1@0.7": 100 / 3, "mIoU": 50}
    )
    assert told.main == "R1@0.5"


def test_a_query_without_labels_is_in_no_figure(tmp_path: Path) -> None:
    run = load(made(tmp_path / "a.jsonl", "qvhighlights"))
    assert run.unlabelled == sum(not each.truth for each in samples(60))
    assert len(run.samples) == 60 - run.unlabelled
    assert any("without a published truth" in warning for warning in content([run]).warnings)


def test_what_failed_and_what_is_missing_is_counted(tmp_path: Path) -> None:
    about = header(dataset={"queries": 65, "missing": ("lost-film",)}, commit="ab+changes")
    some = [*samples(60), failed(1), failed(2)]
    told = content([load(write(tmp_path / "a.jsonl", some, about))])
    totals = told.sides[0].totals
    assert (totals.scored, totals.failed, totals.missing, totals.asked) == (60, 2, 1, 65)
    assert told.sides[0].failures[0].kind == "ChatBusyError"
    assert told.sides[0].failures[0].samples == 2
    told_of = " ".join(told.warnings)
    for words in ("in no figure: 2", "dataset: 1", "not asked: 3 of 65", "no commit"):
        assert words in told_of


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=30))
def test_an_interval_holds_its_figure(drawn: list[tuple[int, bool]]) -> None:
    videos = [f"v{video}" for video, _ in drawn]
    value = np.array([[right] for _, right in drawn], np.float64)
    found = estimates(value, np.ones(value.shape, bool), videos)[0]
    assert found.value == pytest.approx(100 * value.mean())
    assert found.queries == len(drawn)
    if len(set(videos)) < 2:
        assert math.isnan(found.low)
    else:
        assert found.low <= found.value + 1e-9
        assert found.high >= found.value - 1e-9


def test_a_film_is_drawn_with_all_its_queries() -> None:
    value = np.array([[1.0], [1.0], [0.0], [0.0]])
    held = np.ones(value.shape, bool)
    together_ = estimates(value, held, ["a", "a", "b", "b"])[0]
    apart = estimates(value, held, ["a", "b", "c", "d"])[0]
    assert (together_.low, together_.high) == (0, 100)
    assert 0 <= apart.low < apart.value < apart.high <= 100


def test_differences_are_paired() -> None:
    dice = np.random.default_rng(0)
    first = dice.random((40, 1))
    held = np.ones(first.shape, bool)
    videos = [f"v{n}" for n in range(40)]
    less = differences(first, first + 0.1, (held, held), videos)[0]
    assert (less.value, less.low, less.high) == pytest.approx((10, 10, 10))


def test_runs_are_called_by_what_differs(tmp_path: Path) -> None:
    base = {"without": [], "retrieve": {"top_k": 40}, "trim": {"a": 1, "b": 1, "c": 1, "d": 1}}
    others = [
        ({"settings": base}, "vmr_agent"),
        ({"settings": base | {"without": ["caption"]}}, "without caption"),
        ({"settings": base | {"retrieve": {"top_k": 50}}}, "retrieve.top_k = 50"),
        ({"settings": {}, "system": "naive"}, "naive"),
        ({"settings": base, "models": {"encoder": "other", "whisper": "base"}}, "encoder: other"),
        ({"settings": base, "commit": "fff"}, "commit fff"),
        ({"settings": base}, "vmr_agent again"),
    ]
    runs = [
        load(write(tmp_path / f"{n}.jsonl", samples(12), header(**more)))
        for n, (more, _) in enumerate(others)
    ]
    assert labels(runs) == [name for _, name in others]
    many = {"trim": {"a": 2, "b": 2, "c": 2, "d": 2}}
    last = load(write(tmp_path / "9.jsonl", samples(12), header(settings=base | many)))
    assert labels([runs[0], last])[1] == "trim.a = 2, trim.b = 2, trim.c = 2, 1 more settings"
    twice = labels(
        [runs[0], runs[6], load(write(tmp_path / "7.jsonl", samples(12), header(settings=base)))]
    )
    assert twice[1:] == ["vmr_agent again (6.jsonl)", "vmr_agent again (7.jsonl)"]


def test_a_worse_run_is_told_from_chance(tmp_path: Path) -> None:
    paths = [made(tmp_path / "a.jsonl", skill=0.9), made(tmp_path / "b.jsonl", skill=0.2)]
    told = content(together(paths))
    first, second = told.matrix
    assert [each.sure for each in first] == [0] * len(first)
    by_name = {each.name: each for each in second}
    assert by_name["R1@0.5"].sure == -1
    values = [figures(told, side)["R1@0.5"] for side in (0, 1)]
    assert by_name["R1@0.5"].apart is not None
    assert by_name["R1@0.5"].apart.value == pytest.approx(values[1] - values[0])
    gains = [each.gain for each in told.differing]
    assert gains == sorted(gains, reverse=True)
    assert len(gains) == 20


def test_only_samples_that_both_have_are_compared(tmp_path: Path) -> None:
    few = write(tmp_path / "b.jsonl", samples(30, skill=0.1), header())
    told = content(together([made(tmp_path / "a.jsonl"), few]))
    alone = content(together([write(tmp_path / "c.jsonl", samples(30), header()), few]))
    assert told.sides[1].shared == 30
    assert [each.apart for each in told.matrix[1]] == [each.apart for each in alone.matrix[1]]


def test_a_run_without_a_figure_of_the_first_has_none(tmp_path: Path) -> None:
    absent = write(tmp_path / "b.jsonl", [each for each in samples(60) if not each.truth], header())
    told = content(together([made(tmp_path / "a.jsonl"), absent]))
    by_name = {each.name: each for each in told.matrix[1]}
    assert by_name["rejection"].apart is not None
    assert by_name["rejection"].apart.value == pytest.approx(0)
    assert by_name["R1@0.5"].apart is not None
    assert math.isnan(by_name["R1@0.5"].apart.value)
    assert "–" in page(told)


def test_the_worst_come_first_and_the_surest_of_them(tmp_path: Path) -> None:
    wrong = [
        sample(n, truth=((100.0, 110.0),), report=report("q", [moment(0, 5, sure)]))
        for n, sure in enumerate((0.5, 0.9, 0.7))
    ]
    right = sample(9, truth=((0.0, 5.0),), report=report("q", [moment(0, 5, 1)]))
    told = content([load(write(tmp_path / "a.jsonl", [*wrong, right], header()))])
    assert [case.id for case in told.worst] == ["q1", "q2", "q0"]
    assert "IoU 0.00" in told.worst[0].verdict


def test_losses_leave_what_was_answered(tmp_path: Path) -> None:
    some = samples(60)
    told = losses.losses(some)
    present = [each for each in some if each.truth]
    assert told[-1].left == pytest.approx(sum(not each.lost for each in present) / len(present))
    assert [each.room for each in told] == sorted({e.lost for e in some} - {""}, key=ROOMS.index)
    assert losses.losses([each.model_copy(update={"lost": ""}) for each in some]) == []


def test_calibration_is_that_of_the_metrics() -> None:
    some = samples(60)
    told = trust.trust(some)
    scores, right = [], []
    for each in some:
        for one in each.report.moments if each.report else ():
            scores.append(one.score)
            overlaps = [
                max(0, min(one.span.end, high) - max(one.span.start, low))
                / (max(one.span.end, high) - min(one.span.start, low))
                for low, high in each.truth
            ]
            right.append(max(overlaps, default=0) >= 0.5)
    assert told is not None
    assert told.error == pytest.approx(calibration_error(scores, right))
    half = sample(1, truth=((0.0, 10.0),), report=report("q", [moment(0, 6, 0.8)]))
    bare = trust.trust([half])
    assert bare is not None
    assert (bare.right, bare.error) == (1, pytest.approx(0.2))
    assert sum(each.moments for each in told.bins) == told.moments == len(scores)


def test_figures_count_what_they_are_about() -> None:
    found = known(samples(60))
    assert not (found.figures["R1@0.5"].strict & found.figures["rejection"].strict).any()
    assert (found.figures["mR@3"].official <= found.figures["mR@3"].strict).all()
