"""What is joined and in which order: the clips of a folder, and the rounds of a film."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Literal, NamedTuple

from evals import stills
from evals.footage import picture_start, sound_length

SPOKEN = "(spoken)"
"""Ends a query of `clips.json` that is about what is said."""


class JoinError(Exception):
    """What was asked for cannot be joined; the message says why in one line."""


class Said(NamedTuple):
    """A sentence in a sound file."""

    text: str
    start: float
    """Seconds from the start of the file."""
    end: float


class Clip(NamedTuple):
    """An entry of `clips.json`."""

    path: Path
    queries: tuple[str, ...]
    """What it shows or says, each in plain words."""
    start: float | None
    """Its first picture, in seconds on its own clock; None for sound alone."""
    said: tuple[Said, ...] = ()
    """What is said in a sound file, and when."""
    like: str = ""
    """Clips of one name are alike, though they do not show the same."""

    @property
    def still(self) -> bool:
        """Whether it is a photograph."""
        return stills.is_still(self.path)


Order = Sequence[str] | Literal["shuffle"] | None
"""Names of clips, any order that a seed gives, or that of `clips.json`."""

Clips = Mapping[str, Clip]
"""By file name, in the order of `clips.json`."""


def load_clips(folder: Path) -> Clips:
    """The clips of a folder as its `clips.json` lists them. Raises JoinError."""
    listing = folder / "clips.json"
    if not listing.is_file():
        raise JoinError(f"{listing} is missing")
    try:
        entries = json.loads(listing.read_text(encoding="utf-8"))
        listed = {str(entry["file"]): _listed(folder, entry) for entry in entries}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise JoinError(f"{listing} is not a list of clips, each with its file") from None
    for clip in listed.values():
        if not clip.path.is_file():
            raise JoinError(f"{clip.path} is missing, though {listing} lists it")
    return {name: _opened(clip) for name, clip in listed.items()}


def _listed(folder: Path, entry: Mapping[str, Any]) -> Clip:
    """As an entry says; keys that nobody knows are nobody's business."""
    said = tuple(
        Said(" ".join(str(each["text"]).split()), float(each["start"]), float(each["end"]))
        for each in _many(entry, "said")
    )
    queries = tuple(str(query) for query in _many(entry, "queries"))
    return Clip(folder / str(entry["file"]), queries, None, said, str(entry.get("like") or ""))


def _many(entry: Mapping[str, Any], key: str) -> list[Any]:
    """A list of an entry, empty if there is none. Raises TypeError for anything else."""
    found = entry.get(key, [])
    if not isinstance(found, list):
        raise TypeError(key)
    return found


def _opened(clip: Clip) -> Clip:
    """With its first picture. Raises JoinError, or PyAV's error, for what cannot be."""
    if clip.still and not stills.opens(clip.path):
        raise JoinError(f"{clip.path} is no picture that can be opened")
    start = 0.0 if clip.still else picture_start(clip.path)
    if clip.said and start is not None:
        raise JoinError(f"{clip.path} has pictures: what is said is told of sound files alone")
    length = sound_length(clip.path) if clip.said else 0.0
    for text, begin, end in clip.said:
        if not (text and 0 <= begin < end <= length):
            raise JoinError(
                f"{clip.path} lasts {length:.2f} s: {text!r} cannot be said in it"
                f" from {begin:g} to {end:g}"
            )
    return clip._replace(start=start)


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
    left = Counter(waiting)
    done: list[str] = []
    while waiting:
        most, times = left.most_common(1)[0]
        # Put off any longer, the most frequent name would have to follow itself.
        urgent = [most] if 2 * times > len(waiting) else []
        last = next((name for name in chain(urgent, waiting) if name != last), last)
        waiting.remove(last)
        left[last] -= 1
        done.append(last)
    return done
