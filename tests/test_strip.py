"""The strip: which frames are taken, at which times, and what comes back from the shelf."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lettered import lettered, scene

from vmr_agent.frame import Frame
from vmr_agent.protocols import Image
from vmr_agent.settings import StripSettings
from vmr_agent.strip import LONGEST, Sample, Sampler, Strip, encoded, likeness

SIZE = (72, 128)  # height, width

# Given, not the defaults: those are calibrated now and then.
GIVEN = {
    **{"fps": 2, "still": 0.02, "rest": 1000, "short_side": 64, "key_short_side": 540},
    **{"key_gap": 0, "key_every": 10, "key_change": 0.04},
}


def plain(colour: tuple[int, int, int], size: tuple[int, int] = SIZE) -> Image:
    return np.full((*size, 3), colour, np.uint8)


GREY = (120, 120, 120)
still = plain(GREY)
restless = [plain((level, level, level)) for level in (40, 200)]


def taken(
    frames: list[tuple[float, Image]], **given_settings: float
) -> tuple[list[float], list[float], list[Sample]]:
    """Times of samples, times of key frames, and all samples."""
    sampler = Sampler(StripSettings.model_validate(GIVEN | given_settings))
    found = [(time, sampler.take(Frame.of(time, image))) for time, image in frames]
    samples = [(time, sample) for time, sample in found if sample is not None]
    keys = [time for time, sample in samples if sample.key_image is not None]
    return [time for time, _ in samples], keys, [sample for _, sample in samples]


def shaking(times: list[float]) -> list[tuple[float, Image]]:
    """A picture that is like none before."""
    levels = [index * 37 % 200 for index in range(len(times))]
    return [(time, plain((n, n, n))) for time, n in zip(times, levels, strict=True)]


def resting(count: int, step: float = 1.0) -> list[tuple[float, Image]]:
    return [(index * step, still) for index in range(count)]


def test_two_frames_a_second_from_twenty_five() -> None:
    times, _, _ = taken(shaking([index / 25 for index in range(101)]))
    assert times == pytest.approx([0.5 * index for index in range(9)], abs=0.05)


def test_a_slow_film_keeps_all_its_frames() -> None:
    slow = [0.0, 1.0, 2.0, 7.5, 8.5]
    assert taken(shaking(slow))[0] == slow


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.floats(0.01, 3), st.booleans()), min_size=1, max_size=40),
    st.sampled_from([1.0, 2.0, 10.0]),
)
def test_no_instant_is_far_from_a_sample(steps: list[tuple[float, bool]], fps: float) -> None:
    """Whether the picture changes or stands still: what a sample shows is never old news."""
    tiny = [plain((level, level, level), (64, 64)) for level in (40, 200)]
    times = [float(time) for time in np.cumsum([0.0, *(gap for gap, _ in steps)])]
    shows = [int(level) for level in np.cumsum([0, *(change for _, change in steps)]) % 2]
    frames = [(time, tiny[show]) for time, show in zip(times, shows, strict=True)]
    found, _, _ = taken(frames, fps=fps, rest=5)
    assert found[0] == 0
    sampled = [show for time, show in zip(times, shows, strict=True) if time in found]
    for time, show in zip(times, shows, strict=True):
        last = max(index for index, each in enumerate(found) if each <= time)
        assert time - found[last] < 5 + 1 / fps
        # Either it shows what the last sample shows, or has not done so for less than a spacing.
        until_now = [each for each in zip(times, shows, strict=True) if each[0] <= time]
        alike = max(t for t, s in until_now if s == sampled[last])
        news = [t for t, _ in until_now if t > alike]
        assert show == sampled[last] or time - news[0] < 1 / fps + 1e-6
    assert len(found) <= times[-1] * fps + 1.5


def test_a_picture_that_stands_still_gives_a_sample_now_and_then() -> None:
    assert taken(resting(130, 0.5), rest=30)[0] == [0, 30, 60]


def test_what_changes_too_little_stands_still() -> None:
    speck = still.copy()
    speck[:8, :8] = 255
    frames = [(0.0, still), (1.0, speck), (2.0, restless[0]), (3.0, restless[1])]
    assert taken(frames)[0] == [0, 2, 3]
    assert taken(frames, still=0)[0] == [0, 1, 2, 3]


def test_what_moves_after_a_rest_is_seen_at_once() -> None:
    """Not half a second later: a picture that stands still is looked at more often."""
    times = [index / 25 for index in range(100)]
    frames = [(time, still if time < 2.04 else restless[0]) for time in times]
    found = taken(frames)[0]
    assert found[0] == 0
    assert 2.04 <= found[1] < 2.04 + 0.25 / 2 + 0.04
    assert len(found) == 2


def test_pictures_come_back_as_they_were_but_smaller() -> None:
    colours = [(220, 30, 30), (30, 200, 140), (40, 10, 60)]
    times, keys, samples = taken([(float(index), plain(c)) for index, c in enumerate(colours)])
    assert times == keys == [0, 1, 2]
    strip = Strip.load(Strip.of(times, [s.webp for s in samples]).arrays("key_"), "key_")
    assert len(strip) == 3
    assert strip.times.tolist() == times
    for shelved, sample, colour in zip(strip.images(), samples, colours, strict=True):
        assert sample.key_image is not None
        assert sample.key_image.shape == (*SIZE, 3)
        assert shelved.shape == sample.image.shape == (64, 114, 3)
        assert shelved.dtype == np.uint8
        for image in (shelved, sample.image):
            assert np.abs(image.reshape(-1, 3).mean(axis=0) - colour).max() < 4


def test_an_unchanged_picture_gives_a_key_frame_every_ten_seconds_only() -> None:
    assert taken(resting(25), rest=1)[1] == [0, 10, 20]


def test_what_changes_gives_a_key_frame_at_once() -> None:
    titled = still.copy()
    titled[20:50, 20:100] = 255
    scene = [still] * 3 + [titled] * 3 + [still] * 3
    assert taken([(float(index), image) for index, image in enumerate(scene)])[1] == [0, 3, 6]


def test_a_restless_picture_gives_no_more_key_frames_than_can_be_read() -> None:
    times = [index / 2 for index in range(13)]
    assert taken(shaking(times), key_gap=2)[1] == [0, 2, 4, 6]


@pytest.mark.parametrize("at", [2.04, 3.0, 3.96])
def test_a_title_that_comes_right_behind_a_key_frame_is_read_at_once(at: float) -> None:
    """It stands still, so that it gives no second sample for the sake of what it shows."""
    before = shaking([index / 25 for index in range(200)])
    titled = plain((250, 250, 120))
    frames = [(time, image if time < at else titled) for time, image in before]
    times, keys, _ = taken(frames, key_gap=2)
    found = [time for time in keys if time >= at]
    assert len(found) == 1
    assert found[0] < at + 1.0
    assert len([time for time in times if time >= at]) <= 2


def test_a_change_too_small_to_matter_gives_none() -> None:
    speck = still.copy()
    speck[:8, :8] = 255
    assert taken([(0.0, still), (1.0, speck), (2.0, still)], still=0)[1] == [0]


def test_a_slow_change_adds_up() -> None:
    """Compared with the last one taken, not with the last frame, or a fade would never be news."""
    fade = [plain((level, level, level)) for level in range(100, 160)]
    frames = [(float(index) / 2, image) for index, image in enumerate(fade)]
    times, keys, _ = taken(frames)
    assert len(times) > 8
    assert len(keys) > 4
    assert max(b - a for a, b in pairwise(times)) <= 3.5


@pytest.mark.parametrize("moves", [False, True])
def test_a_line_gives_a_key_frame_when_it_comes_and_when_it_goes(moves: bool) -> None:
    """It changes the picture by a hundredth, much less than what moves."""
    frames = []
    for index in range(25 * 12):
        time = index / 25
        image = scene(index if moves else 0)
        titled = 4.1 <= time < 8.1
        frames.append((time, lettered(image, "MIND THE STEP") if titled else image))
    given_settings = {"short_side": 260, "key_change": 0.9, "key_every": 100}
    times, keys, samples = taken(frames, **given_settings)
    assert keys == pytest.approx([0, 4.75, 8.75], abs=0.35)
    news = [sample.news for sample in samples if sample.news]
    assert [(each.comes, each.since) for each in news] == [
        (True, pytest.approx(4.1, abs=0.25)),
        (False, pytest.approx(8.1, abs=0.25)),
    ]
    assert set(keys) <= set(times)
    assert taken(frames, **given_settings, key_writing=False)[1] == [0]


def test_a_line_that_is_on_a_key_frame_already_is_told_with_the_next_sample() -> None:
    frames = [(index / 25, lettered(scene(index), "MIND THE STEP")) for index in range(75)]
    times, keys, samples = taken(frames, short_side=260, key_change=0.9)
    assert keys == [0]
    told = [(time, each.shown) for time, each in zip(times, samples, strict=True)]
    assert [each for each in told if each[1] is not None] == [(times[1], 0)]


def test_an_empty_strip_is_a_strip() -> None:
    strip = Strip.load(Strip.of([], []).arrays())
    assert len(strip) == 0
    assert list(strip.images()) == []


def test_a_strip_packs_pictures_end_to_end() -> None:
    strip = Strip.of([0.0, 1.5], [b"abc", b"de"])
    assert strip.offsets.tolist() == [0, 3, 5]
    assert strip.webp.tobytes() == b"abcde"
    assert strip.times.dtype == np.float64


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (2, LONGEST + 1), (LONGEST + 50, 2)])
def test_pictures_of_odd_shapes_can_be_shelved(shape: tuple[int, int]) -> None:
    (image,) = Strip.of([0.0], [encoded(plain(GREY, shape), 40)]).images()
    assert image.shape == (min(shape[0], LONGEST), min(shape[1], LONGEST), 3)
    assert np.abs(image.astype(int) - 120).max() < 4


def test_pictures_that_look_alike_are_alike() -> None:
    red, reddish, blue = plain((220, 30, 30)), plain((200, 40, 30)), plain((30, 40, 220))
    rows = likeness([red, reddish, blue, plain((0, 0, 0))])
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1)
    assert rows[0] @ rows[1] > 0.99
    assert rows[0] @ rows[2] < 0.5
