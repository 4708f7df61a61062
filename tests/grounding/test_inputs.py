"""Questions side by side: padding counts for nothing."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vmr_agent.grounding.inputs import Question, cells, collate, iou, normalised

FINITE = st.floats(-1e3, 1e3, width=32)


def test_every_window_of_a_film_is_there_once() -> None:
    starts, ends = cells(4)
    assert set(zip(starts, ends, strict=True)) == {
        (start, end) for start in range(4) for end in range(start + 1, 5)
    }
    assert len(starts) == 10


def test_windows_may_have_a_longest() -> None:
    starts, ends = cells(10, longest=3)
    assert (ends - starts).max() == 3
    assert len(starts) == 10 + 9 + 8


@given(arrays(np.float32, st.tuples(st.integers(1, 30), st.integers(1, 3)), elements=FINITE))
def test_channels_do_not_depend_on_the_scale_of_a_curve(curves: np.ndarray) -> None:
    ranks = normalised(curves)[:, curves.shape[1] :]
    assert np.isfinite(normalised(curves)).all()
    assert ranks.min() >= 0
    assert ranks.max() <= 1
    np.testing.assert_array_equal(normalised(4 * curves)[:, curves.shape[1] :], ranks)


def test_what_is_the_same_has_the_same_rank() -> None:
    curve = np.array([[0], [0], [7], [0], [2]], np.float32)
    np.testing.assert_allclose(normalised(curve)[:, 1], [0.25, 0.25, 1, 0.25, 0.75])
    np.testing.assert_allclose(normalised(np.full((4, 1), 3, np.float32)), [[0, 0.5]] * 4)


def test_the_best_candidates_are_kept_and_empty_ones_are_none() -> None:
    windows = np.array([[0, 2, 0.9], [3, 3, 0.8], [1, 4, 0.1], [0, 1, 0.05]], np.float32)
    curve = np.arange(5, dtype=np.float32)[:, None]
    batch = collate([Question(curve, (windows,)), Question(curve[:3], (windows[:1],))], most=3)
    assert batch.given.tolist() == [[[True, False, True]], [[True, False, False]]]
    assert batch.valid.sum(axis=1).tolist() == [5, 3]
    assert not batch.channels[1, 3:].any()


@given(st.integers(0, 9), st.integers(1, 9), st.integers(0, 9), st.integers(1, 9))
def test_iou_is_symmetric_and_a_share(a: int, b: int, c: int, d: int) -> None:
    one = iou(np.array(a), np.array(a + b), np.array(c), np.array(c + d))
    other = iou(np.array(c), np.array(c + d), np.array(a), np.array(a + b))
    assert one == other
    assert 0 <= one <= 1
    assert (one == 1) == ((a, b) == (c, d))
