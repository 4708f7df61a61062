"""Pictures with words drawn into them, as the strip's samples are: 260 pixels high."""

from __future__ import annotations

import cv2
import numpy as np

from vmr_agent.protocols import Image

SIZE = (260, 462)  # height, width
WHITE, NAVY = (250, 250, 250), (20, 40, 90)


def scene(shift: int, size: tuple[int, int] = SIZE) -> Image:
    """Soft blots, moved to the left by ``shift`` pixels."""
    height, width = size
    blots = np.random.default_rng(5).integers(40, 200, (9, 60, 3), np.uint8)
    wide = cv2.resize(blots, (3 * width, height), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(wide[:, shift % (2 * width) :][:, :width])


def lettered(
    image: Image,
    text: str,
    *,
    left: int = 60,
    top: int = 200,
    ink: tuple[int, int, int] = WHITE,
    plate: tuple[int, int, int] | None = NAVY,
) -> Image:
    """The picture with a line of letters 20 pixels high, on a plate unless there is none."""
    found = image.copy()
    font, scale = cv2.FONT_HERSHEY_DUPLEX, 0.8
    (width, _), _ = cv2.getTextSize(text, font, scale, 2)
    if plate is not None:
        cv2.rectangle(found, (left, top), (left + width + 12, top + 32), plate, cv2.FILLED)
    cv2.putText(found, text, (left + 6, top + 24), font, scale, ink, 2, cv2.LINE_AA)
    return found
