"""Levels, second by second, block by block."""

from __future__ import annotations

import numpy as np
import pytest
from shelved import span

from vmr_agent.artefacts import Sounds
from vmr_agent.playback import RATE, Block
from vmr_agent.protocols import Array
from vmr_agent.testing import Loudness
from vmr_agent.tools import listen, listen_block

SAMPLES = np.repeat(np.array([0.5, 0, 0, 1, 0.1], np.float32), RATE)[: int(4.5 * RATE)]


class Tagger(Loudness):
    """Hears a bell at full volume."""

    classes = ("bell", "siren")

    def listen(self, samples: Array, rate: int, voice: Array) -> Array:
        levels = super().listen(samples, rate, voice)
        bell = (levels[:, :1] > -1).astype(np.float32)
        return np.concatenate([levels, bell, np.zeros_like(bell)], axis=1)


def heard(samples: Array, seconds: int, listener: Loudness) -> tuple[Sounds, Array]:
    size = seconds * RATE
    starts = range(0, len(samples), size)
    blocks = [Block(at / RATE, samples[at : at + size], at + size >= len(samples)) for at in starts]
    sounds, arrays = listen((listen_block(block, listener) for block in blocks), listener)
    return sounds, np.asarray(arrays["levels"])


@pytest.mark.parametrize("seconds", [1, 2, 60])
def test_levels_do_not_depend_on_the_blocks(seconds: int) -> None:
    sounds, levels = heard(SAMPLES, seconds, Loudness())
    assert sounds == Sounds(duration=4.5, classes=())
    assert levels.shape == (5, 2)
    assert levels.dtype == np.float16
    assert levels[:, 0] == pytest.approx([-6.02, -100, -100, 0, -23.01], abs=0.02)


def test_classes_stand_behind_the_levels() -> None:
    sounds, levels = heard(SAMPLES, 2, Tagger())
    assert sounds.classes == ("bell", "siren")
    assert levels.shape == (5, 4)
    assert levels[:, 2].tolist() == [0, 0, 0, 1, 0]


def test_a_block_knows_when_it_ends() -> None:
    sounds, _ = listen_block(Block(240.0, SAMPLES, True), Loudness())
    assert sounds.duration == 244.5


def test_holes_are_joined_and_small_ones_are_not_worth_telling() -> None:
    """Noise is taken for sound now and then, and a block ends anywhere."""
    found = [
        [span(0.1, 0.3), span(1.5, 2)],
        [span(2, 2.4), span(2.8, 3.9)],
        [span(4.5, 4.9), span(5.5, 6)],
    ]
    sound = SAMPLES[: 2 * RATE]
    blocks = [Block(2.0 * n, sound, n == 2, holes=tuple(part)) for n, part in enumerate(found)]
    parts = [listen_block(block, Loudness()) for block in blocks]
    assert [sounds.holes for sounds, _ in parts] == [tuple(part) for part in found]
    sounds, _ = listen(parts, Loudness())
    assert [(hole.start, hole.end) for hole in sounds.holes] == [pytest.approx((1.5, 3.9))]


def test_no_sound_has_no_levels() -> None:
    for listener, width in ((Loudness(), 2), (Tagger(), 4)):
        sounds, levels = heard(SAMPLES[:0], 60, listener)
        assert sounds == Sounds(duration=0, classes=listener.classes)
        assert levels.shape == (0, width)
