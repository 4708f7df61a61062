"""Loudness and speech: levels that can be computed by hand, and a narrator."""

from pathlib import Path

import numpy as np
import pytest

from vmr_agent.adapters.sound import FLOOR, Levels
from vmr_agent.adapters.voice import Silero
from vmr_agent.protocols import Array
from vmr_agent.video import sound

RATE = 16_000
NARRATED = (7, 10, 17, 29, 33, 45, 65, 83, 97, 107)  # seconds of the demo film
SILENT = (1, 3, 39, 50, 58, 78, 89, 115, 128)


def listened(samples: Array) -> Array:
    return Levels().listen(samples, RATE, Silero().hear(samples))


def tone(seconds: float, frequency: float = 440.0, level: float = 1.0) -> Array:
    times = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(level * np.sin(2 * np.pi * frequency * times), np.float32)


@pytest.fixture(scope="module")
def narration(demo_film: Path) -> Array:
    ((_, samples),) = sound(demo_film)
    return samples


@pytest.mark.parametrize(("level", "decibels"), [(1.0, -3.0103), (0.1, -23.0103), (0.5, -9.0309)])
def test_a_sine_has_the_level_it_must_have(level: float, decibels: float) -> None:
    found = listened(tone(3, level=level))
    assert found.shape == (3, 2)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:, 0], decibels, atol=0.01)


def test_square_noise_and_silence() -> None:
    square = np.sign(tone(1, 1000) + 1e-3).astype(np.float32)
    noise = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
    found = listened(np.concatenate([square, noise, np.zeros(RATE, np.float32)]))
    np.testing.assert_allclose(found[:, 0], [0, -20, FLOOR], atol=0.1)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(5 * RATE, np.float32),
        tone(5),
        tone(5, 3000, 0.05),
        tone(5) * np.repeat(np.arange(10) % 2, RATE // 2).astype(np.float32),
        np.random.default_rng(1).normal(0, 0.2, 5 * RATE).clip(-1, 1).astype(np.float32),
    ],
    ids=["silence", "tone", "faint tone", "beeps", "noise"],
)
def test_what_is_no_speech_is_not_taken_for_it(samples: Array) -> None:
    assert listened(samples)[:, 1].max() < 0.1


def test_a_narrator_is_heard_where_he_speaks(narration: Array) -> None:
    loudness, speech = listened(narration).T
    assert len(speech) == 132  # the codec's last block begins the 132nd second
    assert speech[list(NARRATED)].min() > 0.95
    assert loudness[list(NARRATED)].min() > -30
    assert speech[list(SILENT)].max() == 0
    assert loudness[list(SILENT)].max() < -90


@pytest.mark.parametrize("cut", [7, 13, 22, 23, 30, 32, 47, 60, 68])
def test_a_cut_changes_hardly_anything(narration: Array, cut: int) -> None:
    """At 13 and 23 somebody has just spoken: that must not make the silence after it speech."""
    whole = listened(narration)
    pieces = [listened(piece) for piece in np.split(narration, [cut * RATE])]
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=0.25)


def test_a_pause_is_no_speech(narration: Array) -> None:
    gap = np.zeros(RATE, np.float32)
    spoken = narration[29 * RATE : 30 * RATE]
    speech = listened(np.concatenate([spoken, gap, spoken, gap, gap]))[:, 1]
    assert speech[[0, 2]].min() > 0.6
    assert speech[[1, 3]].max() < 0.25
    assert speech[4] == 0


def test_no_samples_give_no_rows() -> None:
    assert listened(np.zeros(0, np.float32)).shape == (0, 2)


def test_another_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="16000 samples per second, got 48000"):
        Levels().listen(tone(1), 48_000, Silero().hear(tone(1)))


def test_it_tells_no_classes() -> None:
    assert Levels().classes == ()


def test_a_last_second_that_is_not_whole() -> None:
    assert listened(tone(2.25)).shape == (3, 2)
    assert listened(tone(0.001)).shape == (1, 2)
