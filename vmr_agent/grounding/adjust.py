"""From ranked windows in steps to moments in seconds: ends where they belong, lengths that can be.

The network knows ends to a step of its own; the curves and the cuts know them better. What follows
is FlashMMR's constrained adjustment (2025): windows inside the film, lengths within limits about
their middle, and inside again without a change of length, so that no step undoes the one before.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vmr_agent.grounding.inputs import Floats

Seconds = NDArray[np.float64]

STEEP = 1.0
"""Log-odds by which a curve must change from one value to the next to be the end of something."""
NEARLY = 1e-6  # seconds


def refined(
    windows: Seconds, curve: Floats, step: float, cuts: Sequence[float], within: float
) -> Seconds:
    """(R, 2) windows with their ends moved by ``within`` seconds at most.

    To the nearest cut if there is one; else to where the curve (T,), of log-odds in steps of
    ``step`` seconds, rises most for a start, falls most for an end; else they stay.
    """
    rise = np.diff(curve)
    moved = windows.copy()
    for side, change in ((0, rise), (1, -rise)):
        moved[:, side] = [_end(time, change, step, cuts, within) for time in windows[:, side]]
    lost = moved[:, 0] >= moved[:, 1]
    moved[lost] = windows[lost]
    return moved


def adjusted(windows: Seconds, shortest: float, longest: float, bounds: Seconds) -> Seconds:
    """(R, 2) windows of legal length and place; what is legal already is not touched.

    ``bounds`` are (2,) or (R, 2) times between which each must lie: one that is shorter than
    ``shortest`` is filled.
    """
    low, high = bounds[..., 0], bounds[..., 1]
    start, end = np.clip(windows[:, 0], low, high), np.clip(windows[:, 1], low, high)
    length = np.minimum(np.clip(end - start, shortest, longest), high - low)
    wrong = (windows[:, 0] != start) | (windows[:, 1] != end) | (length != end - start)
    begin = np.maximum(low, np.minimum((start + end - length) / 2, high - length))
    made = np.stack([begin, np.minimum(begin + length, high)], axis=1)
    return np.where(wrong[:, None], made, windows)


def _end(time: float, change: Floats, step: float, cuts: Sequence[float], within: float) -> float:
    """One end, moved; ``change`` (T - 1,) is what speaks for it between two values."""
    near = min(cuts, key=lambda cut: abs(cut - time), default=np.inf)
    if abs(near - time) <= within + NEARLY:
        return float(near)
    places = np.arange(1, len(change) + 1) * step
    around = np.flatnonzero(np.abs(places - time) <= within + NEARLY)
    if not len(around) or change[around].max() < STEEP:
        return time
    # Of those that are as steep the nearest.
    best = min(around, key=lambda n: (-change[n], abs(places[n] - time)))
    return float(places[best])
