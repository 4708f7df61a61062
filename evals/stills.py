"""Photographs as clips: shown still, or glided over by a slow camera."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from evals import planes
from evals.film import Form, Picture, Planes

ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
SECONDS = 6.0
"""How long a photograph is shown if nothing else is said."""
FINE = 2.0
"""A photograph is kept at most so many times as wide and high as the film."""


class View(NamedTuple):
    """A window on a photograph, of the film's shape."""

    x: float
    """Where in the room that it leaves: 0 at the left edge, 1 at the right."""
    y: float
    """0 at the upper edge, 1 at the lower."""
    share: float
    """Its width as a share of the widest window that fits."""


class Glide(NamedTuple):
    """A camera that moves from one view to another."""

    start: View
    end: View
    seconds: float
    """How long it takes for all of it; a part of the clip shows a part of it."""


def is_still(path: Path) -> bool:
    """Whether a file is a photograph, by its name."""
    return path.suffix.lower() in ENDINGS


def opens(path: Path) -> bool:
    """Whether a photograph can be opened, and is not larger than anything sane."""
    try:
        with Image.open(path) as image:
            image.draft("RGB", (64, 64))
            image.load()
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return False
    return True


def read_still(
    path: Path, form: Form, first: float = 0.0, last: float = math.inf, glide: Glide | None = None
) -> Iterator[Planes]:
    """A photograph for as long as it is shown, one picture a tick; still, the same array each."""
    ticks = range(round(first * form.fps), round(min(last, _length(last)) * form.fps))
    photo = _photo(path, form)
    if glide is None:
        yield from [planes.of_rgb(_framed(photo, form))] * len(ticks)
        return
    for tick in ticks:
        gone = min(1.0, float(tick / form.fps) / glide.seconds)
        pairs = zip(glide.start, glide.end, strict=True)
        yield planes.of_rgb(_through(photo, View(*(a + (b - a) * gone for a, b in pairs)), form))


def _length(last: float) -> float:
    return SECONDS if math.isinf(last) else last


def _photo(path: Path, form: Form) -> Picture:
    """Upright, RGB, and not much larger than it is shown."""
    with Image.open(path) as image:
        image.draft("RGB", (round(form.width * FINE), round(form.height * FINE)))
        photo = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    scale = FINE * max(form.width / photo.shape[1], form.height / photo.shape[0])
    return _scaled(photo, scale) if scale < 1 else photo


def _scaled(photo: Picture, scale: float) -> Picture:
    size = [max(1, round(side * scale)) for side in (photo.shape[1], photo.shape[0])]
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(photo, size, interpolation=way), np.uint8)


def _framed(photo: Picture, form: Form) -> Picture:
    """All of it, as large as fits, on black."""
    small = _scaled(photo, min(form.width / photo.shape[1], form.height / photo.shape[0]))
    small = small[: form.height, : form.width]
    picture = np.zeros((form.height, form.width, 3), np.uint8)
    top, left = (form.height - small.shape[0]) // 2, (form.width - small.shape[1]) // 2
    picture[top : top + small.shape[0], left : left + small.shape[1]] = small
    return picture


def _through(photo: Picture, view: View, form: Form) -> Picture:
    """What is seen through a window, at the film's size."""
    high, wide = photo.shape[:2]
    across = view.share * min(wide, high * form.width / form.height)
    scale = across / form.width  # pixels of the photograph for one of the film
    left, top = view.x * (wide - across), view.y * (high - scale * form.height)
    to_photo = np.array([[scale, 0, left], [0, scale, top]])
    seen = cv2.warpAffine(
        photo,
        to_photo,
        (form.width, form.height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(seen, np.uint8)
