"""Which prediction gets which moment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vmr_agent.metrics.matching import APART, Answers, matched, tiou

AT = np.array([0.3, 0.5, 0.7])
edges = st.tuples(st.integers(0, 60), st.integers(1, 40)).map(lambda p: [p[0], p[0] + p[1]])


def seconds(window: list[int]) -> set[int]:
    return set(range(*window))


@given(edges, edges)
def test_overlap_is_shared_by_whole_seconds(one: list[int], other: list[int]) -> None:
    told = float(tiou(np.array(one, float), np.array(other, float)))
    shared, whole = seconds(one) & seconds(other), seconds(one) | seconds(other)
    assert told == pytest.approx(len(shared) / len(whole))


def test_empty_windows_do_not_overlap() -> None:
    assert tiou(np.array([3.0, 3.0]), np.array([3.0, 3.0])) == 0.0


@given(arrays(np.float64, (2, 5, 4), elements=st.sampled_from([APART, 0.0, 0.4, 0.6, 0.8])))
def test_nobody_shares_a_moment(iou: np.ndarray) -> None:
    hits = matched(iou, AT)
    assert hits.shape == (2, 3, 5)
    assert (hits.sum(axis=-1) <= (iou >= AT[0]).any(axis=1).sum(axis=-1)[:, None]).all()
    for row, threshold in np.ndindex(2, 3):
        taken: set[int] = set()
        for place, near in enumerate(iou[row]):
            free = [n for n, value in enumerate(near) if value >= AT[threshold] and n not in taken]
            assert hits[row, threshold, place] == bool(free)
            if free:
                best = max(near[n] for n in free)
                taken.add(next(n for n in free if near[n] == best))


def test_padding_matches_nothing() -> None:
    answers = Answers.of([[[0, 10, 1.0]], []], [[[0, 10], [20, 30]], [[0, 10]]], None)
    assert answers.iou.shape == (2, 1, 2)
    assert answers.iou[1].tolist() == [[APART, APART]]
    assert matched(answers.iou, AT).sum() == len(AT)
    assert (answers.predicted.tolist(), answers.true.tolist()) == ([1, 0], [2, 1])
