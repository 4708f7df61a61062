"""Whether somebody speaks, frame by frame: the packaged detector itself."""

from pathlib import Path

import numpy as np
import pytest

from vmr_agent.adapters import weights
from vmr_agent.adapters.voice import Silero
from vmr_agent.errors import WeightsError
from vmr_agent.protocols import Array
from vmr_agent.spoken import FRAME
from vmr_agent.video import sound

RATE = 16_000


@pytest.fixture(scope="module")
def narration(demo_film: Path) -> Array:
    ((_, samples),) = sound(demo_film)
    return samples


@pytest.mark.parametrize("count", [0, 1, FRAME - 1, FRAME, FRAME + 1, 5 * FRAME])
def test_every_frame_has_one(count: int) -> None:
    found = Silero().hear(np.zeros(count, np.float32))
    assert found.shape == (-(-count // FRAME),)
    assert found.dtype == np.float32
    assert found.max(initial=0) < 0.1


def test_a_narrator_is_heard_and_the_samples_are_left_alone(narration: Array) -> None:
    before = narration.copy()
    found = Silero().hear(narration)
    assert np.array_equal(narration, before)
    assert ((found >= 0) & (found <= 1)).all()
    spoken = found.reshape(-1)[: len(narration) // FRAME]
    seconds = (np.arange(len(spoken)) * FRAME / RATE).astype(int)
    assert np.median(spoken[seconds == 33]) > 0.9
    assert np.median(spoken[seconds == 39]) < 0.1


def test_the_end_of_a_piece_is_heard_like_its_middle(narration: Array) -> None:
    whole, cut = Silero().hear(narration), 33 * RATE // FRAME * FRAME
    np.testing.assert_allclose(
        Silero().hear(narration[:cut]), whole[: cut // FRAME], rtol=0, atol=1e-5
    )


def test_a_piece_is_heard_as_if_nothing_was_before(narration: Array) -> None:
    """And yet all but a few frames are heard as in the whole."""
    whole, cut = Silero().hear(narration), 30 * RATE // FRAME
    piece = Silero().hear(narration[cut * FRAME :])
    assert (np.abs(piece - whole[cut:]) < 0.1).mean() > 0.99


def test_another_detector_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = weights.FILES["speech-silero"]._replace(sha256="ab" * 32)
    monkeypatch.setitem(weights.FILES, "speech-silero", changed)
    with pytest.raises(WeightsError, match=r"silero_vad_v6\.onnx is not the file"):
        Silero().hear(np.zeros(RATE, np.float32))
