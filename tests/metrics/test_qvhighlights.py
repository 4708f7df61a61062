"""QVHighlights' figures on queries so small that they can be worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from vmr_agent.metrics.qvhighlights import evaluate

Windows = list[list[float]]


def told(truth: Windows, predicted: Windows) -> dict[str, Any]:
    """The figures of one query."""
    return evaluate(*rows([truth], [predicted]))


def rows(truths: list[Windows], predictions: list[Windows]) -> tuple[Any, Any]:
    submission = [{"qid": n, "pred_relevant_windows": each} for n, each in enumerate(predictions)]
    return submission, [{"qid": n, "relevant_windows": each} for n, each in enumerate(truths)]


def mean_precision(truth: Windows, predicted: Windows) -> float:
    return float(told(truth, predicted)["brief"]["MR-full-mAP"])


def test_what_is_found_exactly_counts_whole() -> None:
    brief = told([[0, 10], [20, 40]], [[20, 40, 0.9], [0, 10, 0.8]])["brief"]
    names = ("R1@0.5", "R1@0.7", "mAP", "mAP@0.5", "mAP@0.75")
    assert [brief[f"MR-full-{name}"] for name in names] == [100.0] * 5


def test_a_wrong_one_ahead_halves_the_precision() -> None:
    assert mean_precision([[0, 10]], [[50, 60, 0.9], [0, 10, 0.8]]) == 50.0


def test_precision_is_interpolated() -> None:
    """Right, wrong, right: 1 up to half the recall, two thirds up to all of it."""
    predicted = [[0, 10, 0.9], [50, 60, 0.8], [20, 30, 0.7]]
    assert mean_precision([[0, 10], [20, 30]], predicted) == 83.33
    """Wrong, right, right: the later precision, two thirds, holds for the earlier recall too."""
    late = [[50, 60, 0.9], [0, 10, 0.8], [20, 30, 0.7]]
    assert mean_precision([[0, 10], [20, 30]], late) == 66.67


def test_an_overlap_counts_at_the_thresholds_that_it_reaches() -> None:
    """Two thirds: at .50, .55, .60 and .65 of ten."""
    found = told([[0, 15]], [[0, 10, 1.0]])
    assert found["brief"]["MR-full-mAP"] == 40.0
    assert found["full"]["MR-mAP"]["0.65"] == 100.0
    assert found["full"]["MR-mAP"]["0.7"] == 0.0
    assert (found["brief"]["MR-full-R1@0.5"], found["brief"]["MR-full-R1@0.7"]) == (100.0, 0.0)


def test_a_threshold_is_reached_by_its_own_value() -> None:
    assert told([[0, 20]], [[0, 10, 1.0]])["full"]["MR-mAP"]["0.5"] == 100.0


def test_precision_goes_by_score_and_recall_by_the_file() -> None:
    brief = told([[0, 10]], [[50, 60, 0.1], [0, 10, 0.9]])["brief"]
    assert (brief["MR-full-mAP"], brief["MR-full-R1@0.5"]) == (100.0, 0.0)


def test_equal_scores_stay_in_the_order_of_the_file() -> None:
    assert mean_precision([[0, 10]], [[50, 60, 0.5], [0, 10, 0.5]]) == 50.0


def test_a_moment_is_found_once() -> None:
    """The second window on the same moment is a wrong one."""
    predicted = [[0, 10, 0.9], [0, 10, 0.8], [20, 30, 0.7]]
    assert mean_precision([[0, 10], [20, 30]], predicted) == 83.33


def test_ten_windows_count() -> None:
    wrong = [[50.0, 60.0, 1 - n / 100] for n in range(10)]
    assert mean_precision([[0, 10]], [*wrong[:9], [0, 10, 0.5]]) == 10.0
    assert mean_precision([[0, 10]], [*wrong, [0, 10, 0.5]]) == 0.0
    assert mean_precision([[0, 10]], [*wrong, [0, 10, 2.0]]) == 0.0, "the first ten of the file"


def test_moments_are_told_apart_by_length() -> None:
    brief = told([[0, 10], [20, 50], [60, 91]], [[0, 10, 0.9], [60, 91, 0.8]])["brief"]
    figures = [brief[f"MR-{name}-mAP"] for name in ("short", "middle", "long")]
    assert figures == [100.0, 0.0, 50.0]


def test_who_says_nothing_drops_out_of_the_precision_but_not_of_the_recall() -> None:
    scored = evaluate(*rows([[[0, 10]], [[0, 10]]], [[[0, 10, 1.0]], []]))["brief"]
    assert (scored["MR-full-mAP"], scored["MR-full-R1@0.5"]) == (100.0, 50.0)


@pytest.mark.parametrize("shift", [0.0, 0.5, 30.0])
def test_a_half_second_costs_what_it_costs(shift: float) -> None:
    """10 s shifted by s overlap by (10 - s) / (10 + s)."""
    iou = max(0.0, (10 - shift) / (10 + shift))
    reached = sum(round(0.5 + 0.05 * n, 2) <= iou for n in range(10))
    assert mean_precision([[0, 10]], [[shift, 10 + shift, 1.0]]) == 10.0 * reached


def test_without_moments_of_a_length_there_is_no_figure() -> None:
    brief = told([[0, 10]], [[0, 10, 1.0]])["brief"]
    assert brief["MR-short-mAP"] == 100.0
    assert math.isnan(brief["MR-long-mAP"])


# ── highlights ────────────────────────────────────────────────────────────────────────────────


def highlights(ratings: dict[int, list[int]], saliency: list[float]) -> dict[str, float]:
    """Of a film of four clips."""
    truth = {
        "qid": 0,
        "duration": 8,
        "relevant_windows": [[0, 4]],
        "relevant_clip_ids": list(ratings),
        "saliency_scores": list(ratings.values()),
    }
    row = {"qid": 0, "pred_relevant_windows": [[0, 4, 1]], "pred_saliency_scores": saliency}
    brief = evaluate([row], [truth])["brief"]
    return {name.removeprefix("HL-min-"): brief[name] for name in brief if name.startswith("HL")}


def test_highlights_are_scored_for_every_annotator() -> None:
    """One holds clip 0 for very good, one clip 1, one both; clip 0 is ranked first, 1 last."""
    found = highlights({0: [4, 0, 4], 1: [0, 4, 4]}, [0.9, 0.1, 0.5, 0.3])
    assert found["VeryGood-mAP"] == pytest.approx(100 * (1 + 1 / 4 + (1 + 2 / 4) / 2) / 3, abs=0.01)
    assert found["VeryGood-Hit1"] == 100.0, "one annotator is enough"


def test_a_rating_counts_from_its_level_on() -> None:
    found = highlights({0: [2, 2, 2], 1: [3, 3, 3]}, [0.9, 0.1, 0.5, 0.3])
    assert (found["Fair-Hit1"], found["Good-Hit1"], found["VeryGood-Hit1"]) == (100.0, 0.0, 0.0)
    assert found["Fair-mAP"] == 75.0
    assert found["Good-mAP"] == 25.0
    assert found["VeryGood-mAP"] == 0.0


def test_equal_saliency_is_found_together() -> None:
    """Two clips share the first place, and one of them is right."""
    assert highlights({1: [4, 4, 4]}, [0.5, 0.5, 0.1, 0.1])["VeryGood-mAP"] == 50.0


def test_without_saliency_there_are_no_highlights() -> None:
    assert not any(name.startswith("HL") for name in told([[0, 10]], [[0, 10, 1.0]])["brief"])
