"""Pictures for a model: kept ones, or the film's own at exact times where those are too small."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vmr_agent import Settings, VMRAgent
from vmr_agent.artefacts import Take
from vmr_agent.errors import VmrError
from vmr_agent.gallery import Gallery
from vmr_agent.library import Shelf
from vmr_agent.playback import Reel, Taken
from vmr_agent.strip import encoded
from vmr_agent.testing import colour_toolbox
from vmr_agent.tools import take

FPS = 10


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of 200 by 300 pixels, each frame a little brighter than the one before."""
    path = tmp_path_factory.mktemp("film") / "steps.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "1"})
        stream.height, stream.width, stream.pix_fmt = 200, 300, "yuv420p"
        for index in range(4 * FPS):
            grey = np.full((200, 300, 3), 20 + 5 * index, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, "rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def shown(jpeg: bytes) -> tuple[tuple[int, int], float]:
    """Height and width, and the number of the frame, by its brightness."""
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image.shape[:2], (float(image.mean()) - 20) / 5


@pytest.fixture
def gallery(tmp_path: Path, steps: Path) -> Gallery:
    box = colour_toolbox(tmp_path)
    VMRAgent(toolbox=box).index(steps)
    (kept,) = (tmp_path / "shelf").rglob("footage-*.npz")
    footage = str(kept.relative_to(tmp_path / "shelf").with_suffix(""))
    return Gallery(box.shelf, footage, steps, box.settings)


TIMES = [0.0, 1.25, 3.05, 3.9]


@pytest.mark.parametrize("side", [64, 150, 200, 900])
def test_what_is_on_show_at_a_time(gallery: Gallery, side: int) -> None:
    """Of 64 pixels from the strip, larger ones decoded again, and none larger than the film."""
    told = [shown(jpeg) for jpeg in gallery.jpegs(TIMES, side, lambda: None)]
    short = min(side, 200)
    assert {size for size, _ in told} == {(short, round(short * 1.5))}
    numbers = [number for _, number in told]
    assert numbers == pytest.approx([0, 12, 30, 39], abs=1.2 if side == 64 else 0.4)


def brightness(image: np.ndarray) -> float:
    return (float(image.mean()) - 20) / 5


def test_frames_come_with_their_own_times_rising_and_each_once(gallery: Gallery) -> None:
    frames = gallery.look([3.04, 0.0, 1.24, 1.26, 1.21, 99.0], lambda: None)
    assert [time for time, _ in frames] == pytest.approx([0, 1.2, 1.3, 3.0, 3.9])
    assert [brightness(image) for _, image in frames] == pytest.approx([0, 12, 13, 30, 39], abs=1)
    assert {image.shape for _, image in frames} == {(64, 96, 3)}


def test_frames_of_a_damaged_strip_are_decoded_anew(gallery: Gallery, tmp_path: Path) -> None:
    (strip,) = (tmp_path / "shelf").rglob("*.pieces/00000.npz")
    strip.write_bytes(b"damaged")
    frames = gallery.look([3.0, 1.2], lambda: None)
    assert [time for time, _ in frames] == [1.2, 3.0]
    assert [brightness(image) for _, image in frames] == pytest.approx([12, 30], abs=1)


def test_the_last_picture_may_be_held_beyond_the_last_reel(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    for number, grey in enumerate((50, 100, 150)):
        image = np.full((48, 64, 3), grey, np.uint8)
        ending = {"duration": 400.0, "promise": 400.0} if number == 2 else None
        kept = Taken(60.0 * number + 1, image, encoded(image, 80))
        made = take(Reel(number, samples=[kept], ending=ending), 80)
        shelf.once("f/footage", number, Take, lambda made=made: made)

    def greys(*times: float) -> list[float]:
        gallery = Gallery(shelf, "f/footage", tmp_path / "gone.mp4", Settings())
        return [20 + 5 * shown(jpeg)[1] for jpeg in gallery.jpegs(times, 48, lambda: None)]

    assert greys(30, 70, 130, 399) == pytest.approx([50, 100, 150, 150], abs=2)
    next(tmp_path.rglob("00001.npz")).unlink()
    assert greys(30, 130) == pytest.approx([50, 150], abs=2)
    # What the strip has lost is the film's to give.
    with pytest.raises(VmrError, match=r"gone\.mp4"):
        greys(70)


def test_what_a_damaged_strip_has_lost_is_decoded_again(gallery: Gallery, tmp_path: Path) -> None:
    (strip,) = (tmp_path / "shelf").rglob("*.pieces/00000.npz")
    strip.write_bytes(b"damaged")
    for _ in range(2):  # the first time it is thrown away
        told = [shown(jpeg) for jpeg in gallery.jpegs(TIMES, 64, lambda: None)]
        assert {size for size, _ in told} == {(64, 96)}
        assert [number for _, number in told] == pytest.approx([0, 12, 30, 39], abs=0.4)
