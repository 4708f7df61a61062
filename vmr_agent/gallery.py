"""Pictures for a chat model to look at: from the strip, or decoded again where that is too small.

gallery.jpegs(film, [12.0, 60.5], side=260)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path

import cv2
import numpy as np

from vmr_agent.artefacts import Take
from vmr_agent.errors import ShelfError
from vmr_agent.library import Shelf
from vmr_agent.playback import Alive, stills
from vmr_agent.protocols import Image
from vmr_agent.settings import Settings
from vmr_agent.strip import Strip

QUALITY = 80  # of JPEG: what the model makes of it stays the same from about 60 on


class Gallery:
    """The pictures of one film."""

    def __init__(self, shelf: Shelf, footage: str, path: Path, settings: Settings) -> None:
        self._shelf, self._footage, self._path, self._settings = shelf, footage, path, settings

    def jpegs(self, times: Sequence[float], side: int, alive: Alive) -> list[bytes]:
        """What is on show at each time, ``side`` pixels at the short side, never enlarged."""
        small = side <= self._settings.strip.short_side
        images = self._strip(times) if small else None
        if images is None:
            images = stills(self._path, self._settings.video, times, side, alive)
        return [jpeg(image, side) for image in images]

    def shelved(self, times: Sequence[float], side: int) -> list[bytes]:
        """The same from the strip alone: the film need not be there any more.

        Raises ShelfError where a piece of the strip is gone or damaged.
        """
        return [jpeg(self._kept(time), side) for time in times]

    def look(self, times: Sequence[float], alive: Alive) -> list[tuple[float, Image]]:
        """The frames of the strip nearest to each time, with their own times: rising, each once.

        They are decoded anew, at those times exactly, where a piece of the strip is damaged.
        """
        try:
            near = dict(map(self._nearest, times))
        except ShelfError:
            asked, side = sorted(set(times)), self._settings.strip.short_side
            images = stills(self._path, self._settings.video, asked, side, alive)
            return list(zip(asked, images, strict=True))
        return [(time, near[time]()) for time in sorted(near)]

    def _strip(self, times: Sequence[float]) -> list[Image] | None:
        """What the strip has; None where a piece of it is damaged: the film itself is not."""
        try:
            return [self._kept(time) for time in times]
        except ShelfError:
            return None

    def _kept(self, time: float) -> Image:
        """The last sample of the strip up to a time."""
        strip, index = self._place(time)
        return strip.image(index)

    def _nearest(self, time: float) -> tuple[float, Callable[[], Image]]:
        """The time of the sample nearest to a time, and how it is decoded."""
        strip, index = self._place(time)
        near = strip.times[index : index + 2]
        index += int(np.abs(near - time).argmin())
        return float(strip.times[index]), partial(strip.image, index)

    def _place(self, time: float) -> tuple[Strip, int]:
        """Where the last sample up to a time is; before all of them, the first."""
        number = self._reel(time)
        while True:
            strip = Strip.load(self._shelf.piece(self._footage, number, Take)[1])
            index = int(np.searchsorted(strip.times, time + 1e-6, side="right")) - 1
            if index >= 0 or number == 0:
                return strip, max(0, index)
            number -= 1

    def _reel(self, time: float) -> int:
        """Where to look for it; the last picture of a film may be held beyond the last reel."""
        number, last = int(time // self._settings.video.reel), self._last
        if 0 <= last < number and self._shelf.piece(self._footage, last, Take)[0].ending:
            return last
        return number

    @cached_property
    def _last(self) -> int:
        """Number of the last reel; -1 without any."""
        return max(self._shelf.numbers(self._footage), default=-1)


def jpeg(image: Image, side: int) -> bytes:
    """The picture (H, W, 3) as JPEG, ``side`` pixels at the short side, never enlarged."""
    height, width = image.shape[:2]
    scale = min(1.0, side / min(height, width))
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    done, packed = cv2.imencode(
        ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    )
    assert done, "any picture of ours can be packed"
    return packed.tobytes()
