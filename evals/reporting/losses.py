"""Where right answers were lost, room by room, as far as runs measured it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from evals.logbook import Sample

ORDER = ("index", "understand", "retrieve", "filter", "caption", "trim", "ground", "verify")
"""Of rooms on the way; a name that begins with one of them is that room's."""
ROOMS = 16
"""Rooms told of at most."""


class Loss(NamedTuple):
    """A room."""

    room: str
    lost: int
    """Queries whose right answer went in here and did not come out."""
    share: float
    """Of all queries about something, 0 to 1."""
    left: float
    """Share of all whose right answer is still there behind this room."""


def losses(samples: Sequence[Sample]) -> list[Loss]:
    """By room, on the way from the film to the answer; nothing where it was not measured."""
    present = [sample for sample in samples if sample.truth]
    found = Counter(sample.lost for sample in present if sample.lost)
    rows, left = [], len(present)
    for room in sorted(found, key=_place)[:ROOMS]:
        left -= found[room]
        rows.append(Loss(room, found[room], found[room] / len(present), left / len(present)))
    return rows


def _place(room: str) -> int:
    places = [n for n, name in enumerate(ORDER) if room.startswith(name)]
    return places[0] if places else len(ORDER)
