"""How much of a film is looked at and kept: what a frame budget costs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vmr_agent.artefacts import Take
from vmr_agent.state import State
from vmr_agent.toolbox import Toolbox

HOUR = 3600
HALF = 2
"""Bytes of a number of a vector on the shelf."""
SECONDS = 8
"""Bytes of a time."""


def budget(places: Iterable[Path], box: Toolbox) -> dict[str, float]:
    """Per hour of film: samples looked at, key frames read, vectors kept and their kilobytes."""
    hours = samples = keys = vectors = size = 0.0
    for place in places:
        tray = State(video=box.probe(place))
        film = box.film(tray)
        hours += film.video.duration / HOUR
        vectors += len(film.times)
        size += film.vectors.size * HALF + len(film.times) * SECONDS
        for _, arrays in box.shelf.pieces(box.name(tray, "footage"), Take):
            samples += len(arrays["times"])
            keys += len(arrays["key_times"])
    return {
        "samples/h": round(samples / hours),
        "key frames/h": round(keys / hours),
        "vectors/h": round(vectors / hours),
        "kB/h": round(size / 1000 / hours),
    }
