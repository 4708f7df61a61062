"""Ranking: the windows that are expected to be worth most, each beside those before it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmr_agent.grounding.decode import Posterior, Ranked, falling, posterior, rank
from vmr_agent.grounding.inputs import cells

STEPS = 20
STARTS, ENDS = cells(STEPS)


def believing(count: int, *windows: tuple[int, int, float]) -> Posterior:
    """So many moments for sure, each with its share."""
    likely = np.full(len(STARTS), 1e-9)
    for start, end, share in windows:
        likely[(start == STARTS) & (end == ENDS)] = share
    likely /= likely.sum()
    numbers = np.zeros(7, np.float32)
    numbers[count] = 1
    return Posterior(STARTS, ENDS, np.tile(likely, (3, 1)).astype(np.float32), numbers)


def ranked(believed: Posterior, most: int = 10, seed: int = 0) -> Ranked:
    return rank(believed, most, np.random.default_rng(seed))


def test_what_is_sure_comes_first() -> None:
    found = ranked(believing(1, (3, 9, 0.97), (12, 15, 0.03)))
    assert found.windows[0].tolist() == [3, 9]
    assert found.quality[0] == pytest.approx(0.97, abs=0.01)
    assert len(found.windows) == 10


def test_two_moments_take_the_first_two_places() -> None:
    found = ranked(believing(2, (1, 5, 0.5), (10, 16, 0.5)))
    assert sorted(map(tuple, found.windows[:2].tolist())) == [(1, 5), (10, 16)]
    assert found.quality[1] > 0.9


def test_with_one_moment_the_likelier_places_come_in_order() -> None:
    shares = [(0, 4, 0.5), (7, 11, 0.3), (14, 18, 0.2)]
    found = ranked(believing(1, *shares), most=3)
    assert found.windows.tolist() == [[0, 4], [7, 11], [14, 18]]
    np.testing.assert_allclose(found.quality, [0.5, 0.3, 0.2], atol=0.01)


def test_between_two_guesses_the_middle_serves_both_first() -> None:
    """Half right at every threshold below its overlap is worth more than all of one or nothing."""
    ends = [(2, end, 0.2) for end in (10, 11, 12, 13, 14)]
    assert ranked(believing(1, *ends)).windows[0].tolist() == [2, 12]


def test_an_answer_says_one_thing_of_each_moment() -> None:
    believed = believing(2, (1, 7, 0.4), (1, 8, 0.3), (2, 7, 0.2), (12, 17, 0.1))
    found = rank(believed, 10, np.random.default_rng(0), apart=True)
    assert {tuple(window) for window in found.windows[:2].tolist()} <= {(1, 7), (1, 8), (12, 17)}
    for n, (start, end) in enumerate(found.windows.tolist()):
        for other, behind in found.windows[:n].tolist():
            shared = min(end, behind) - max(start, other)
            assert shared <= 0.25 * min(end - start, behind - other)


def test_the_same_dice_give_the_same_ranking() -> None:
    believed = believing(3, (1, 3, 0.3), (6, 9, 0.3), (12, 15, 0.2), (16, 19, 0.2))
    one, other = ranked(believed), ranked(believed)
    np.testing.assert_array_equal(one.windows, other.windows)
    np.testing.assert_array_equal(one.quality, other.quality)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_windows_differ_lie_in_the_film_and_fall_in_quality(seed: int, count: int) -> None:
    dice = np.random.default_rng(seed)
    numbers = np.full(7, -5.0, np.float32)
    numbers[count] = 2
    logits = dice.normal(0, 3, (len(STARTS), 3)).astype(np.float32)
    found = ranked(posterior(STARTS, ENDS, logits, numbers), seed=seed)
    assert len({tuple(window) for window in found.windows.tolist()}) == 10
    assert (found.windows[:, 0] >= 0).all()
    assert (found.windows[:, 0] < found.windows[:, 1]).all()
    assert (found.windows[:, 1] <= STEPS).all()
    assert (np.diff(found.quality) <= 1e-6).all()
    assert found.quality.min() >= 0
    assert found.quality.max() <= 1 + 1e-5


def test_a_film_of_one_step_has_one_window() -> None:
    starts, ends = cells(1)
    logits, numbers = np.zeros((1, 3), np.float32), np.zeros(7, np.float32)
    found = ranked(posterior(starts, ends, logits, numbers))
    assert found.windows.tolist() == [[0, 1]]
    assert found.quality.tolist() == [pytest.approx(1)]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_falling_keeps_the_mean_and_what_falls_already(values: list[float]) -> None:
    made = falling(np.array(values))
    assert (np.diff(made) <= 1e-6).all()
    assert made.mean() == pytest.approx(np.mean(values), abs=1e-5)
    down = np.sort(np.array(values))[::-1]
    np.testing.assert_allclose(falling(down), down, atol=1e-6)
