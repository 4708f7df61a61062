"""What is easily taken for a cut and is none: things that happen within one shot of a made film.

An event takes a rolling camera, and gives its next pictures with something happening in them; an
end, if it has one, leaves the camera as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice, pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from evals.film import Picture

Roll = Iterator[Picture]
Chance = np.random.Generator
Event = Callable[[Roll, Chance, float], Iterator[Picture]]

SIZE = (256, 144)
"""Width and height of all pictures."""
WHITE = (255.0, 255.0, 255.0)
FIRE = (255.0, 170.0, 60.0)
BLUR = 4
"""Views that are averaged for one picture of a camera that turns fast."""


def view(picture: Picture, x: float, y: float, scale: float, angle: float = 0.0) -> Picture:
    """The picture seen from (x, y) shares off its middle; the world goes on in mirror images."""
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale)
    turn[:, 2] -= x * width * scale, y * height * scale
    moved = cv2.warpAffine(
        picture, turn, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(moved, np.uint8)


def light(picture: Picture, gain: float, tint: tuple[float, ...], share: float) -> Picture:
    """The picture under other light: so many times as bright, and so much of a colour over it."""
    lit = cv2.addWeighted(
        picture, gain * (1 - share), np.full_like(picture, tint), share, 0.0, dtype=cv2.CV_8U
    )
    return np.asarray(lit, np.uint8)


def calm(roll: Roll, chance: Chance, fps: float) -> Iterator[Picture]:
    """Nothing happens."""
    yield from islice(roll, round(chance.uniform(2, 4) * fps))


def flash(roll: Roll, chance: Chance, fps: float) -> Iterator[Picture]:
    """A camera's flash: white for one to three pictures of 25 a second, and gone."""
    share = chance.uniform(0.4, 1.0)
    for _ in range(max(1, round(chance.integers(1, 4) * fps / 25))):
        yield light(next(roll), chance.uniform(1, 2), WHITE, share)
        share *= chance.uniform(0.7, 1.0)


def flashes(roll: Roll, chance: Chance, fps: float) -> Iterator[Picture]:
    """Photographers: three to six flashes in a second or two."""
    for _ in range(chance.integers(3, 7)):
        yield from flash(roll, chance, fps)
        yield from islice(roll, round(chance.uniform(0.06, 0.4) * fps))


def explosion(roll: Roll, chance: Chance, fps: float) -> Iterator[Picture]:
    """Light and fire that flicker for half a second to one and a half, and die away."""
    frames = round(chance.uniform(0.5, 1.5) * fps)
    for left in np.linspace(1, 0, frames) ** 0.7:
        heat = chance.uniform(0.2, 0.9) * left
        fire = view(_cloud(chance, FIRE), 0, 0, 1 + left)
        lit = light(next(roll), 1 + 1.5 * heat, FIRE, 0.4 * heat)
        yield np.asarray(cv2.addWeighted(lit, 1 - heat, fire, heat, 0.0), np.uint8)


def whip(roll: Roll, chance: Chance, fps: float) -> Iterator[Picture]:
    """The camera is torn round to something else, in a sixth to a half of a second."""
    way, angle = chance.uniform(0.5, 1.5), chance.uniform(0, 2 * np.pi)
    shares = _eased(round(chance.uniform(0.16, 0.5) * fps))
    yield from _moved(roll, shares, way * np.cos(angle), way * np.sin(angle))


def pan(roll: Roll, chance: Chance, fps: float) -> Iterator[Picture]:
    """The camera turns by a picture's width or two, in one to three seconds."""
    way = chance.uniform(0.8, 2.0) * chance.choice([-1, 1])
    yield from _moved(roll, _eased(round(chance.uniform(1, 3) * fps)), way, 0.0)


def zoom(roll: Roll, chance: Chance, fps: float) -> Iterator[Picture]:
    """The lens closes in by half or to double, in a fifth of a second to one."""
    scale = chance.uniform(1.5, 2.2)
    yield from _moved(roll, _eased(round(chance.uniform(0.2, 1) * fps)), 0.0, 0.0, scale)


