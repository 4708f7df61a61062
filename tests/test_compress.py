"""Little is stored, and what is stored stands for exactly what it stood for."""

from __future__ import annotations

from itertools import pairwise
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vmr_agent import compress as rooms
from vmr_agent.compress import compress, groups, principal

HALF = 1e-3  # what half precision leaves of a unit vector's parts, with room
theta_of = st.floats(0.5, 0.995)


@st.composite
def footage(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times, vectors and cuts: scenes that last a while, with a little movement in them."""
    lengths = draw(st.lists(st.integers(1, 12), min_size=1, max_size=6))
    size = draw(st.integers(3, 16))
    chance = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scenes = np.repeat(chance.normal(size=(len(lengths), size)), lengths, axis=0)
    moved = unit(scenes + draw(st.floats(0.01, 0.5)) * chance.normal(size=scenes.shape))
    times = np.cumsum(chance.uniform(0.1, 1, size=len(moved)))
    cuts = draw(st.lists(st.floats(0, float(times[-1]) + 1), max_size=5))
    return times, moved, np.sort(np.array(cuts))


def unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), np.float32)


def turned(degrees: float) -> list[float]:
    return [np.cos(np.radians(degrees)), np.sin(np.radians(degrees)), 0]


@given(footage(), theta_of)
def test_spans_tile_the_film_and_begin_where_samples_do(made, theta: float) -> None:
    times, vectors, cuts = made
    kept = compress(times, vectors, cuts, theta, end=99.0)
    assert len(kept.starts) == len(kept.ends) == len(kept.vectors)
    assert kept.starts[0] == times[0]
    assert kept.ends[-1] == 99
    assert np.array_equal(kept.starts[1:], kept.ends[:-1])
    assert (np.diff(kept.starts) > 0).all()
    assert np.isin(kept.starts, times).all()


@given(footage(), theta_of)
def test_rows_are_unit_and_half(made, theta: float) -> None:
    vectors = compress(*made, theta).vectors
    assert vectors.dtype == np.float16
    assert np.linalg.norm(vectors.astype(np.float32), axis=1) == pytest.approx(1, abs=HALF)


@given(footage(), theta_of)
def test_no_group_goes_across_a_cut(made, theta: float) -> None:
    times, vectors, cuts = made
    kept = compress(times, vectors, cuts, theta)
    for cut in cuts[cuts <= times[-1]]:
        assert times[times >= cut][0] in kept.starts


@given(footage(), theta_of)
def test_a_group_is_what_looks_like_its_first_and_no_shorter(made, theta: float) -> None:
    times, vectors, cuts = made
    shots = np.searchsorted(cuts, times, side="right")
    first = groups(vectors, shots, theta)
    cosines = np.sum(
        vectors * vectors[first[np.searchsorted(first, range(len(times)), "right") - 1]], 1
    )
    joined = np.setdiff1d(np.arange(len(times)), first)
    assert (cosines[joined] > theta - 1e-6).all()
    for before, here in pairwise(first):
        assert shots[before] != shots[here] or vectors[before] @ vectors[here] <= theta + 1e-6


@given(footage(), theta_of, st.floats(0.5, 0.99))
def test_a_group_is_its_truncated_svd(made, theta: float, energy: float) -> None:
    times, vectors, cuts = made
    kept = compress(times, vectors, cuts, theta, energy)
    for start, end, vector in zip(*kept, strict=True):
        rows = vectors[(times >= start) & (times < end)].astype(np.float64)
        _, s, v = np.linalg.svd(rows, full_matrices=False)
        shares = np.cumsum(s**2) / np.sum(s**2)
        lean = v @ rows.mean(axis=0)
        k = int(np.argmax(shares >= energy)) + 1
        rounding = np.abs(shares - energy).min() < 1e-5 or np.abs(lean[:k]).min() < 1e-4
        if not rounding and np.diff(s[: k + 1]).max(initial=-1) < -1e-2:
            expected = (np.sign(lean[:k]) * s[:k]) @ v[:k]
            assert vector == pytest.approx(expected / np.linalg.norm(expected), abs=5 * HALF)


@given(footage(), st.floats(0.5, 0.99), st.integers(0, 255))
def test_the_signs_that_an_svd_leaves_open_change_nothing(made, energy: float, seed: int) -> None:
    _, rows, _ = made
    true = np.linalg.eigh

    def flipped(gram):
        squares, basis = true(gram)
        return squares, basis * np.random.default_rng(seed).choice([-1, 1], len(squares))

    with pytest.MonkeyPatch.context() as patch:
        plain = principal(rows, energy)
        patch.setattr(rooms.np.linalg, "eigh", flipped)
        assert principal(rows, energy) == pytest.approx(plain, abs=1e-5)


@given(footage(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing_but_at_right_angles(made, chance) -> None:
    _, rows, _ = made
    order = list(range(len(rows)))
    chance.shuffle(order)
    # One direction alone: where several have equal energy, which is first is anyone's guess.
    energy = 1e-6
    _, sizes, turned = np.linalg.svd(rows)
    alone = len(sizes) == 1 or sizes[0] ** 2 - sizes[1] ** 2 > 0.1
    if alone and abs(sizes[0] * turned[0] @ rows.mean(axis=0)) > 1e-4:
        assert principal(rows[order], energy) == pytest.approx(principal(rows, energy), abs=1e-4)


@given(footage(), theta_of)
def test_the_other_way_round_is_the_other_way_round(made, theta: float) -> None:
    times, vectors, cuts = made
    there, back = compress(times, vectors, cuts, theta), compress(times, -vectors, cuts, theta)
    assert np.array_equal(there.starts, back.starts)
    assert there.vectors == pytest.approx(-back.vectors, abs=HALF)


@given(footage())
def test_at_one_everything_is_kept_as_it_is(made) -> None:
    times, vectors, cuts = made
    kept = compress(times, np.repeat(vectors[:1], len(times), axis=0), cuts, 1.0)
    assert len(kept.starts) == len(times)
    kept = compress(times, vectors, cuts, 1.0)
    assert np.array_equal(kept.starts, times)
    assert np.array_equal(kept.vectors, vectors.astype(np.float16))


@given(
    arrays(np.float32, st.integers(2, 20), elements=st.floats(-1, 1, width=16)),
    st.integers(1, 40),
    st.floats(0.5, 0.999),
)
def test_identical_frames_are_one_vector_equal_to_them(
    row: np.ndarray, count: int, theta: float
) -> None:
    row = unit(row + np.eye(len(row), dtype=np.float32)[0] * 3)
    kept = compress(np.arange(count) * 0.5, np.tile(row, (count, 1)), np.array([0.0]), theta)
    assert kept.starts.tolist() == [0.0]
    assert kept.ends.tolist() == [inf]
    assert kept.vectors[0] == pytest.approx(row, abs=HALF)


@given(footage(), theta_of)
def test_the_same_again_is_the_same_to_the_byte(made, theta: float) -> None:
    once, again = compress(*made, theta), compress(*made, theta)
    assert [part.tobytes() for part in once] == [part.tobytes() for part in again]


def test_more_rows_than_columns_give_what_fewer_give() -> None:
    rows = unit(np.ones(12) + 0.8 * np.random.default_rng(0).normal(size=(40, 12)))
    padded = np.pad(rows, ((0, 0), (0, 60)))
    assert principal(padded, 0.9)[:12] == pytest.approx(principal(rows, 0.9), abs=1e-5)


def test_by_hand() -> None:
    vectors = np.array([turned(a) for a in (0, 10, 16, 20, 90, 90)], np.float32)
    times = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 2.5])
    # cos 16° is .961, cos 20° .940; 20° begins the second group and 90° the third.
    kept = compress(times, vectors, np.array([0.0]), 0.95, end=3.0)
    assert kept.starts.tolist() == [0.0, 1.5, 2.0]
    assert kept.ends.tolist() == [1.5, 2.0, 3.0]
    # The first direction of rows at 0°, 10° and 16° lies where the doubled angles' sum points:
    # tan 2a = (sin 20° + sin 32°) / (1 + cos 20° + cos 32°), so a = 8.69°.
    assert kept.vectors == pytest.approx(np.array([turned(8.69), turned(20), turned(90)]), abs=HALF)


def test_a_second_direction_counts_by_its_singular_value() -> None:
    rows = np.array([turned(0), turned(0), turned(60)], np.float32)
    # Gram eigenvalues of 0°, 0°, 60°: (3 ± √3) / 2, that is .789 and .211 of 3. Up to .78 the first
    # direction is enough; it is at 15°, as tan 2a = sin 120° / (2 + cos 120°).
    assert principal(rows, 0.78) == pytest.approx(turned(15), abs=1e-4)
    # Above, √2.366 at 15° and √.634 at a right angle to it. The mean row, at 19.1°, has a part in
    # the second direction that points to 105°, so it is added on that side: 15° + atan(.518).
    assert principal(rows, 0.80) == pytest.approx(turned(15 + 27.37), abs=1e-4)


def test_a_direction_at_right_angles_to_the_mean_is_turned_to_the_first_row() -> None:
    rows = np.array([turned(0), turned(40)], np.float32)
    assert principal(rows, 1.0) @ rows[0] > principal(rows, 1.0) @ rows[1]


def test_a_sample_at_a_cut_belongs_to_what_begins_there() -> None:
    same = np.tile(np.array([turned(0)], np.float32), (4, 1))
    kept = compress(np.array([0.0, 0.5, 1.0, 1.5]), same, np.array([0.0, 1.0]), 0.9)
    assert kept.starts.tolist() == [0.0, 1.0]


def test_a_film_without_picture_keeps_nothing() -> None:
    kept = compress(np.zeros(0), np.zeros((0, 0), np.float32), np.zeros(0), 0.95)
    assert [len(part) for part in kept] == [0, 0, 0]
