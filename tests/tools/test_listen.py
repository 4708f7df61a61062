"""Levels, second by second."""

from __future__ import annotations

import numpy as np
import pytest

from vmr_agent.protocols import Array
from vmr_agent.testing import Loudness
from vmr_agent.tools import listen

RATE = 16_000


def heard(samples: Array, seconds: int) -> tuple[float, Array, list[float]]:
    size, ticks = seconds * RATE, list[float]()
    blocks = [(at / RATE, samples[at : at + size]) for at in range(0, len(samples), size)]
    sounds, arrays = listen(blocks, Loudness(), ticks.append)
    return sounds.duration, np.asarray(arrays["levels"]), ticks


SAMPLES = np.repeat(np.array([0.5, 0, 0, 1, 0.1], np.float32), RATE)[: int(4.5 * RATE)]


@pytest.mark.parametrize("seconds", [1, 2, 60])
def test_levels_do_not_depend_on_the_blocks(seconds: int) -> None:
    duration, levels, ticks = heard(SAMPLES, seconds)
    assert duration == 4.5
    assert levels.shape == (5, 2)
    assert levels[:, 0] == pytest.approx([-6.02, -100, -100, 0, -23.01], abs=0.02)
    assert ticks[-1] == 4.5
    assert len(ticks) == -(-5 // seconds)


def test_no_sound_has_no_levels() -> None:
    duration, levels, ticks = heard(SAMPLES[:0], 60)
    assert (duration, levels.shape, ticks) == (0, (0, 2), [])
