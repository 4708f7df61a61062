"""Ends move a little, to where something ends; lengths and places are always legal."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vmr_agent.grounding.adjust import adjusted, refined

TIMES = st.floats(-100, 500)
LENGTHS = st.floats(0.1, 300)


def windows(*rows: tuple[float, float]) -> np.ndarray:
    return np.array(rows, np.float64)


@given(TIMES, LENGTHS, LENGTHS, LENGTHS, st.floats(0, 50), LENGTHS)
def test_what_is_adjusted_is_legal(
    start: float, length: float, one: float, other: float, low: float, room: float
) -> None:
    shortest, longest = sorted((one, other))
    bounds = np.array([low, low + room])
    ((begin, end),) = adjusted(windows((start, start + length)), shortest, longest, bounds)
    assert low <= begin < end <= low + room
    assert end - begin <= longest + 1e-9
    assert end - begin >= min(shortest, room) - 1e-9


@given(st.floats(0, 500), LENGTHS, st.floats(0, 50), st.floats(0, 50), st.data())
def test_what_is_legal_is_not_touched(
    start: float, length: float, before: float, behind: float, data: st.DataObject
) -> None:
    window = windows((start, start + length))
    span = float(window[0, 1] - window[0, 0])
    limits = data.draw(st.floats(0.01, span)), data.draw(st.floats(span, 1000))
    bounds = np.array([start - before, start + length + behind])
    np.testing.assert_array_equal(adjusted(window, *limits, bounds), window)


def test_a_length_is_changed_about_the_middle_and_then_pushed_inside() -> None:
    film = np.array([0.0, 100.0])
    grown, cut, pushed, over = adjusted(
        windows((40, 41), (10, 90), (0, 1), (95, 130)), 10, 60, film
    )
    assert grown.tolist() == [35.5, 45.5]
    assert cut.tolist() == [20, 80]
    assert pushed.tolist() == [0, 10]
    assert over.tolist() == [90, 100]


def test_each_window_may_have_bounds_of_its_own() -> None:
    bounds = windows((0, 10), (30, 40))
    found = adjusted(windows((5, 15), (25, 35)), 1, 100, bounds)
    assert found.tolist() == [[5, 10], [30, 35]]


CURVE = np.array([0, 0, 0, 0, 0, 9, 9, 9, 9, 9, 9, 0, 0, 0], np.float32)  # 2.5 to 5.5 s


def test_ends_move_to_where_the_curve_is_steepest() -> None:
    found = refined(windows((3, 5), (2, 6)), CURVE, 0.5, (), within=0.5)
    assert found.tolist() == [[2.5, 5.5], [2.5, 5.5]]


def test_a_start_is_where_it_rises_and_no_end() -> None:
    (window,) = refined(windows((5.5, 6.5)), CURVE, 0.5, (), within=0.5)
    assert window.tolist() == [5.5, 6.5]


def test_a_cut_that_is_near_counts_more() -> None:
    (window,) = refined(windows((3, 5)), CURVE, 0.5, (0, 3.3, 4.9, 9), within=0.5)
    assert window.tolist() == [3.3, 4.9]


def test_where_nothing_changes_ends_stay() -> None:
    flat = np.full(14, 4, np.float32)
    slope = 0.5 * np.arange(14, dtype=np.float32)
    for curve in (flat, slope):
        assert refined(windows((3, 5)), curve, 0.5, (0, 9), within=0.5).tolist() == [[3, 5]]


def test_a_window_that_would_vanish_stays() -> None:
    assert refined(windows((3, 4)), CURVE, 0.5, (3.5,), within=0.5).tolist() == [[3, 4]]


@given(
    st.lists(st.floats(0, 18), min_size=1, max_size=30),
    st.lists(st.floats(0, 10), max_size=5).map(sorted),
    st.integers(0, 8),
    st.integers(1, 6),
)
def test_no_end_moves_further_than_it_may(
    values: list[float], cuts: list[float], start: int, length: int
) -> None:
    window = windows((start, start + length))
    found = refined(window, np.array(values, np.float32), 0.5, cuts, within=0.5)
    assert np.abs(found - window).max() <= 0.5 + 1e-5
    assert (found[:, 0] < found[:, 1]).all()
