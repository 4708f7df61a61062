"""The two sides of a film, what is seen and what is heard, and how much either counts (IMG).

Retrieval takes the best of all channels. Where both sides have something to say of a question, a
gate tells which is to be believed: the other one's odds are lowered, never anybody's raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, takewhile

import numpy as np

from vmr_agent import curves
from vmr_agent.artefacts import Curves
from vmr_agent.protocols import Array, Arrays, Bounded, GateRequest
from vmr_agent.relevance import quoted
from vmr_agent.settings import RetrieveSettings
from vmr_agent.types import Channel, Query

SEEN: tuple[Channel, ...] = ("picture", "text")
HEARD: tuple[Channel, ...] = ("speech", "sound")
MOST = 10
"""Peaks of a side that a gate is told."""


def request(
    query: Query, found: Curves, rows: Array, duration: float, settings: RetrieveSettings
) -> GateRequest | None:
    """What a gate is asked about the curves (C, T); None where there is nothing to be weighed.

    That is where one of the sides has nothing to say, and where the question names its own: words
    that are said or written, or a sound.
    """
    if query.spoken or query.written or query.sounds:
        return None
    seen, heard = (_best(rows, found.channels, side) for side in (SEEN, HEARD))
    at = [_peaks(side, found.step, duration, settings) for side in (seen, heard)]
    return GateRequest(found.step, seen, heard, *at) if all(at) else None


def weighed(found: Curves, arrays: Arrays, importance: float) -> tuple[Curves, Arrays]:
    """The same with what is heard counting ``importance``; with 0.5 nothing is changed.

    What is quoted word for word is not lowered.
    """
    rows = arrays["curves"]
    shares = [_share(name, importance) for name in found.channels]
    less = np.array(shares, np.float32).reshape(-1, 1)
    lowered = less * rows / (1 - rows + less * rows).clip(1e-9)  # its odds, times that
    kept = np.where(quoted(rows, found.channels), rows, lowered)
    made = found.model_copy(update={"importance": importance})
    return made, {**arrays, "curves": kept.astype(np.float32)}


def _share(name: Channel, importance: float) -> float:
    """What is left of a channel's odds: as much as its side is less likely than the other."""
    mine, other = importance, 1 - importance
    if name in SEEN:
        mine, other = other, mine
    return 1.0 if mine >= other else mine / other


def _best(rows: Array, names: Sequence[Channel], side: Sequence[Channel]) -> Array:
    mine = [row for row, name in zip(rows, names, strict=True) if name in side]
    return np.max(mine, axis=0) if mine else np.zeros(rows.shape[1], np.float32)


def _peaks(
    side: Array, step: float, duration: float, settings: RetrieveSettings
) -> tuple[Bounded, ...]:
    found = curves.peaks(side, step, duration, settings.fall, settings.bridge)
    worth = takewhile(lambda peak: peak.height >= curves.FAINT, found)
    return tuple(Bounded(peak.span, min(1.0, peak.height)) for peak in islice(worth, MOST))
