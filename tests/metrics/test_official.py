"""What the authors' own scripts say of made-up answers, to the last digit."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world import OFFICIAL, made, with_absent

from vmr_agent.metrics import qvhighlights, qvm2, rejection
from vmr_agent.metrics.qvhighlights import Row
from vmr_agent.metrics.scoring import score

SUBMISSION, TRUTH = made()
WINDOWS, SALIENCY = "pred_relevant_windows", "pred_saliency_scores"


def changed(change: Any) -> list[Row]:
    """The submission with the windows of each row changed."""
    return [{**row, WINDOWS: change(copy.deepcopy(row[WINDOWS]))} for row in SUBMISSION]


@pytest.mark.parametrize("scorer", [qvhighlights, qvm2])
def test_no_figure_differs(scorer: Any) -> None:
    name = scorer.__name__.rpartition(".")[2]
    found = scorer.evaluate(SUBMISSION, TRUTH)
    assert found == OFFICIAL[name]
    assert list(found) == list(OFFICIAL[name])
    assert list(found["brief"]) == list(OFFICIAL[name]["brief"])


def test_no_figure_of_absent_queries_differs() -> None:
    assert rejection.evaluate(*with_absent(SUBMISSION, TRUTH)) == OFFICIAL["gmr"]


@given(st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_order_of_rows_is_nothing(dice: Any) -> None:
    rows = list(SUBMISSION)
    dice.shuffle(rows)
    assert qvhighlights.evaluate(rows, TRUTH) == OFFICIAL["qvhighlights"]
    assert qvm2.evaluate(rows, TRUTH) == OFFICIAL["qvm2"]


@given(st.floats(0.01, 1000), st.floats(-10, 10))
@settings(max_examples=10, deadline=None)
def test_only_the_order_of_scores_counts(by: float, plus: float) -> None:
    rows = changed(lambda windows: [[s, e, round(score, 1) * by + plus] for s, e, score in windows])
    assert qvhighlights.moments(rows, TRUTH) == {
        name: OFFICIAL["qvhighlights"][name] for name in qvhighlights.LENGTHS
    }


@given(st.integers(0, 12))
@settings(max_examples=13, deadline=None)
def test_what_is_said_twice_after_all_else_changes_no_precision(place: int) -> None:
    """Behind ten windows nothing counts; behind fewer, with the lowest score, it finds nothing."""

    def doubled(windows: Any) -> Any:
        low = min(window[2] for window in windows) - 1
        return [*windows, [*windows[min(place, len(windows) - 1)][:2], low]]

    best = [{**row, WINDOWS: [[*w, 1.0] for w in row["relevant_windows"]]} for row in TRUTH]
    rows = [{**row, WINDOWS: doubled(row[WINDOWS])} for row in best]
    figures = [qvhighlights.evaluate(each, TRUTH)["full"] for each in (best, rows)]
    assert figures[0]["MR-mAP"] == figures[1]["MR-mAP"]
    assert figures[0]["MR-R1"] == figures[1]["MR-R1"]


def test_a_doubled_row_of_windows_of_equal_score_is_the_same_wherever_it_stands() -> None:
    rows = changed(lambda windows: [[10, 20, 0.5], [10, 20, 0.5], *windows])
    again = changed(lambda windows: [*([[10, 20, 0.5]] * 2)[::-1], *windows])
    assert qvhighlights.evaluate(rows, TRUTH) == qvhighlights.evaluate(again, TRUTH)


def test_silence_is_rewarded_and_strictly_it_is_not() -> None:
    half = [{**row, WINDOWS: row[WINDOWS] if row["qid"] % 2 else []} for row in SUBMISSION]
    found = score("qvhighlights", half, TRUTH)
    name = "MR-full-mAP"
    assert found["coverage"] == 50.0
    official = found["official"]["brief"][name]
    assert found["strict"]["brief"][name] == pytest.approx(official / 2, abs=0.2)
    assert found["strict"]["qvm2"]["brief"]["MR-full-mR1"] < found["qvm2"]["brief"]["MR-full-mR1"]
    assert set(found) == {"official", "qvm2", "strict", "coverage"}


def test_strictly_a_second_window_that_is_asked_for_and_not_given_is_missed() -> None:
    best = [{**row, WINDOWS: [[*row["relevant_windows"][0], 1.0]]} for row in TRUTH]
    found = score("qvm2", best, TRUTH)
    assert found["official"]["brief"]["MR-full-mR2"] == 0.0, "of no query"
    assert found["strict"]["brief"]["MR-full-mR2"] == 50.0
    assert found["strict"]["brief"]["MR-full-mIoU@2"] == 50.0


def test_where_the_official_script_stops_there_is_an_answer() -> None:
    """Nothing answered at all; no moment of a length; no saliency; no windows."""
    silent = changed(lambda _: [])
    found = score("qvhighlights", silent, TRUTH)
    assert math.isnan(found["official"]["brief"]["MR-full-mAP"])
    assert math.isnan(found["qvm2"]["brief"]["MR-full-mAP"])
    assert found["strict"]["brief"]["MR-full-mAP"] == found["coverage"] == 0.0
    short = [{**row, "relevant_windows": [[0, 4]]} for row in TRUTH]
    told = qvhighlights.evaluate(SUBMISSION, short)
    assert math.isnan(told["long"]["MR-R1"]["0.5"])
    assert math.isnan(qvm2.evaluate(SUBMISSION, short)["brief"]["MR-full-mAP@2_tgt"])
    assert qvm2.evaluate(SUBMISSION, short)["long"]["MR-R1"]["0.525"] == 0.0
    mute = [{**row, SALIENCY: []} for row in SUBMISSION]
    assert qvhighlights.evaluate(mute, TRUTH)["brief"]["HL-min-Fair-Hit1"] == 0.0
    bare = [{name: row[name] for name in ("qid", SALIENCY)} for row in SUBMISSION]
    found = score("qvhighlights", bare, TRUTH)
    assert (found["qvm2"], found["coverage"]) == ({"brief": {}}, 100.0)
    assert found["official"] == {
        name: {k: v for k, v in part.items() if k.startswith("HL")}
        for name, part in OFFICIAL["qvhighlights"].items()
        if name == "brief" or name.startswith("HL")
    }


def test_of_truths_that_are_equally_near_the_last_is_taken_or_the_first() -> None:
    """By detection's average precision the last, by QV-M²'s recall the first."""
    rows = [{"qid": 0, WINDOWS: [[0, 20, 0.9], [10, 20, 0.8]]}]
    truth = [{"qid": 0, "relevant_windows": [[0, 10], [10, 20]]}]
    found = qvm2.evaluate(rows, truth)["full"]
    assert qvhighlights.evaluate(rows, truth)["full"]["MR-mAP"]["0.5"] == 50.0
    assert found["MR-R2"]["0.50"] == 100.0


@pytest.mark.parametrize(
    ("predicted", "true", "at", "first", "precise"),
    [([4.4, 5.9], [2.9, 5.9], "0.5", 0.0, 100.0), ([2.0, 4.1], [1.1, 4.1], "0.7", 100.0, 0.0)],
)
def test_a_threshold_is_reached_to_the_last_bit(
    predicted: list[float], true: list[float], at: str, first: float, precise: float
) -> None:
    """R1 divides by the hull of two windows, precision by what is left of their lengths."""
    rows, truth = [{"qid": 0, WINDOWS: [[*predicted, 1]]}], [{"qid": 0, "relevant_windows": [true]}]
    found = qvhighlights.evaluate(rows, truth)["full"]
    assert (found["MR-R1"][at], found["MR-mAP"][at]) == (first, precise)


def test_a_window_written_backwards_finds_what_it_should_not_as_in_the_official_script() -> None:
    """Divided by the nothing that both have together an IoU is no number: below no threshold."""
    backwards = [{"qid": 0, WINDOWS: [[10, 0, 1.0]]}]
    truth = [{"qid": 0, "relevant_windows": [[0, 10]]}]
    brief = qvhighlights.evaluate(backwards, truth)["brief"]
    assert (brief["MR-full-mAP"], brief["MR-full-R1@0.5"]) == (100.0, 0.0)
    assert qvm2.evaluate(backwards, truth)["brief"]["MR-full-mR1"] == 0.0
