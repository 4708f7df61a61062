"""Films whose every cut, dissolve and fade is known, for `evals.shots`.

    stock = [*textures(seed), *photographs(), *clips(folder)]
    film = make("dissolve", seed, stock)
    film.pictures, film.fps, film.truth

Shots are cameras that glide and shake over a still picture, with things moving in front of it, or
real footage; all in grain, some dark. The same seed and stock give the same film.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, cycle, islice
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from evals.film import Form, Picture
from evals.footage import read_pictures
from evals.shot_events import EVENTS, SIZE, WHITE, Chance, Roll, light, view

Kind = Literal["hard", "dissolve", "fade", "none"]
KINDS: tuple[Kind, ...] = ("hard", "dissolve", "fade", "none")
Stock = Callable[[Chance, float, float], Roll]
"""Rolls the camera: so many pictures a second, so much closer, without end."""

WIDTH, HEIGHT = SIZE
RATES = (24.0, 25.0, 30.0, 50.0)
"""Pictures per second that films have."""
SHOT = (1.5, 5.0)
"""Seconds that a shot lasts between its changes."""
DISSOLVE = (0.3, 2.0)
"""Seconds that a dissolve lasts."""
FADE = (0.2, 0.9)
"""Seconds that each half of a fade lasts."""
HOLD = (0.0, 0.2)
"""Seconds that a fade stays black or white."""
FAR, NEAR = (1.0, 1.2), (1.5, 1.9)
"""How close a camera is."""
AGAIN = 0.2
"""Share of changes that lead to the same scene from nearer or farther."""
LONGEST = 12.0
"""Seconds of a clip that are used."""
DEMO = Path(__file__).parent / "demo" / "demo_film.mp4"
PHOTOGRAPHS = (12, 25, 30, 40, 43, 69, 81, 99, 111)
"""Seconds at which the demo film shows a photograph, or a title card, nearly whole."""
STRETCHES = {
    "nasa_telescope": ((0.0, 5.08), (5.08, 8.08), (8.08, LONGEST)),
    "arm_wrestling": ((0.0, 8.1),),
}
"""Seconds between which clips that are cut or damaged are neither, as seen by eye."""


@dataclass(frozen=True)
class Change:
    """Where one shot becomes another: seconds of the first picture that is no longer purely the
    one before, and of the first that is purely the new one."""

    kind: Kind
    start: float
    end: float


@dataclass(frozen=True)
class Film:
    """A film and the truth about it."""

    fps: float
    pictures: list[Picture]
    truth: tuple[Change, ...] = ()


def make(kind: Kind, seed: int, stock: Sequence[Stock], seconds: float = 50.0) -> Film:
    """A film with changes of one kind, or one shot in which something else happens."""
    chance = np.random.default_rng([seed, KINDS.index(kind)])
    fps = float(chance.choice(RATES))
    shots = _shots(stock, chance, fps)
    roll = next(shots)
    pictures = list(islice(roll, round(chance.uniform(*SHOT) * fps)))
    if kind == "none":
        happens = EVENTS[seed % len(EVENTS)](roll, chance, fps)
        pictures += islice(chain(happens, roll), round(5 * fps))
        return Film(fps, pictures)
    truth = []
    while len(pictures) < seconds * fps:
        start, new = len(pictures), next(shots)
        pictures += _CHANGES[kind](roll, new, chance, fps) if kind in _CHANGES else []
        truth.append(Change(kind, start / fps, len(pictures) / fps))
        pictures += islice(new, round(chance.uniform(*SHOT) * fps))
        roll = new
    return Film(fps, pictures, tuple(truth))


def photographs() -> list[Stock]:
    """Cameras over the photographs of the demo film."""
    seen = islice(read_pictures(DEMO, Form(fps=Fraction(1))), max(PHOTOGRAPHS) + 1)
    return [_camera(still) for second, still in enumerate(seen) if second in PHOTOGRAPHS]


def textures(seed: int, count: int = 9) -> list[Stock]:
    """Cameras over pictures that no camera has seen: clouds, bricks and bubbles, in colours."""
    chance = np.random.default_rng(seed)
    return [_camera(_TEXTURES[index % len(_TEXTURES)](chance)) for index in range(count)]


def clips(folder: Path) -> list[Stock]:
    """The footage in a folder, in stretches that are neither cut nor damaged."""
    stretches = []
    for path in listed(folder):
        form = Form(width=WIDTH, height=HEIGHT)
        pictures = list(islice(read_pictures(path, form), round(LONGEST * float(form.fps))))
        for start, end in STRETCHES.get(path.stem, ((0.0, LONGEST),)):
            seconds = slice(round(start * float(form.fps)), round(end * float(form.fps)))
            stretches.append(_footage(pictures[seconds]))
    return stretches


def listed(folder: Path) -> list[Path]:
    """The clips in a folder."""
    return sorted(path for path in folder.iterdir() if path.suffix in (".mp4", ".mkv"))


def _shots(stock: Sequence[Stock], chance: Chance, fps: float) -> Iterator[Roll]:
    """Cameras over one thing after the other; now and then the same again, from near or far."""
    scene, near = int(chance.integers(len(stock))), False
    while True:
        closer = chance.uniform(*(NEAR if near else FAR))
        yield _developed(stock[scene](chance, fps, closer), chance)
        others = [index for index in range(len(stock)) if index != scene]
        if others and chance.random() > AGAIN:
            scene, near = int(chance.choice(others)), bool(chance.random() < 0.5)
        else:
            near = not near


def _developed(roll: Roll, chance: Chance) -> Roll:
    """In the shot's own light, which may be little, and in grain."""
    gain = chance.choice([1.0, 1.0, chance.uniform(0.25, 0.8)])
    flicker, grain = chance.choice([0.0, 0.03]), chance.uniform(0, 5)
    noise = chance.normal(0, grain, (4, HEIGHT, WIDTH, 1)).astype(np.float32)
    for picture, grains in zip(roll, cycle(noise), strict=False):
        lit = picture * np.float32(gain * (1 + chance.normal(0, flicker)))
        yield np.clip(lit + grains, 0, 255).astype(np.uint8)


