"""Absent queries on examples so small that they can be worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmr_agent.metrics.rejection import auroc, evaluate, existence

WINDOWS = "pred_relevant_windows"


def told(answers: list[tuple[float, list[list[float]]]], truths: list[list[list[float]]]) -> Any:
    rows = [{"qid": n, "pred_exist_score": s, WINDOWS: w} for n, (s, w) in enumerate(answers)]
    return evaluate(rows, [{"qid": n, "relevant_windows": w} for n, w in enumerate(truths)])


def test_a_right_no_is_worth_as_much_as_a_right_window() -> None:
    found = told([(0.9, [[0, 10, 0.9]]), (0.1, [[0, 10, 0.9]])], [[[0, 10]], []])
    assert set(found.values()) - {0.0} == {100.0}
    assert (found["mR+@5"], found["mIoU+@5"]) == (0.0, 0.0), "of no query with several moments"


def test_a_window_of_an_absent_query_is_wrong_altogether() -> None:
    found = told([(0.9, [[0, 10, 0.9]]), (0.5, [[0, 10, 0.9]])], [[[0, 10]], []])
    assert (found["G-mIoU@1"], found["Acc@0.4"], found["Rej-F1@0.4"]) == (50.0, 50.0, 0.0)
    assert (found["Acc@0.6"], found["Rej-F1@0.6"], found["AUROC"]) == (100.0, 100.0, 100.0)


def test_a_threshold_has_to_be_exceeded() -> None:
    found = told([(0.4, [[0, 10, 1.0]]), (0.4, [])], [[[0, 10]], []])
    assert (found["Acc@0.4"], found["AUROC"], found["G-mIoU@1"]) == (50.0, 50.0, 50.0)


def test_windows_too_many_cost() -> None:
    found = told([(1.0, [[0, 10, 0.9], [20, 30, 0.7], [50, 60, 0.8]])], [[[0, 10], [20, 30]]])
    assert (found["G-mIoU@1"], found["G-mIoU@3"]) == (50.0, 66.67)
    assert (found["mR@1"], found["mR@3"], found["mR+@1"], found["mR+@3"]) == (
        50.0,
        100.0,
        0.0,
        100.0,
    )


def test_a_wrong_window_takes_a_moment_away_from_a_right_one_as_in_the_toolkit() -> None:
    """It takes any that is left, though they do not overlap at all."""
    found = told([(1.0, [[0, 10, 0.9], [50, 60, 0.8], [20, 30, 0.7]])], [[[0, 10], [20, 30]]])
    assert found["G-mIoU@3"] == 33.33


def test_what_is_not_answered_counts_as_missed() -> None:
    found = told([(1.0, [[0, 10, 1.0]]), (1.0, [])], [[[0, 10]], [[0, 10]]])
    assert (found["mAP"], found["mR@1"], found["mIoU@1"], found["G-mIoU@1"]) == (50.0,) * 4


def test_existence_is_told_by_windows_where_nothing_else_tells_it() -> None:
    assert existence({WINDOWS: [[0, 1, 0.2], [3, 4, 0.7]]}) == 0.7
    assert existence({WINDOWS: [[0, 1]]}) == existence({WINDOWS: []}) == 0.0
    assert existence({"pred_exist_score": 0.3, WINDOWS: [[0, 1, 0.9]]}) == 0.3


def test_without_anything_present_there_is_nothing_to_find() -> None:
    with pytest.raises(ValueError, match="nothing to find"):
        told([(0.1, [])], [[]])


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.9]), st.booleans()), min_size=2))
def test_auroc_is_the_share_of_pairs_in_the_right_order(pairs: list[tuple[float, bool]]) -> None:
    scores, present = (np.array(column) for column in zip(*pairs, strict=True))
    won = [(high > low) + (high == low) / 2 for high in scores[present] for low in scores[~present]]
    assert auroc(scores, present) == pytest.approx(np.mean(won) if won else 0.5)
