"""The strip: which frames are kept, at which times, and what comes back out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vmr_agent.protocols import Image
from vmr_agent.settings import StripSettings
from vmr_agent.strip import Reel, Sampler
from vmr_agent.video import Frame

SIZE = (72, 128)  # height, width


# Given, not the defaults: those are calibrated now and then.
GIVEN = {"fps": 2, "short_side": 64, "key_short_side": 540, "key_every": 10, "key_change": 0.04}


def plain(colour: tuple[int, int, int], size: tuple[int, int] = SIZE) -> Image:
    return np.full((*size, 3), colour, np.uint8)


def taken(frames: list[tuple[float, Image]], **given_settings: float) -> tuple[Reel, Reel]:
    sampler = Sampler(StripSettings.model_validate(GIVEN | given_settings))
    for time, image in frames:
        sampler.see(Frame.of(time, image))
    arrays = sampler.arrays()
    return Reel.load(arrays), Reel.load(arrays, "key_")


GREY = (120, 120, 120)
still = plain(GREY)


def test_two_frames_a_second_from_twenty_five() -> None:
    samples, _ = taken([(index / 25, still) for index in range(100)])
    assert samples.times.tolist() == pytest.approx(
        [0, 0.52, 1.04, 1.56, 2.08, 2.6, 3.12, 3.64], abs=0.13
    )
    assert len(samples) == 8


def test_a_slow_film_keeps_all_its_frames() -> None:
    times = [0.0, 1.0, 2.0, 7.5, 8.5]
    samples, _ = taken([(time, still) for time in times])
    assert samples.times.tolist() == times


@settings(max_examples=30)
@given(st.lists(st.floats(0.01, 3), min_size=1, max_size=40), st.sampled_from([1.0, 2.0, 10.0]))
def test_no_instant_is_far_from_a_sample(gaps: list[float], fps: float) -> None:
    tiny = plain(GREY, (64, 64))
    times = np.cumsum([0.0, *gaps])
    samples, _ = taken([(float(time), tiny) for time in times], fps=fps)
    assert samples.times[0] == 0
    assert set(samples.times) <= set(times)
    for time in times:
        before = samples.times[samples.times <= time][-1]
        # Either it was sampled, or the last sample is less than two spacings old.
        assert time - before < 2 / fps + 1e-6
    assert len(samples) <= times[-1] * fps + 1


def test_pictures_come_back_as_they_were_but_smaller() -> None:
    colours = [(220, 30, 30), (30, 200, 140), (40, 10, 60)]
    samples, keys = taken([(float(index), plain(c)) for index, c in enumerate(colours)])
    for reel, shape in ((samples, (64, 114, 3)), (keys, (72, 128, 3))):
        images = list(reel.images())
        assert len(images) == len(reel) == 3
        for image, colour in zip(images, colours, strict=True):
            assert image.dtype == np.uint8
            assert image.shape == shape
            assert np.abs(image.reshape(-1, 3).mean(axis=0) - colour).max() < 4


def test_an_unchanged_picture_gives_a_key_frame_every_ten_seconds_only() -> None:
    _, keys = taken([(float(index), still) for index in range(25)])
    assert keys.times.tolist() == [0, 10, 20]


def test_what_changes_gives_a_key_frame_at_once() -> None:
    titled = still.copy()
    titled[20:50, 20:100] = 255
    scene = [still] * 3 + [titled] * 3 + [still] * 3
    _, keys = taken([(float(index), image) for index, image in enumerate(scene)])
    assert keys.times.tolist() == [0, 3, 6]


def test_a_change_too_small_to_matter_gives_none() -> None:
    speck = still.copy()
    speck[:8, :8] = 255
    _, keys = taken([(0.0, still), (1.0, speck), (2.0, still)])
    assert keys.times.tolist() == [0]


def test_a_slow_change_adds_up() -> None:
    """Compared with the last key frame, not with the last frame, or a fade would never be news."""
    fade = [plain((level, level, level)) for level in range(100, 160, 5)]
    _, keys = taken([(float(index) / 2, image) for index, image in enumerate(fade)])
    assert len(keys) > 3


def test_an_empty_strip_is_a_strip() -> None:
    samples, keys = taken([])
    assert len(samples) == len(keys) == 0
    assert list(samples.images()) == []


def test_a_reel_packs_jpegs_end_to_end() -> None:
    reel = Reel.of([0.0, 1.5], [b"abc", b"de"])
    assert reel.offsets.tolist() == [0, 3, 5]
    assert reel.jpeg.tobytes() == b"abcde"
    assert reel.times.dtype == np.float64
