"""detect_shots: the one decode of the picture gives the shots and the strip (SMART: structure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from vmr_agent.artefacts import Ending, Footage, Take
from vmr_agent.keyframes import keyframes
from vmr_agent.playback import Reel, Taken
from vmr_agent.protocols import Arrays
from vmr_agent.strip import Strip, encoded, likeness
from vmr_agent.timeline import coverage, falls_short
from vmr_agent.types import Shot, Span


def take(reel: Reel, quality: int) -> tuple[Take, Arrays]:
    """What one reel gave, and its strip as arrays: samples, and key frames (prefix ``key_``)."""
    samples = Strip.of([s.time for s in reel.samples], [s.webp for s in reel.samples])
    keys = Strip.of([k.time for k in reel.keys], [encoded(k.image, quality) for k in reel.keys])
    arrays = {**samples.arrays(), **keys.arrays("key_")}
    ending = Ending.model_validate(reel.ending) if reel.ending is not None else None
    holes = tuple(reel.holes)
    made = Take(kept=reel.kept, met=reel.met, cuts=reel.cuts, holes=holes, ending=ending)
    return made, arrays


def keyed(reel: Reel, every: float) -> Reel:
    """The reel with fewer key frames: each shot's first and most novel, and one ``every`` s.

    Those that show writing come or go all stay.
    """
    if not reel.keys:
        return reel
    times = np.asarray([key.time for key in reel.keys])
    looks = likeness([key.image for key in reel.keys])
    chosen = set(keyframes(times, looks, np.asarray(reel.cuts, np.float64)).tolist())
    kept: list[Taken] = []
    for index, key in enumerate(reel.keys):
        first = not kept or key.time - kept[-1].time >= every
        if key.news or index in chosen or first:
            kept.append(key)
    return replace(reel, keys=kept)


def detect_shots(takes: Iterable[Take], min_length: float) -> Footage:
    """The film, from all its reels in order; none for a film without picture.

    A shot shorter than ``min_length`` seconds goes to the one before, the first to the next.
    """
    takes = list(takes)
    if not takes:
        return Footage(duration=0, coverage=0, lost=0, unreadable=(), shots=())
    ending = takes[-1].ending
    assert ending is not None, "the last reel knows how the film ends"
    kept, met = sum(each.kept for each in takes), sum(each.met for each in takes)
    duration, promise = ending.duration, ending.promise
    holes = [hole for each in takes for hole in each.holes]
    if kept and falls_short(duration, promise):
        holes.append(Span(start=duration, end=promise))
    cuts = sorted({cut for each in takes for cut in each.cuts if 0 < cut < duration})
    return Footage(
        duration=duration,
        coverage=coverage(kept, met, duration, promise),
        lost=met - kept,
        frames=kept,
        unreadable=tuple(holes),
        shots=_tiled(cuts, duration, min_length),
    )


def _tiled(cuts: Sequence[float], duration: float, min_length: float) -> tuple[Shot, ...]:
    def short(start: float, end: float) -> bool:
        return round(end - start, 6) < min_length

    starts = [0.0]
    for cut in cuts:
        if not short(starts[-1], cut):
            starts.append(cut)
        elif len(starts) > 1:
            starts[-1] = cut
    if len(starts) > 1 and short(starts[-1], duration):
        starts.pop()
    pairs = zip(starts, [*starts[1:], duration], strict=True)
    return tuple(Shot(span=Span(start=a, end=b)) for a, b in pairs if a < b)
