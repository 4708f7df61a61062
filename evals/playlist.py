"""What is joined and in which order: the clips of a folder, and the rounds of a film."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from evals.footage import picture_start

SPOKEN = "(spoken)"
"""Ends a query of `clips.json` that is about what is said."""


class JoinError(Exception):
    """What was asked for cannot be joined; the message says why in one line."""


class Clip(NamedTuple):
    """An entry of `clips.json`."""

    path: Path
    queries: tuple[str, ...]
    """What it shows or says, each in plain words."""
    start: float | None
    """Its first picture, in seconds on its own clock; None for sound alone."""


Order = Sequence[str] | Literal["shuffle"] | None
"""Names of clips, any order that a seed gives, or that of `clips.json`."""

Clips = Mapping[str, Clip]
"""By file name, in the order of `clips.json`."""


def load_clips(folder: Path) -> Clips:
    """The clips of a folder as its `clips.json` lists them."""
    listing = folder / "clips.json"
    if not listing.is_file():
        raise JoinError(f"{listing} is missing")
    try:
        entries = json.loads(listing.read_text(encoding="utf-8"))
        named = {str(e["file"]): tuple(str(q) for q in e.get("queries", [])) for e in entries}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise JoinError(f"{listing} is not a list of clips, each with its file") from None
    for name in named:
        if not (folder / name).is_file():
            raise JoinError(f"{folder / name} is missing, though {listing} lists it")
    return {
        name: Clip(folder / name, queries, picture_start(folder / name))
        for name, queries in named.items()
    }


def find(clips: Clips, name: str) -> str:
    """The file name of the clip called `name`, with or without its ending."""
    for file in clips:
        if name in (file, Path(file).stem):
            return file
    raise JoinError(f"clips.json lists no {name!r}")


def choose(clips: Clips, order: Order) -> list[str]:
    """The file names of the picture clips in `order`; all of them if it names none."""
    if order is None or order == "shuffle":
        chosen = [file for file, clip in clips.items() if clip.start is not None]
    else:
        chosen = [find(clips, name) for name in order]
    for file in chosen:
        if clips[file].start is None:
            raise JoinError(f"{file} has no picture to join; lay it under a clip")
    if not chosen:
        raise JoinError("there is no clip to join")
    return chosen


def rounds(
    clips: Clips, order: Order = None, repeat: Mapping[str, int] | None = None, seed: int = 0
) -> Iterator[list[str]]:
    """The file names of a film, round by round and without end; from the second on shuffled.

    Every round has all chosen clips, those in `repeat` that many times.
    """
    dice = random.Random(seed)
    now = choose(clips, order)
    counts = Counter(now)
    for name, times in (repeat or {}).items():
        if find(clips, name) not in counts:
            raise JoinError(f"{name!r} is to be repeated but is not in the order")
        if times < 1:
            raise JoinError(f"{name!r} cannot come {times} times")
        counts[find(clips, name)] = times
    names = list(counts)
    if order == "shuffle":
        dice.shuffle(names)
    if order == "shuffle" or repeat:
        now = spread(names, counts)
    while True:
        yield now
        dice.shuffle(names)
        now = spread(names, counts, last=now[-1])


def spread(names: Sequence[str], counts: Mapping[str, int], last: str = "") -> list[str]:
    """Each name as often as it counts, evenly far apart, and no name twice running if possible.

    `last` is the name that came before.
    """
    places = sorted(
        (((i + 0.5) / len(names) + j / counts[name]) % 1, name)
        for i, name in enumerate(names)
        for j in range(counts[name])
    )
    waiting = [name for _, name in places]
    done: list[str] = []
    while waiting:
        most = max(waiting, key=waiting.count)
        # Put off any longer, the most frequent name would have to follow itself.
        urgent = [most] if 2 * waiting.count(most) > len(waiting) else []
        last = next((name for name in [*urgent, *waiting] if name != last), last)
        waiting.remove(last)
        done.append(last)
    return done
