"""Pictures as the encoder has them: I420, brightness at full size and two colours at half.

A film is encoded from this; whatever is only joined never needs to be RGB, which takes three times
the work. All of it is BT.601 in the range of television, as ``FilmWriter`` makes it of RGB.
"""

from __future__ import annotations

from functools import lru_cache

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from evals.film import Form, Picture, Planes
from evals.footage import Shown, room

PLAIN, TELEVISION = (2, 5, 6), (0, 1)
"""AVColorSpace and AVColorRange of BT.601 and its range, or of frames that do not say."""
_SCALER = VideoReformatter()
BLACK = (16, 128, 128)
"""Brightness and colours of black."""


def planes(picture: Planes) -> tuple[Picture, Picture, Picture]:
    """Views of brightness (H, W) and of the two colours (H/2, W/2) of a picture."""
    high, wide = picture.shape[0] * 2 // 3, picture.shape[1]
    flat, quarter = picture.reshape(-1), high * wide // 4
    half = (high // 2, wide // 2)
    ends = high * wide, high * wide + quarter
    colours = flat[ends[0] : ends[1]].reshape(half), flat[ends[1] :].reshape(half)
    return flat[: ends[0]].reshape(high, wide), *colours


def of_rgb(picture: Picture) -> Planes:
    """The same picture, of even sides, from RGB (H, W, 3)."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420), np.uint8)


def fit(shown: Shown, form: Form) -> Planes:
    """A picture of the film's size: upright, as large as fits, on black."""
    wide, high, turns = room(shown, form)
    wide, high = (max(2, 2 * round(side / 2)) for side in (wide, high))
    small = np.asarray(_scaled(shown.frame, wide, high).to_ndarray(), np.uint8)
    if small.shape == (form.height * 3 // 2, form.width) and not turns:
        return np.ascontiguousarray(small)
    picture = _black(form).copy()
    upright = (wide, high) if turns % 2 else (high, wide)
    # Even bars: a pixel of colour belongs to four of brightness.
    bars = [
        (free - side) // 4 * 2
        for free, side in zip((form.height, form.width), upright, strict=True)
    ]
    for part, whole in zip(planes(small), planes(picture), strict=True):
        turned = np.rot90(part, turns)
        whole_to_part = form.height // whole.shape[0]
        top, left = (bar // whole_to_part for bar in bars)
        whole[top : top + turned.shape[0], left : left + turned.shape[1]] = turned
    return picture


def _scaled(frame: av.VideoFrame, wide: int, high: int) -> av.VideoFrame:
    """In the colours of this file's head. Most frames of one clip are scaled alike: once set up."""
    same = (frame.format.name, frame.width, frame.height) == ("yuv420p", wide, high)
    if same and frame.colorspace in PLAIN and frame.color_range in TELEVISION:
        return frame
    return _SCALER.reformat(
        frame,
        wide,
        high,
        format="yuv420p",
        interpolation="AREA",
        dst_colorspace=Colorspace.ITU601,
        dst_color_range=ColorRange.MPEG,
        threads=1,  # to start threads for each picture takes as long as to scale it
    )


def closer(picture: Planes, zoom: float) -> Planes:
    """The middle of a picture, so much closer, at the same size."""
    found = np.empty_like(picture)
    for part, whole in zip(planes(picture), planes(found), strict=True):
        high, wide = part.shape
        top, left = (round(side * (1 - 1 / zoom) / 2) for side in (high, wide))
        inside = part[top : high - top, left : wide - left]
        whole[:] = cv2.resize(inside, (wide, high))
    return found


def mirrored(picture: Planes) -> Planes:
    """Left for right."""
    found = np.empty_like(picture)
    for part, whole in zip(planes(picture), planes(found), strict=True):
        whole[:] = part[:, ::-1]
    return found


def mixed(one: Planes, share: float, other: Planes) -> Planes:
    """``share`` of one picture and the rest of the other."""
    return np.asarray(cv2.addWeighted(one, share, other, 1 - share, 0), np.uint8)


@lru_cache(4)
def _black(form: Form) -> Planes:
    picture = np.empty((form.height * 3 // 2, form.width), np.uint8)
    for part, value in zip(planes(picture), BLACK, strict=True):
        part[:] = value
    return picture
