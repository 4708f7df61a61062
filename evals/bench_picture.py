"""What a benchmark film shows: stretches of clips without cuts, each time under another look.

A look is a crop that drifts, perhaps mirrored, another speed, other colours, noise, perhaps words.
A stretch shorter than its shot is played to and fro, which has no seam.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import islice, pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from evals.film import Form, Picture
from evals.footage import read_pictures

CUT = 14.0
"""Least mean change of luma (of 255) that is a cut, between frames of 32 x 18 pixels."""
SUDDEN = 3.0
"""How many times the change of the frames around it a cut is: an unsteady camera is none."""
AROUND = 6
"""Frames to each side that count as around."""
SHORTEST = 2.0
"""Seconds; shorter stretches are not used."""
SMALL = 360
"""Pixels to which the short side of a clip is shrunk before it is altered: altering is cheap."""
MOST = Fraction(30)
"""Pictures in a second that are taken from a clip."""
FASTEST = 20.0
"""Seconds in which a crop may drift from anywhere to anywhere; less far in a shorter shot."""
HELD = 12
"""Stretches kept decoded."""
NOISES = 64
"""Pixels to each side by which noise is moved about, so that no two frames have the same."""

View = tuple[float, float, float]
"""Left, top and width of a crop, as shares: of the room it has to move in, and of the widest."""


class Stretch(NamedTuple):
    """A part of a clip without cuts."""

    path: Path
    start: float
    """Seconds from its clip's first frame."""
    end: float
    """Seconds from its clip's first frame."""


@dataclass(frozen=True)
class Look:
    """How a stretch is shown, so that no two showings are alike."""

    mirror: bool
    """Left and right exchanged."""
    speed: float
    """Seconds of clip in one of film."""
    offset: float
    """Seconds into the stretch at which it begins."""
    gain: tuple[float, float, float]
    """Factors of red, green and blue."""
    noise: float
    """Standard deviation, of 255."""
    first: View
    """The crop at the start of the shot."""
    last: View
    """The crop at its end."""


def stretches(path: Path) -> list[Stretch]:
    """The parts of a clip between its cuts, those that are long enough."""
    form, changes, before = _small(path, 90), list[float](), None
    for picture in read_pictures(path, form):
        thumb = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (32, 18))
        changes.append(float(cv2.absdiff(thumb, thumb if before is None else before).mean()))
        before = thumb
    edges = [float(tick / form.fps) for tick in (0, *_sudden(changes), len(changes))]
    return [Stretch(path, a, b) for a, b in pairwise(edges) if b - a >= SHORTEST]


def _small(path: Path, short_side: int) -> Form:
    """A form with the shape and the rate of a clip, small."""
    with av.open(path) as box:
        stream = box.streams.video[0]
        first = next(box.decode(stream))
        width, height = first.width * float(stream.sample_aspect_ratio or 1), float(first.height)
        rate = min(stream.average_rate or Fraction(25), MOST)
    if first.rotation // 90 % 2:
        width, height = height, width
    scale = min(1.0, short_side / min(width, height))
    return Form(round(width * scale), round(height * scale), rate)


def _sudden(changes: Sequence[float]) -> list[int]:
    usual = [np.median(changes[max(0, n - AROUND) : n + AROUND + 1]) for n in range(len(changes))]
    pairs = enumerate(zip(changes, usual, strict=True))
    return [at for at, (now, around) in pairs if now > max(CUT, SUDDEN * around)]


def invent(dice: Random, seconds: float, stretch: Stretch) -> Look:
    """A look for a shot of so many seconds."""

    def view() -> View:
        return dice.random(), dice.random(), dice.uniform(0.55, 0.95)

    first, aim, reach = view(), view(), min(1.0, seconds / FASTEST)
    left, top, width = (a + (b - a) * reach for a, b in zip(first, aim, strict=True))
    return Look(
        mirror=dice.random() < 0.5,
        speed=dice.uniform(0.85, 1.2),
        offset=dice.uniform(0, stretch.end - stretch.start),
        gain=(dice.uniform(0.8, 1.2), dice.uniform(0.8, 1.2), dice.uniform(0.8, 1.2)),
        noise=dice.uniform(1.0, 3.0),
        first=first,
        last=(left, top, width),
    )


