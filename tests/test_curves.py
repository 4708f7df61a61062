"""Arithmetic on curves."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from shelved import span

from vmr_agent import curves
from vmr_agent.types import Shot

STEP = 0.5
unit = st.floats(0, 1, width=32)
some_curve = arrays(np.float32, st.integers(1, 60), elements=unit)


def shots(*edges: float) -> list[Shot]:
    return [Shot(span=span(a, b)) for a, b in pairwise(edges)]


def test_logistic_is_a_half_in_the_middle_and_rises() -> None:
    low, middle, high = curves.logistic(np.array([0.2, 0.4, 0.6]), 0.4, 10)
    assert middle == 0.5
    assert low == pytest.approx(1 - high)
    assert low < 0.2


@given(st.floats(0.01, 48 * 3600), st.sampled_from([0.1, 0.2, 0.25, 0.5, 1.0]))
def test_steps_cover_the_duration_and_no_more(duration: float, step: float) -> None:
    count = curves.steps(duration, step)
    assert count * step >= duration - 1e-6
    assert count == 1 or (count - 1) * step < duration


def test_rounding_makes_no_extra_step() -> None:
    assert curves.steps(0.1 * 3, 0.1) == 3
    assert curves.steps(0.0, 0.5) == 1


def test_a_sample_is_held_until_the_next_one() -> None:
    times, values = np.array([0.0, 1.0, 2.2]), np.array([1, 2, 3], np.float32)
    # The middles are 0.25, 0.75, 1.25 …
    assert curves.sample(times, values, 6, STEP).tolist() == [1, 1, 2, 2, 3, 3]


def test_a_sample_in_the_middle_of_a_step_is_that_steps() -> None:
    times, values = np.array([0.25, 0.75]), np.array([1, 2], np.float32)
    assert curves.sample(times, values, 3, STEP).tolist() == [1, 2, 2]


def test_before_the_first_sample_the_first_one_counts() -> None:
    values = curves.sample(np.array([1.0]), np.array([7], np.float32), 4, STEP)
    assert values.tolist() == [7] * 4


def test_paint_raises_what_the_span_touches_and_lowers_nothing() -> None:
    curve = np.array([0, 0.9, 0, 0, 0], np.float32)
    curves.paint(curve, span(0.6, 1.2), 0.5, STEP)
    assert curve.tolist() == pytest.approx([0, 0.9, 0.5, 0, 0])
    curves.paint(curve, span(1.5, 2.0), 0.4, STEP)
    assert curve.tolist() == pytest.approx([0, 0.9, 0.5, 0.4, 0])
    curves.paint(curve, span(2.0, 900), 0.3, STEP)
    assert curve.tolist() == pytest.approx([0, 0.9, 0.5, 0.4, 0.3])


@given(st.integers(0, 30), st.integers(1, 20), st.sampled_from([0.1, 0.2, 0.3]))
def test_paint_hits_whole_steps_exactly(first: int, length: int, step: float) -> None:
    curve = np.zeros(60, np.float32)
    curves.paint(curve, span(first * step, (first + length) * step), 1, step)
    assert np.flatnonzero(curve).tolist() == list(range(first, first + length))


def test_seconds_that_rounding_puts_a_hair_before_their_step_belong_to_it() -> None:
    curve = np.zeros(10, np.float32)
    curves.paint(curve, span(0.3, 0.7), 1, 0.1)  # 0.3 / 0.1 is a little less than 3
    assert np.flatnonzero(curve).tolist() == [3, 4, 5, 6]


@given(st.data())
def test_smoothing_never_crosses_a_cut(data: st.DataObject) -> None:
    curve = data.draw(some_curve)
    cut = data.draw(st.integers(0, len(curve)))
    radius = data.draw(st.floats(0, 10))
    # A cut always lies between two steps' middles; here, on a step's edge.
    parts = shots(*sorted({0, cut * STEP, len(curve) * STEP}))
    smooth = curves.smooth(curve, parts, radius, STEP)
    for side in (slice(0, cut), slice(cut, None)):
        if len(curve[side]):
            assert smooth[side].min() >= curve[side].min() - 1e-6
            assert smooth[side].max() <= curve[side].max() + 1e-6
    other = curve.copy()
    other[cut:] = 0
    assert np.array_equal(curves.smooth(other, parts, radius, STEP)[:cut], smooth[:cut])


@given(unit, st.integers(1, 60), st.lists(st.floats(0.1, 29), max_size=5), st.floats(0, 20))
def test_smoothing_keeps_what_is_constant(
    value: float, count: int, cuts: list[float], radius: float
) -> None:
    flat = np.full(count, value, np.float32)
    parts = shots(*sorted({0.0, *cuts, 30.0}))
    assert curves.smooth(flat, parts, radius, STEP) == pytest.approx(flat, abs=1e-6)


def test_smoothing_averages_over_the_radius() -> None:
    spike = np.array([0, 0, 1, 0, 0], np.float32)
    assert curves.smooth(spike, shots(0, 2.5), 0.5, STEP) == pytest.approx(
        [0, 1 / 3, 1 / 3, 1 / 3, 0]
    )
    assert curves.smooth(spike, shots(0, 2.5), 0.0, STEP) == pytest.approx(spike)
    assert curves.smooth(spike, [], 9.0, STEP) == pytest.approx(spike)


def test_a_step_that_straddles_a_cut_belongs_to_the_shot_with_its_middle() -> None:
    curve = np.array([1, 1, 0, 0], np.float32)
    assert curves.smooth(curve, shots(0, 0.8, 2), 5, STEP).tolist() == [1, 1, 0, 0]


@given(some_curve, st.integers(0, 5), st.data())
def test_a_region_holds_its_peak_and_only_short_dips(
    curve: np.ndarray, gap: int, data: st.DataObject
) -> None:
    peak = data.draw(st.integers(0, len(curve) - 1))
    level = data.draw(st.floats(0, float(curve[peak]), width=32))
    first, last = curves.region(curve, peak, level, gap)
    assert 0 <= first <= peak < last <= len(curve)
    inside = curve[first:last] >= level
    assert inside[0]
    assert inside[-1]
    assert "0" * (gap + 1) not in "".join(str(int(high)) for high in inside)
    # And it stops nowhere short: what follows on both sides is a longer dip, or the end.
    assert not (curve[max(0, first - gap - 1) : first] >= level).any()
    assert not (curve[last : last + gap + 1] >= level).any()


def test_regions_by_hand() -> None:
    curve = np.array([0, 1, 1, 0, 1, 0, 0, 1], np.float32)
    assert curves.region(curve, 1, 0.5, 0) == (1, 3)
    assert curves.region(curve, 1, 0.5, 1) == (1, 5)
    assert curves.region(curve, 4, 0.5, 1) == (1, 5)
    assert curves.region(curve, 7, 0.5, 1) == (7, 8)
    assert curves.region(curve, 7, 0.5, 2) == (1, 8)


def test_background_is_what_is_usual() -> None:
    assert curves.background(np.array([0.1, 0.1, 0.1, 0.9], np.float32)) == pytest.approx(0.1)


def test_ends_snap_to_near_cuts_and_stay_otherwise() -> None:
    cuts = np.array([0.0, 10.0, 20.0])
    assert curves.snap(span(9.2, 19.5), cuts, 1.0) == span(10, 20)
    assert curves.snap(span(8.9, 21.1), cuts, 1.0) == span(8.9, 21.1)
    assert curves.snap(span(4, 5), np.array([]), 1.0) == span(4, 5)


def test_a_span_does_not_snap_to_nothing() -> None:
    assert curves.snap(span(9.6, 10.3), np.array([10.0]), 1.0) == span(9.6, 10.3)


@given(st.floats(0, 50), st.floats(0.1, 50), st.lists(st.floats(0, 100), max_size=6))
def test_snapping_moves_no_end_further_than_allowed(
    start: float, length: float, cuts: list[float]
) -> None:
    before = span(start, start + length)
    after = curves.snap(before, np.array(sorted(cuts)), 1.0)
    assert abs(after.start - before.start) <= 1.0 + 1e-9
    assert abs(after.end - before.end) <= 1.0 + 1e-9