def _camera(still: Picture) -> Stock:
    """A camera that glides over a still picture, on a stand or in a hand."""

    def roll(chance: Chance, fps: float, closer: float) -> Roll:
        speed, angle = chance.choice([0.0, 0.05, 0.2]), chance.uniform(0, 2 * np.pi)
        x, y = chance.uniform(-0.3, 0.3, 2)
        shake, sway = chance.choice([0.0, 0.006]), np.zeros(2)
        zoom, scale = chance.uniform(-0.04, 0.06), closer
        small = np.asarray(cv2.resize(still, SIZE, interpolation=cv2.INTER_AREA), np.uint8)
        thing = _thing(chance, fps)
        while True:
            sway = 0.8 * sway + chance.normal(0, shake, 2)
            x, y = x + speed * np.cos(angle) / fps, y + speed * np.sin(angle) / fps
            scale = min(max(scale * (1 + zoom / fps), 0.9), 3.0)
            yield thing(view(small, x + sway[0], y + sway[1], scale))

    return roll


def _thing(chance: Chance, fps: float) -> Callable[[Picture], Picture]:
    """Draws something that wanders about in front, in one shot out of two."""
    size, colour = chance.uniform(0.05, 0.3) * HEIGHT, chance.uniform(0, 255, 3)
    place, way = chance.uniform(0, WIDTH, 2), chance.uniform(-60, 60, 2)
    there = chance.random() < 0.5

    def draw(picture: Picture) -> Picture:
        place[:] += way / fps
        if there:
            x, y = place % (WIDTH + 2 * size, HEIGHT + 2 * size) - size
            cv2.circle(picture, (int(x), int(y)), round(size), colour.tolist(), -1, cv2.LINE_AA)
        return picture

    return draw


def _footage(pictures: list[Picture]) -> Stock:
    """Real footage from anywhere on, to its end and backwards again."""

    def roll(chance: Chance, fps: float, closer: float) -> Roll:
        x, y = chance.uniform(-0.5, 0.5, 2) * (1 - 1 / closer)
        there_and_back = [*range(len(pictures)), *range(len(pictures) - 2, 0, -1)]
        at = float(chance.integers(len(there_and_back)))
        while True:
            picture = pictures[there_and_back[int(at) % len(there_and_back)]]
            yield view(picture, x, y, closer)
            at += 25 / fps

    return roll


def _dissolve(old: Roll, new: Roll, chance: Chance, fps: float) -> Iterator[Picture]:
    frames = round(chance.uniform(*DISSOLVE) * fps)
    for share in np.linspace(0, 1, frames + 2)[1:-1]:
        mixed = cv2.addWeighted(next(old), 1 - share, next(new), share, 0.0)
        yield np.asarray(mixed, np.uint8)


def _fade(old: Roll, new: Roll, chance: Chance, fps: float) -> Iterator[Picture]:
    colour = WHITE if chance.random() < 0.3 else (0.0, 0.0, 0.0)
    frames = [round(chance.uniform(*FADE) * fps) for _ in range(2)]
    for share in np.linspace(0, 1, frames[0] + 2)[1:-1]:
        yield light(next(old), 1, colour, share)
    for _ in range(1 + round(chance.uniform(*HOLD) * fps)):
        yield light(next(old), 1, colour, 1)
    for share in np.linspace(1, 0, frames[1] + 2)[1:-1]:
        yield light(next(new), 1, colour, share)


_CHANGES = {"dissolve": _dissolve, "fade": _fade}


def _clouds(chance: Chance) -> Picture:
    """Noise of all sizes between two colours."""
    depth = sum(_noise(chance, 2**octave) / 1.7**octave for octave in range(2, 8))
    low, high = np.percentile(depth, [2, 98])
    share = np.clip((depth - low) / (high - low), 0, 1)[..., None]
    first, second = chance.uniform(0, 255, (2, 3))
    return np.asarray(first + (second - first) * share, np.uint8)


def _bricks(chance: Chance) -> Picture:
    """Rows of stones, each of a little other colour."""
    wall = np.full((HEIGHT, WIDTH, 3), chance.uniform(0, 255, 3), np.uint8)
    colour = chance.uniform(30, 225, 3)
    tall, wide = int(chance.integers(8, 30)), int(chance.integers(15, 60))
    for row, top in enumerate(range(0, HEIGHT, tall)):
        for left in range(-(row % 2) * wide // 2, WIDTH, wide):
            corners = (left, top), (left + wide - 3, top + tall - 3)
            cv2.rectangle(wall, *corners, (colour + chance.normal(0, 20, 3)).tolist(), -1)
    return wall


def _bubbles(chance: Chance) -> Picture:
    """Discs of all colours and sizes, the large ones behind."""
    picture = np.full((HEIGHT, WIDTH, 3), chance.uniform(0, 255, 3), np.uint8)
    for size in sorted(chance.uniform(3, 60, 60), reverse=True):
        at = int(chance.integers(WIDTH)), int(chance.integers(HEIGHT))
        colour = chance.uniform(0, 255, 3).tolist()
        cv2.circle(picture, at, round(size), colour, -1, cv2.LINE_AA)
    return picture


_TEXTURES = (_clouds, _bricks, _bubbles)


def _noise(chance: Chance, cells: int) -> np.ndarray:
    coarse = chance.random((cells, 2 * cells)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC))