def quake(roll: Roll, chance: Chance, fps: float) -> Iterator[Picture]:
    """The one who films runs, or is hit."""
    x, y, angle = 0.0, 0.0, 0.0
    for _ in range(round(chance.uniform(0.5, 2) * fps)):
        x, y = 0.6 * x + chance.normal(0, 0.05), 0.6 * y + chance.normal(0, 0.07)
        angle = 0.7 * angle + chance.normal(0, 2)
        yield view(next(roll), x, y, 1.15, angle)


def passer(roll: Roll, chance: Chance, fps: float) -> Iterator[Picture]:
    """Something large passes close by: a third of the picture or all of its height."""
    frames = round(chance.uniform(0.4, 1.5) * fps)
    cloth = view(_cloud(chance, tuple(chance.uniform(0, 255, 3))), 0, 0, 2.0)
    height, width = cloth.shape[:2]
    tall, wide = chance.uniform(0.5, 1.2) * height, chance.uniform(0.25, 0.6) * width
    for place in np.linspace(-wide, width + wide, frames)[:: chance.choice([-1, 1])]:
        shape = np.zeros((height, width), np.uint8)
        cv2.ellipse(shape, ((place, height * 0.6), (wide, 2 * tall), 0.0), 255, -1)
        hidden = cv2.blur(shape, (9, 3))[..., None] / np.float32(255)
        yield np.asarray(next(roll) * (1 - hidden) + cloth * hidden, np.uint8)


def lamp(roll: Roll, chance: Chance, fps: float) -> Iterator[Picture]:
    """The light goes down at once or within a second, and comes back after a while."""
    low = chance.uniform(0.4, 0.65)
    down = np.linspace(1, low, max(2, round(chance.choice([0, 0.2, 1.0]) * fps)))
    dark = np.full(round(chance.uniform(1, 2) * fps), low)
    for gain in [*down, *dark, *down[::-1]]:
        yield light(next(roll), gain, WHITE, 0.0)


def title(roll: Roll, chance: Chance, fps: float) -> Iterator[Picture]:
    """A name in a box comes and goes at the foot of the picture."""
    for _ in range(round(chance.uniform(1, 2) * fps)):
        picture = np.ascontiguousarray(next(roll))
        height, width = picture.shape[:2]
        cv2.rectangle(picture, (0, height * 3 // 4), (width * 4 // 5, height * 19 // 20), 30, -1)
        cv2.putText(picture, "JANE DOE", (12, height * 9 // 10), 0, 0.7, WHITE, 2)
        yield picture


EVENTS: tuple[Event, ...] = (
    *(calm, flash, flashes, explosion, whip, pan, zoom, quake, passer, lamp, title),
)


def _eased(frames: int) -> NDArray[np.float64]:
    """Shares of a way at each of so many pictures, and one more: slow, fast, slow."""
    share = np.linspace(0, 1, max(2, frames) + 1)
    return np.asarray(share * share * (3 - 2 * share))


def _moved(
    roll: Roll, shares: NDArray[np.float64], x: float, y: float, scale: float = 1.0
) -> Iterator[Picture]:
    """The camera goes a way; what moves while the shutter is open is blurred. Then it stays."""
    for start, end in pairwise(shares):
        picture = next(roll)
        seen = [
            view(picture, share * x, share * y, scale**share)
            for share in np.linspace(start, end, BLUR, endpoint=False)
        ]
        yield np.asarray(np.mean(seen, axis=0), np.uint8)
    for picture in roll:
        yield view(picture, x, y, scale)


def _cloud(chance: Chance, colour: tuple[float, ...]) -> Picture:
    """Soft blots of a colour."""
    coarse = chance.random((5, 8)).astype(np.float32)
    soft = cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(soft[..., None] * 1.3 * np.asarray(colour), 0, 255), np.uint8)
