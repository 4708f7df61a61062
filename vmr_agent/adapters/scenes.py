"""Cuts by content change: the door to PySceneDetect, which is fed our frames and our times."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from vmr_agent.settings import ShotSettings
from vmr_agent.types import Shot, Span
from vmr_agent.video import Frame

SHORT_SIDE = 144
"""Pixels: about the 256 of width that PySceneDetect's threshold is made for. On joined clips every
size from 54 to 360 gave the same cuts; this one costs a third of a millisecond per frame."""
_TICK = Fraction(1, 1_000_000)
_RATE = 25.0
"""Frames per second that PySceneDetect is told. Without effect: too short is judged in seconds."""


class ContentShots:
    """Shots between cuts. ``ContentShots(settings.shots).detect(picture.frames())``."""

    name = "scenedetect-content"

    def __init__(self, settings: ShotSettings) -> None:
        self._settings = settings

    def detect(self, frames: Iterable[Frame]) -> tuple[Shot, ...]:
        """Shots that tile the frames seen; a cut is at the time of the first frame behind it."""
        starts: list[float] = []
        end = 0.0
        changed = _Change(self._settings.threshold)
        for frame in frames:
            if changed(frame) or not starts:
                self._cut(starts, frame.time)
            end = round(frame.time + frame.length, 6)
        if len(starts) > 1 and self._short(starts[-1], end):
            starts.pop()
        spans = zip(starts, [*starts[1:], end], strict=False)
        return tuple(Shot(span=Span(start=start, end=end)) for start, end in spans)

    def _cut(self, starts: list[float], time: float) -> None:
        """Add a cut; a shot that is too short goes to the one before, the first to the next."""
        if not starts or not self._short(starts[-1], time):
            starts.append(time)
        elif len(starts) > 1:
            starts[-1] = time

    def _short(self, start: float, end: float) -> bool:
        return round(end - start, 6) < self._settings.min_length


class _Change:
    """Whether a frame differs from the one before by more than the threshold."""

    def __init__(self, threshold: float) -> None:
        from scenedetect.detectors import ContentDetector

        self._detector = ContentDetector(threshold=threshold, min_scene_len=0)
        self._shape: tuple[int, ...] = ()

    def __call__(self, frame: Frame) -> bool:
        from scenedetect.common import FrameTimecode, Timecode

        pixels = frame.rgb(SHORT_SIDE)[..., ::-1]
        self._shape = self._shape or pixels.shape
        now = FrameTimecode(Timecode(round(frame.time / _TICK), _TICK), _RATE)
        return bool(self._detector.process_frame(now, _fitted(pixels, self._shape)))


def _fitted(pixels: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """The pixels in the shape of the first frame; a film may change its size on the way."""
    if pixels.shape == shape:
        return np.ascontiguousarray(pixels)
    rows = np.arange(shape[0]) * pixels.shape[0] // shape[0]
    columns = np.arange(shape[1]) * pixels.shape[1] // shape[1]
    return np.ascontiguousarray(pixels[rows[:, None], columns])
