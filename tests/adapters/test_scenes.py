from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from vmr_agent.adapters.scenes import SHORT_SIDE, ContentShots
from vmr_agent.settings import ShotSettings
from vmr_agent.types import Shot
from vmr_agent.video import Frame

COLOURS = ((200, 30, 30), (30, 160, 40), (40, 60, 210), (235, 235, 235))
FPS = 25


def still(shot: int, step: int = 0, height: int = 36, width: int = 64) -> np.ndarray:
    """A colour with a white bar that moves a little: no cut in itself."""
    pixels = np.full((height, width, 3), COLOURS[shot % len(COLOURS)], np.uint8)
    pixels[:4, step % (width - 4) :][:, :4] = 255
    return pixels


def film(shots: Sequence[int], times: Sequence[float] | None = None) -> Iterator[Frame]:
    """A frame for every number in ``shots``, of that shot's colour, 1/25 s long."""
    for index, shot in enumerate(shots):
        yield Frame.of(times[index] if times else index / FPS, still(shot, index))


def starts(found: tuple[Shot, ...]) -> list[float]:
    ends = [shot.span.end for shot in found]
    begins = [shot.span.start for shot in found]
    assert begins[1:] == ends[:-1], "shots tile the film"
    return begins


def shots(frames: Iterator[Frame], min_length: float = 0.6, threshold: float = 27) -> list[float]:
    return starts(
        ContentShots(ShotSettings(min_length=min_length, threshold=threshold)).detect(frames)
    )


def test_cuts_are_exact_to_the_frame() -> None:
    found = ContentShots(ShotSettings()).detect(film([0] * 40 + [1] * 33 + [2] * 27))
    assert starts(found) == [0, 40 / FPS, 73 / FPS]
    assert found[-1].span.end == 4.0


def test_cut_times_are_the_frames_own() -> None:
    times = [0.0, 0.1, 5.0, 5.7, 5.701, 60.125, 61.0, 3600.5]
    found = ContentShots(ShotSettings()).detect(film([0, 0, 0, 1, 1, 2, 2, 2], times))
    assert starts(found) == [0.0, 5.7, 60.125]
    assert found[-1].span.end == 3600.54


def test_no_cut_without_a_change() -> None:
    assert shots(film([0] * 60)) == [0.0]


def test_threshold_is_obeyed() -> None:
    frames = [
        Frame.of(i / FPS, np.full((36, 64, 3), 100 if i < 25 else 160, np.uint8)) for i in range(50)
    ]
    assert shots(iter(frames), threshold=15) == [0.0, 1.0]
    assert shots(iter(frames), threshold=27) == [0.0]


def test_red_is_red() -> None:
    """Hues wrap at red: this change is one for PySceneDetect, and would be none in blue."""
    colours = (255, 0, 0), (255, 0, 40)
    frames = [
        Frame.of(i / FPS, np.full((36, 64, 3), colours[i // 25], np.uint8)) for i in range(50)
    ]
    assert shots(iter(frames)) == [0.0, 1.0]


def test_nothing_seen_is_no_shot() -> None:
    assert ContentShots(ShotSettings()).detect(iter(())) == ()


def test_one_frame_is_a_shot() -> None:
    (shot,) = ContentShots(ShotSettings()).detect(film([0], [7.0]))
    assert (shot.span.start, shot.span.end) == (7.0, 7.04)


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([50, 14, 50], [0, 64]),  # too short: goes to the one before
        ([50, 15, 50], [0, 50, 65]),  # exactly 0.6 s is long enough
        ([14, 50, 50], [0, 64]),  # the first has none before it
        ([50, 50, 14], [0, 50]),  # the last is too short
        ([50, 5, 5, 5, 50], [0, 65]),  # a flicker
        ([5, 5, 5], [0]),
    ],
)
def test_short_shots_are_merged_into_the_one_before(runs: list[int], expected: list[int]) -> None:
    numbers = [shot for shot, length in enumerate(runs) for _ in range(length)]
    assert shots(film(numbers)) == [index / FPS for index in expected]
    every = [sum(runs[:shot]) / FPS for shot in range(len(runs))]
    assert shots(film(numbers), min_length=0) == every


def test_a_change_of_size_or_aspect_is_survived() -> None:
    sizes = [(36, 64)] * 25 + [(360, 640)] * 25 + [(64, 36)] * 25
    frames = (Frame.of(i / FPS, still(0, 0, *size)) for i, size in enumerate(sizes))
    assert shots(frames)[:1] == [0.0]
    grown = (Frame.of(i / FPS, np.full((h, w, 3), 90, np.uint8)) for i, (h, w) in enumerate(sizes))
    assert shots(grown) == [0.0]


def test_frames_are_pulled_once_and_none_is_kept() -> None:
    """One decode serves everyone, and a film of hours must not fill the memory."""
    alive, most = 0, 0

    class Counted(Frame):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def watched() -> Iterator[Frame]:
        nonlocal alive, most
        for index in range(60):
            alive += 1
            most = max(most, alive)
            yield Counted(index / FPS, Frame.of(0, still(index // 30)).picture)

    assert len(shots(watched())) == 2
    assert most <= 2
    assert alive == 0


def test_large_pictures_are_looked_at_small(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    rgb = Frame.rgb
    monkeypatch.setattr(Frame, "rgb", lambda self, side=None: asked.append(side) or rgb(self, side))
    shots(film([0, 1]))
    assert asked == [SHORT_SIDE, SHORT_SIDE]


def test_importing_it_loads_no_scenedetect() -> None:
    code = "import sys, vmr_agent.adapters.scenes; sys.exit('scenedetect' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
