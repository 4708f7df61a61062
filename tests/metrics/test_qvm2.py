"""QV-M²'s figures on queries so small that they can be worked out by hand."""

from __future__ import annotations

import math

import pytest

from vmr_agent.metrics.qvm2 import evaluate

Windows = list[list[float]]


def brief(truths: list[Windows], predictions: list[Windows]) -> dict[str, float]:
    submission = [{"qid": n, "pred_relevant_windows": each} for n, each in enumerate(predictions)]
    truth = [{"qid": n, "relevant_windows": each} for n, each in enumerate(truths)]
    found = evaluate(submission, truth)["brief"]
    return {name.removeprefix("MR-full-"): value for name, value in found.items()}


def moments(count: int) -> Windows:
    return [[20.0 * n, 20.0 * n + 10] for n in range(count)]


def found(count: int) -> Windows:
    return [[*window, 1.0 - n / 100] for n, window in enumerate(moments(count))]


def test_what_is_found_exactly_counts_whole() -> None:
    counts = (1, 2, 3, 3)
    assert set(brief([moments(n) for n in counts], [found(n) for n in counts]).values()) == {100.0}


def test_the_general_figure_weighs_queries_and_the_one_of_many_weighs_counts() -> None:
    """Two queries with three moments, one with four, which alone is found."""
    truths = [moments(3), moments(3), moments(4), moments(1), moments(2)]
    told = brief(truths, [[[150, 152, 1.0]]] * 2 + [found(4), found(1), found(2)])
    assert told["mAP"] == 60.0
    assert (told["mAP@1_tgt"], told["mAP@2_tgt"], told["mAP@3+tgt"]) == (100.0, 100.0, 50.0)


def test_a_cap_of_ten_leaves_the_eleventh_moment() -> None:
    told = brief([moments(12), moments(1), moments(2)], [found(12), found(1), found(2)])
    assert told["mAP@3+tgt"] == pytest.approx(100 * 10 / 12, abs=0.01)


def test_recall_is_of_those_asked_for() -> None:
    """The first two of three: all of two, and nobody is asked for three."""
    told = brief([moments(3)], [found(2)])
    assert (told["mR1"], told["mR2"], told["mR3"]) == (100.0, 100.0, 0.0)


def test_recall_goes_by_the_order_of_the_file() -> None:
    first_last = [[100.0, 110.0, 0.1], *found(2)]
    told = brief([moments(2)], [first_last])
    assert (told["mR1"], told["mR2"]) == (0.0, 50.0)


def test_recall_is_a_mean_over_fourteen_thresholds() -> None:
    """IoU .5: at .30, .35, .40, .45 and .50 of fourteen."""
    told = brief([[[0, 20]]], [[[0, 10, 1.0]]])
    assert told["mR1"] == pytest.approx(100 * 5 / 14, abs=0.01)
    assert told["mIoU@1"] == 50.0


def test_overlap_is_forced_upon_moments_not_yet_taken() -> None:
    """Both windows lie on the first moment; the second has to do with the other one."""
    told = brief([moments(2)], [[[0, 10, 1.0], [0, 10, 0.9]]])
    assert told["mIoU@2"] == 50.0
    assert told["mR2"] == 50.0


def test_without_queries_of_a_kind_there_is_nothing_to_tell() -> None:
    """Where the official script says 0 so do we; where it stops there is no figure."""
    told = brief([moments(1)], [found(1)])
    assert (told["mAP@3+tgt"], told["mIoU@3"], told["mR3"]) == (0.0,) * 3
    assert math.isnan(told["mAP@2_tgt"])
