"""Words drawn into the pictures of a film: on a plate, like a sign, or with an outline."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from evals import planes
from evals.film import Form, Planes

WIDEST = 0.9
"""Share of the picture's width that words take at most."""
SMALLEST = 8
"""Pixels; letters are never smaller, however small the film."""
Colour = tuple[int, int, int]


class Style(NamedTuple):
    """How words look, and where they stand."""

    x: float
    """Where in the room that they leave: 0 at the left edge, 1 at the right."""
    y: float
    """0 at the upper edge, 1 at the lower."""
    size: float
    """Height of a line as a share of the picture's."""
    ink: Colour
    """Of the letters, RGB."""
    ground: Colour
    """Of the plate, or of the outline."""
    plate: bool
    """Whether they stand on a plate."""


class Lettering:
    """Words ready to be drawn into any picture of a film."""

    def __init__(self, text: str, style: Style, form: Form) -> None:
        image = _drawn(text, style, form)
        high, wide = image.shape[:2]
        self._top = round(style.y * (form.height - high)) // 2 * 2
        self._left = round(style.x * (form.width - wide)) // 2 * 2
        cover = image[..., 3].astype(np.float32) / 255
        colours = planes.planes(planes.of_rgb(np.ascontiguousarray(image[..., :3])))
        small = cv2.resize(cover, (wide // 2, high // 2), interpolation=cv2.INTER_AREA)
        self._parts = [
            (np.asarray(share, np.float32), colour * share)
            for share, colour in zip((cover, small, small), colours, strict=True)
        ]

    def on(self, picture: Planes) -> Planes:
        """The picture with the words in it."""
        found = picture.copy()
        sides = zip(planes.planes(found), self._parts, (1, 2, 2), strict=True)
        for part, (share, colour), step in sides:
            top, left = self._top // step, self._left // step
            place = part[top : top + share.shape[0], left : left + share.shape[1]]
            place[:] = np.rint(place * (1 - share) + colour)
        return found


def _drawn(text: str, style: Style, form: Form) -> NDArray[np.uint8]:
    """The words and what they stand on: RGBA of even sides, in one line or two."""
    size = max(SMALLEST, round(style.size * form.height))
    box = _box(text, size)
    if box[0] > WIDEST * form.width and " " in text:
        text = _folded(text)
        box = _box(text, size)
    while box[0] > WIDEST * form.width and size > SMALLEST:
        size -= 1
        box = _box(text, size)
    # Pillow carries this font: the words are the same on every machine.
    font, pad = ImageFont.load_default(size), _padding(size)
    # The letters are drawn on the colour around them, so that no edge takes any other.
    image = Image.new("RGBA", box, (*style.ground, 255 if style.plate else 0))
    pen = ImageDraw.Draw(image)
    stroke = 0 if style.plate else max(1, size // 12)
    pen.multiline_text(
        (pad, pad),
        text,
        style.ink,
        font,
        align="center",
        stroke_width=stroke,
        stroke_fill=style.ground,
    )
    return np.asarray(image, np.uint8)[: form.height // 2 * 2, : form.width // 2 * 2]


def _box(text: str, size: int) -> tuple[int, int]:
    """Width and height that words take with what is around them; even."""
    pen = ImageDraw.Draw(Image.new("L", (1, 1)))
    _, _, right, bottom = pen.multiline_textbbox((0, 0), text, ImageFont.load_default(size))
    wide, high = (2 * int(-(-side // 2)) + 2 * _padding(size) for side in (right, bottom))
    return wide, high


def _padding(size: int) -> int:
    return max(2, size // 8 * 2)


def _folded(text: str) -> str:
    """In two lines, as equal as can be."""
    words = text.split()
    ways = [(" ".join(words[:n]), " ".join(words[n:])) for n in range(1, len(words))]
    upper, lower = min(ways, key=lambda way: abs(len(way[0]) - len(way[1])))
    return f"{upper}\n{lower}"
