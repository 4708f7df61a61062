"""Every shot has its key frames, and few."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vmr_agent.keyframes import MOST, keyframes


@st.composite
def footage(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times, unit vectors and cuts, some of them behind the last sample or with none between."""
    count = draw(st.integers(1, 60))
    chance = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = np.cumsum(chance.normal(size=(count, 8)), axis=0)
    vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    times = np.cumsum(chance.uniform(0.1, 1, size=count))
    cuts = draw(st.lists(st.floats(0, 70), max_size=8))
    return times, vectors, np.sort(np.array(cuts))


def turned(*degrees: float) -> np.ndarray:
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


@given(footage())
def test_every_shot_with_a_sample_keeps_its_first_and_at_most_three(made) -> None:
    times, vectors, cuts = made
    keys = keyframes(times, vectors, cuts)
    assert (np.diff(keys) > 0).all()
    shots = np.searchsorted(cuts, times, side="right")
    _, first = np.unique(shots, return_index=True)
    assert np.isin(first, keys).all()
    assert np.bincount(shots[keys]).max() <= MOST


@given(footage())
def test_the_others_are_the_greatest_news_of_their_shot(made) -> None:
    times, vectors, cuts = made
    keys = keyframes(times, vectors, cuts)
    shots = np.searchsorted(cuts, times, side="right")
    for shot in np.unique(shots):
        inside = np.flatnonzero(shots == shot)
        rest, chosen = inside[1:], np.isin(inside[1:], keys)
        if not len(rest):
            continue
        novelty = 1 - np.sum(vectors[rest] * vectors[rest - 1], axis=1)
        middle = novelty.mean() + novelty.std()
        assert (novelty[chosen] > middle - 1e-6).all()
        if 0 < chosen.sum() < MOST - 1:
            assert (novelty[~chosen] <= middle + 1e-6).all()
        if chosen.any() and not chosen.all():
            assert novelty[chosen].min() >= novelty[~chosen].max() - 1e-6


@given(footage(), st.integers(0, 59))
def test_what_happens_in_one_shot_changes_no_other(made, at: int) -> None:
    times, vectors, cuts = made
    shots = np.searchsorted(cuts, times, side="right")
    here = shots[at % len(times)]
    still = np.where((shots == here)[:, None], vectors[at % len(times)], vectors)
    keys, after = keyframes(times, vectors, cuts), keyframes(times, still, cuts)
    assert np.array_equal(keys[shots[keys] != here], after[shots[after] != here])


def test_by_hand() -> None:
    # Two shots, cut at 4 s: steps of 1°, then one of 30°; and in the second one of 20°.
    vectors = turned(0, 1, 2, 32, 33, 34, 90, 91, 111, 112, 113, 114)
    times = np.arange(12) * 0.5 + 1
    assert keyframes(times, vectors, np.array([1.0, 4.0])).tolist() == [0, 3, 6, 8]


def test_of_many_changes_the_two_greatest_are_kept_in_order_of_time() -> None:
    angles = np.cumsum([0, *[0] * 20, 50, 0, 0, 40, 0, 0, 60, 0, 0])
    keys = keyframes(np.arange(30.0), turned(*angles), np.zeros(1))
    assert keys.tolist() == [0, 21, 27]


def test_where_all_changes_are_alike_none_is_news() -> None:
    assert keyframes(np.arange(4.0), turned(0, 0, 0, 0), np.zeros(1)).tolist() == [0]


def test_a_film_without_picture_has_none() -> None:
    assert len(keyframes(np.zeros(0), np.zeros((0, 0), np.float32), np.zeros(0))) == 0
