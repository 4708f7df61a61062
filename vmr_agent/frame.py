"""One picture of a film and its time, as every room sees it."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Upright pixels ``(H, W, 3)`` RGB, mostly shrunk already. ``frame.rgb(144)`` shrinks on."""

    time: float
    """Seconds from the start of the video."""
    pixels: Pixels = field(repr=False)
    length: float = 1 / 25
    """Seconds it says that it is shown; the next frame's time knows better."""

    @classmethod
    def of(cls, time: float, pixels: Pixels, length: float = 1 / 25) -> Frame:
        """A frame made from an RGB array ``(H, W, 3)``."""
        return cls(time, np.ascontiguousarray(pixels), length)

    def rgb(self, short_side: int | None = None) -> Pixels:
        """The pixels, shrunk to ``short_side``; aspect kept, never enlarged."""
        height, width = self.pixels.shape[:2]
        scale = (short_side or min(height, width)) / min(height, width)
        if scale >= 1:
            return self.pixels
        size = max(1, round(width * scale)), max(1, round(height * scale))
        return np.asarray(cv2.resize(self.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