def show(stretch: Stretch, look: Look, ticks: int, form: Form, text: str = "") -> Iterator[Picture]:
    """The pictures of one shot; ``text`` stands in a box near the bottom of all of them."""
    small, rate = _pictures(stretch, min(SMALL, form.height))
    last = len(small) - 1
    table = np.arange(256)[:, None] * np.array(look.gain)
    table = table.clip(0, 255).astype(np.uint8)[None].transpose(1, 0, 2)
    card = _card(text, form) if text else None
    grain = _grain(form, look.noise)
    moves = np.random.default_rng(round(look.offset * 1e6)).integers(0, NOISES, (ticks, 2))
    for tick, (down, right) in enumerate(moves):
        # To the last picture and back again: twice round a clip is a period.
        at = round((look.offset + tick * look.speed / form.fps) * rate) % (2 * last)
        picture = _cropped(small[min(at, 2 * last - at)], look, tick / max(1, ticks - 1), form)
        specks = grain[down : down + form.height, right : right + form.width]
        mixed = cv2.addWeighted(cv2.LUT(picture, table), 1, specks, 1, -128)
        if card is not None:
            top, left = form.height * 5 // 6 - card.shape[0], (form.width - card.shape[1]) // 2
            mixed[top : top + card.shape[0], left : left + card.shape[1]] = card
        yield np.asarray(mixed, np.uint8)


@lru_cache(maxsize=HELD)
def _pictures(stretch: Stretch, short_side: int) -> tuple[Sequence[Picture], Fraction]:
    """The pictures of a stretch, and how many there are in a second."""
    form = _small(stretch.path, short_side)
    first, last = round(stretch.start * form.fps), round(stretch.end * form.fps)
    return list(islice(read_pictures(stretch.path, form), first, last)), form.fps


def _cropped(small: Picture, look: Look, share: float, form: Form) -> Picture:
    """What the crop at this share of the shot shows, as large as the film.

    Whole pixels of the clip are enlarged, and what is too much is cut off then: a fifth of the work
    of ``cv2.warpAffine``, with a crop that glides from pixel to pixel of the film.
    """
    height, width = small.shape[:2]
    left, top, across = (a + (b - a) * share for a, b in zip(look.first, look.last, strict=True))
    wide = across * min(width, height * form.width / form.height)
    scale = form.width / wide
    x, y = left * (width - wide), top * (height - form.height / scale)
    box = small[int(y) : math.ceil(y + form.height / scale), int(x) : math.ceil(x + wide)]
    size = math.ceil(box.shape[1] * scale), math.ceil(box.shape[0] * scale)
    right = min(round((x - int(x)) * scale), size[0] - form.width)
    down = min(round((y - int(y)) * scale), size[1] - form.height)
    large = cv2.resize(box, size)[down : down + form.height, right : right + form.width]
    return np.asarray(cv2.flip(large, 1) if look.mirror else large, np.uint8)


@lru_cache(maxsize=1)
def _normal(form: Form) -> NDArray[np.float32]:
    shape = (form.height + NOISES, form.width + NOISES, 1)
    return np.random.default_rng(0).standard_normal(shape, np.float32)


def _grain(form: Form, noise: float) -> Picture:
    """Grey noise about 128, larger than the film so that it can be moved about."""
    grey = np.clip(128 + noise * _normal(form), 0, 255).astype(np.uint8)
    return np.repeat(grey, 3, axis=2)


def _card(text: str, form: Form) -> Picture:
    """Pale letters on a dark box; Pillow carries the font."""
    font = ImageFont.load_default(max(12, form.height // 14))
    left, top, right, bottom = font.getbbox(text)
    pad = form.height // 40
    size = round(right - left) + 2 * pad, round(bottom - top) + 2 * pad
    image = Image.new("RGB", size, (20, 22, 30))
    ImageDraw.Draw(image).text((pad - left, pad - top), text, (240, 236, 226), font)
    return np.asarray(image)
