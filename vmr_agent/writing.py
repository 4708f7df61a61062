"""Writing that comes and goes: what stands still in the picture as letters do, and since when.

A line of text changes a picture's mean by a hundredth, less than a hand that moves. What tells it
from all else is that its edges are dense, lie in a flat band, and stay on the same pixels whatever
moves behind them. Runs in the process that decodes, at every sample: a millisecond each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Mask = NDArray[np.uint8]
Box = tuple[slice, slice]

EDGE = 80
"""Steps of brightness of one colour within three pixels that may be the edge of a letter. Those of
titles are of 160 in the middle, those of leaves, bricks and clothes of 75."""
ALIKE = 28
"""Steps of brightness of each colour by which compression and grain change what stands still."""
STANDS = 0.75
"""Share of a band's edges that are the same at the next look where it stands; of a line that has
become another one, or runs through the picture, half are."""
THERE = 0.55
"""Share of them below which it is gone, or was not there."""
WIDTH = 30
"""Pixels of 260 that a band has at least: six small letters."""
HEIGHT = 6
"""Pixels of 260 that a band is high at least: letters of a fiftieth of the height."""
FLAT = 2.0
"""Times its height that a band is wide at least."""
HIGH = 0.25
"""Share of the picture's height that a band has at most."""
FULL = 0.6
"""Share of its box that a band fills at least."""
MOST = 24
"""Bands followed at most: a picture with more of them is a page, or leaves."""


class News(NamedTuple):
    """Writing that came or went."""

    since: float
    """Seconds: half-way between the last look before and the first at which it was so."""
    comes: bool
    """Whether any came; else some went."""


class Looked(NamedTuple):
    """What a look found."""

    news: News | None = None
    """What the last key frame does not show."""
    shown: float | None = None
    """Since when there is what came just before the last key frame, and is on it."""


@dataclass(slots=True)
class _Band:
    """Dense edges that stand still: where, which pixels, and how they look."""

    box: Box
    edges: Mask
    look: Image
    since: float
    known: bool
    missed: float | None = None

    def on(self, image: Image) -> float:
        """Share of its edges that look the same."""
        return _share(_alike(self.look, image[self.box]), self.edges)


class Writing:
    """Follows bands from look to look. ``look`` at every sample, ``noted`` at every key frame."""

    def __init__(self) -> None:
        self._bands: list[_Band] = []
        self._last: tuple[float, Image] | None = None
        self._turned = 0.0
        self._noted: Image | None = None

    def look(self, now: float, image: Image) -> Looked:
        """What came or went that the last key frame does not show; seen twice, to be sure.

        ``image`` (H, W, 3) RGB, some 260 pixels high; of another size it is another film.
        """
        last, self._last = self._last, (now, image)
        turned, self._turned = self._turned, (last[0] + now) / 2 if last else now
        if last is None or last[1].shape != image.shape:
            self._bands.clear()
            self._noted = None
            return Looked()
        went = self._leave(image)
        met = self._meet(turned, last[1], image)
        came = [band.since for band in self._bands if not band.known]
        news = News(min(*came, *went, np.inf), bool(came)) if came or went else None
        return Looked(news, turned if any(band.known for band in met) else None)

    def noted(self, image: Image) -> None:
        """This is a key frame: whatever is written there is no news."""
        self._noted = image
        for band in self._bands:
            band.known = True

    def _leave(self, image: Image) -> list[float]:
        """Bands that were missed twice are let go; when those that were known went."""
        went = []
        for band in list(self._bands):
            if band.on(image) >= THERE:
                band.missed = None
            elif band.missed is None:
                band.missed = self._turned
            else:
                self._bands.remove(band)
                went += [band.missed] if band.known else []
        return went

    def _meet(self, since: float, last: Image, image: Image) -> list[_Band]:
        """Bands that stand since the last look are followed from now on."""
        met: list[_Band] = []
        edges = _edges(image)
        still = edges & _alike(image, last)
        for band in self._bands:
            still[band.box] &= ~band.edges
        for box in _flat(still):
            drawn = edges[box]
            if len(self._bands) + len(met) < MOST and _share(still[box], drawn) >= STANDS:
                band = _Band(box, still[box].copy(), image[box].copy(), since, known=False)
                band.known = self._noted is not None and band.on(self._noted) >= THERE
                met.append(band)
        self._bands += met
        return met


def _edges(image: Image) -> Mask:
    """Where it is 255: of each colour, for letters may be as bright as what is behind them."""
    steps = cv2.morphologyEx(image, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return _above(steps, EDGE)


def _alike(left: Image, right: Image) -> Mask:
    return ~_above(cv2.absdiff(left, right), ALIKE)


def _above(pixels: cv2.typing.MatLike, level: int) -> Mask:
    red, green, blue = cv2.split(pixels)
    highest = cv2.max(cv2.max(red, green), blue)
    return np.asarray(cv2.threshold(highest, level, 255, cv2.THRESH_BINARY)[1], np.uint8)


def _share(part: Mask, whole: Mask) -> float:
    return cv2.countNonZero(part & whole) / max(1, cv2.countNonZero(whole))


def _flat(edges: Mask) -> Iterator[Box]:
    """The bands that edges make, as text does."""
    bands = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((1, 9), np.uint8))
    bands = cv2.morphologyEx(bands, cv2.MORPH_OPEN, np.ones((HEIGHT, WIDTH), np.uint8))
    if not cv2.countNonZero(bands):
        return
    _, _, found, _ = cv2.connectedComponentsWithStats(bands)
    for left, top, width, height, area in found[1:].tolist():
        flat = width >= FLAT * height and height <= HIGH * len(edges)
        if flat and area >= FULL * width * height:
            yield slice(top, top + height), slice(left, left + width)
