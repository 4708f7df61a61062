"""What is left of a film: the clips, some context, and times that find their way back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmr_agent.grounding.excerpt import CONTEXT, DENSE, MOST, Film, excerpt, grid, odds
from vmr_agent.grounding.inputs import cells

STEP = 0.5


def film(
    *clips: tuple[float, float],
    seconds: float = 120,
    rows: np.ndarray | None = None,
    channels: tuple[str, ...] = ("picture", "speech"),
    cuts: tuple[float, ...] = (0.0,),
    candidates: tuple[tuple[float, float, float], ...] = (),
) -> Film:
    dice = np.random.default_rng(0)
    steps = round(seconds / STEP)
    told = dice.random((len(channels), steps), np.float32) if rows is None else rows
    return Film(
        rows=told,
        channels=channels,
        step=STEP,
        cuts=cuts,
        clips=np.array(clips, np.float64).reshape(-1, 2),
        candidates=np.array(candidates, np.float64).reshape(-1, 3),
    )


def test_a_short_film_that_is_one_clip_is_kept_whole() -> None:
    found = excerpt(film((0, 20), seconds=20), ("fused",))
    assert found.kept.tolist() == list(range(20))
    assert found.step == 1.0
    starts, ends = cells(20)
    assert sorted(zip(found.starts, found.ends, strict=True)) == sorted(
        zip(starts, ends, strict=True)
    )
    assert not found.stand.any()


def test_around_every_clip_a_little_is_kept_and_windows_stay_in_the_clips() -> None:
    found = excerpt(film((30, 40), (80, 85.5)), ("fused",))
    first, second = range(30 - CONTEXT, 40 + CONTEXT), range(80 - CONTEXT, 86 + CONTEXT)
    assert found.kept.tolist() == [*first, *second]
    windows = found.seconds(np.stack([found.starts, found.ends], axis=1))
    inside = [30 <= a < b <= 40 or 80 <= a < b <= 86 for a, b in windows]
    assert all(inside)
    assert len(windows) == 10 * 11 // 2 + 6 * 7 // 2


def test_clips_that_share_a_step_have_their_windows_once() -> None:
    found = excerpt(film((10, 20.3), (20.6, 30)), ("fused",))
    windows = list(zip(found.starts, found.ends, strict=True))
    assert len(set(windows)) == len(windows) == 11 * 12 // 2 + 10 * 11 // 2 - 1


@given(
    st.lists(st.tuples(st.floats(0, 110), st.floats(1, 9)), min_size=1, max_size=4),
    st.floats(0, 1),
    st.floats(0.1, 1),
)
def test_seconds_find_their_way_there_and_back(
    clips: list[tuple[float, float]], at: float, share: float
) -> None:
    found = excerpt(film(*((start, start + length) for start, length in clips)), ("fused",))
    start, length = clips[0]
    first = start + at * length * (1 - share)
    span = np.array([[first, first + share * length]])
    place = found.steps(span)
    assert place.min() >= 0
    assert place.max() <= len(found.kept)
    whole = np.stack([np.floor(place[:, 0]), np.ceil(place[:, 1])], axis=1).astype(np.int64)
    back = found.seconds(whole)
    assert back[0, 0] <= span[0, 0] + 1e-6
    assert span[0, 1] <= back[0, 1] + 1e-6
    assert np.abs(back - span).max() <= found.step + 1e-6


def test_candidates_are_in_steps_and_what_was_left_out_has_no_length() -> None:
    given_ = ((31.5, 38, 0.9), (50, 60, 0.8), (81, 84, 0.3))
    found = excerpt(film((30, 40), (80, 86), candidates=given_), ("fused",))
    (windows,) = found.question.candidates
    second = 10 + 3 * CONTEXT
    expected = [[CONTEXT + 1.5, CONTEXT + 8, 0.9], [26, 26, 0.8], [second + 1, second + 4, 0.3]]
    np.testing.assert_allclose(windows, expected, atol=1e-5)


def test_channels_are_told_apart_by_name() -> None:
    rows = np.zeros((2, 40), np.float32)
    rows[0, 10:20], rows[1, 30:] = 0.5, 1.0
    wanted = ("speech", "sound", "fused", "cuts", "picture")
    found = excerpt(film((0, 20), seconds=20, rows=rows, cuts=(0, 7.2, 15)), wanted)
    speech, sound, fused, cuts, picture = found.question.curves.T
    half, sure = odds(np.array([0.5, 1], np.float32))
    np.testing.assert_allclose(picture, np.repeat([0, half, 0], [5, 5, 10]))
    np.testing.assert_allclose(speech, np.repeat([0, sure], [15, 5]))
    np.testing.assert_allclose(fused, np.maximum(picture, speech))
    assert not sound.any()
    assert np.flatnonzero(cuts).tolist() == [7, 15]


def test_a_film_of_which_nothing_is_known_has_curves_without_anything() -> None:
    bare = film((0, 20), rows=np.zeros((0, 40), np.float32), channels=())
    assert not excerpt(bare, ("fused", "speech")).question.curves.any()


def test_an_hour_of_clips_has_longer_steps() -> None:
    found = excerpt(film((0, 7200), seconds=7200), ("fused",))
    assert len(found.kept) == 900 <= MOST
    assert found.step == 8.0
    assert found.ends.max() == 900


@pytest.mark.parametrize(("asked", "step"), [(0.1, 0.5), (0.5, 0.5), (2.0, 2.0), (None, 1.0)])
def test_steps_are_as_long_as_is_asked_for(asked: float | None, step: float) -> None:
    assert excerpt(film((10, 20)), ("fused",), asked).step == step


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=20))
def test_odds_keep_the_order_and_begin_with_nothing(values: list[float]) -> None:
    rising = np.sort(np.array(values, np.float32))
    made = odds(rising)
    assert (np.diff(made) >= 0).all()
    assert made.min() >= 0
    assert odds(np.zeros(3, np.float32)).tolist() == [0, 0, 0]


@pytest.mark.parametrize("steps", [1, DENSE, DENSE + 1, 2 * DENSE, 3 * DENSE + 1, 1000])
def test_a_grid_stands_for_all_windows(steps: int) -> None:
    starts, ends, stand = grid(steps)
    assert len(set(zip(starts, ends, strict=True))) == len(starts)
    assert (starts >= 0).all()
    assert (starts < ends).all()
    assert ends.max() == steps
    dense = starts[ends - starts == min(steps, DENSE)]
    assert sorted(dense) == list(range(max(1, steps - DENSE + 1)))
    assert np.exp(stand).sum() == pytest.approx(steps * (steps + 1) / 2, rel=0.15)
