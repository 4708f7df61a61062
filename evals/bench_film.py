"""Films of any length for the benchmark, out of a folder of clips, in which nothing comes twice.

`build(clips, path, seconds)` writes a film and, beside it, a JSON file of what is in it. Every
showing of a clip has its own crop, direction, speed, colours and noise, every phrase its own
beginning, speed, loudness and noise: no chunk, batch or utterance of one can stand for another.
Shots last 2 to 60 s, every tenth has text, and somebody speaks nine tenths of the time and more.

A film that is only to be long can be small: twelve hours of 320x180 at 12 pictures a second are
built faster than one of 1280x720 at 25.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import count, product
from pathlib import Path
from random import Random
from typing import Any, TypedDict

from evals.bench_picture import Look, Stretch, invent, show, stretches
from evals.bench_voice import Said, speak, spoken, voices
from evals.film import Form, write_film
from evals.playlist import JoinError, load_clips
from evals.voices import Tap

DEMO = Path(__file__).parent / "demo" / "demo_film.mp4"
"""Its narrator speaks in every film."""
VERSION = 1
"""Raised when the same arguments give another film."""
SHORTEST, LONGEST = 2.0, 60.0
"""Seconds of a shot; the logarithm of its length is evenly spread."""
PRESET = "superfast"
"""Effort of x264: half the work of "veryfast", and no fewer frames that no other refers to."""
TENTH = 10
"""One of so many shots has text."""

FIRST = """amber bitter copper distant early faded gentle hollow idle jolly keen lunar marble nimble
olive polar quiet royal silver tidy upper velvet warm yellow zesty broken casual dusty eager frozen
""".split()
SECOND = """anchor basket candle dragon engine falcon garden harbor island jacket kettle ladder
mirror needle orchard pepper quarry ribbon saddle tunnel urchin valley window yogurt zipper bridge
castle desert ferry glacier""".split()


class Part(TypedDict):
    """A shot of the film."""

    start: float
    """Seconds from the start of the film."""
    end: float
    """Seconds from the start of the film."""
    file: str
    """The clip."""
    stretch: tuple[float, float]
    """The part of the clip, in its own seconds, that is played to and fro."""
    look: dict[str, Any]
    """How it was altered: the fields of ``bench_picture.Look``."""
    text: str
    """What is written on it, if anything."""


class Truth(TypedDict):
    """What is in a film."""

    film: str
    duration: float
    size: tuple[int, int]
    fps: float
    seed: int
    shots: list[Part]
    said: list[Said]
    voiced: list[tuple[float, float]]
    """When somebody speaks, as measured in the finished film."""
    voiced_share: float


@dataclass(frozen=True)
class Shot:
    """A shot as planned."""

    ticks: int
    stretch: Stretch
    look: Look
    text: str


def build(
    clips: Path,
    path: Path,
    seconds: float,
    size: tuple[int, int] = (1280, 720),
    fps: float = 25,
    seed: int = 0,
) -> Truth:
    """Write the film `path` and its truth beside it; the same arguments give the same film."""
    if not SHORTEST <= seconds < math.inf:
        raise JoinError(f"a film lasts {SHORTEST:g} s at least, and not for ever")
    form = Form(*size, Fraction(fps).limit_denominator(1001), preset=PRESET)
    listed = load_clips(clips)
    seen = [s for c in listed.values() if c.start is not None for s in stretches(c.path)]
    if not seen:
        raise JoinError(f"no clip in {clips} shows anything for two seconds without a cut")
    files = {path.resolve() for path in [*(clip.path for clip in listed.values()), DEMO]}
    heard = voices(sorted(files, key=lambda file: file.name), form.rate)
    shots = plan(seen, seconds, form, Random(f"shots {seed}"))
    said: list[Said] = []
    tap = Tap(speak(heard, Random(f"voices {seed}"), form.rate, said))
    parts: list[Part] = []
    with write_film(path, form) as film:
        for shot in shots:
            start = film.seconds
            for picture in show(shot.stretch, shot.look, shot.ticks, form, shot.text):
                film.write(picture, tap.take(film.due))
            parts.append(_part(shot, start, film.seconds))
    voiced = spoken(path)
    truth: Truth = {
        "film": path.name,
        "duration": round(film.seconds, 3),
        "size": size,
        "fps": float(form.fps),
        "seed": seed,
        "shots": parts,
        "said": said,
        "voiced": [(round(a, 2), round(b, 2)) for a, b in voiced],
        "voiced_share": round(sum(b - a for a, b in voiced) / film.seconds, 4),
    }
    path.with_suffix(".json").write_text(json.dumps(truth) + "\n", encoding="utf-8")
    return truth


def cached(
    clips: Path,
    folder: Path,
    seconds: float,
    size: tuple[int, int] = (1280, 720),
    fps: float = 25,
    seed: int = 0,
) -> tuple[Path, Truth]:
    """The film of these clips and arguments, built unless it is in the folder already."""
    asked = json.dumps([VERSION, seconds, size, fps, seed])
    digest = hashlib.blake2b(asked.encode(), digest_size=6)
    for each in [*sorted(p for p in clips.iterdir() if p.is_file()), DEMO]:
        with each.open("rb") as file:
            digest.update(each.name.encode() + hashlib.file_digest(file, "blake2b").digest())
    name = f"{seconds:g}s-{size[0]}x{size[1]}-{fps:g}fps-{digest.hexdigest()}.mp4"
    path = folder / name
    if not (path.is_file() and path.with_suffix(".json").is_file()):
        folder.mkdir(parents=True, exist_ok=True)
        build(clips, path, seconds, size, fps, seed)
    truth: Truth = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return path, truth


def plan(seen: Sequence[Stretch], seconds: float, form: Form, dice: Random) -> list[Shot]:
    """Shots that fill so many seconds, no clip twice running where there are several."""
    words, texts = _words(dice), _which(dice)
    shots: list[Shot] = []
    stretch = None
    for ticks in lengths(seconds, form, dice):
        stretch = _other(seen, stretch, dice)
        look = invent(dice, float(ticks / form.fps), stretch)
        shots.append(Shot(ticks, stretch, look, next(words) if next(texts) else ""))
    return shots


def lengths(seconds: float, form: Form, dice: Random) -> Iterator[int]:
    """Ticks of each shot."""
    shortest, longest = (math.ceil(s * form.fps) for s in (SHORTEST, LONGEST))
    left = round(seconds * form.fps)
    while left > 0:
        ticks = round(math.exp(dice.uniform(math.log(shortest), math.log(longest))))
        if left - ticks < shortest:
            ticks = left if left <= longest else left - shortest
        yield ticks
        left -= ticks


def _other(seen: Sequence[Stretch], last: Stretch | None, dice: Random) -> Stretch:
    """Any clip as likely as any other, but not the last one; its long stretches oftener."""
    files = sorted({s.path for s in seen})
    if last and len(files) > 1:
        files.remove(last.path)
    path = dice.choice(files)
    mine = [s for s in seen if s.path == path]
    mine = [s for s in mine if s != last] or mine
    return dice.choices(mine, [s.end - s.start for s in mine])[0]


def _which(dice: Random) -> Iterator[bool]:
    """One of every ten is true."""
    while True:
        lucky = dice.randrange(TENTH)
        yield from (number == lucky for number in range(TENTH))


def _words(dice: Random) -> Iterator[str]:
    """Texts of two words and a number, none twice."""
    pairs = list(product(FIRST, SECOND))
    for number in count(10):
        dice.shuffle(pairs)
        yield from (f"{first} {second} {number}" for first, second in pairs)


def _part(shot: Shot, start: float, end: float) -> Part:
    return {
        "start": round(start, 3),
        "end": round(end, 3),
        "file": shot.stretch.path.name,
        "stretch": (round(shot.stretch.start, 3), round(shot.stretch.end, 3)),
        "look": asdict(shot.look),
        "text": shot.text,
    }
