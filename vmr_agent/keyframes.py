"""The frames that say most about a shot, after SMART's shot structure (arXiv 2511.14143)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vmr_agent.protocols import Array

MOST = 3
"""Key frames of a shot: what it begins with, and its two greatest changes."""


def keyframes(
    times: NDArray[np.float64], vectors: Array, cuts: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Indices (K,), rising: of each shot the first sample and those that are news in it.

    ``times`` (N,) are seconds, rising, ``vectors`` (N, D) unit rows, ``cuts`` the seconds, rising,
    at which shots begin. News is a novelty n_t = 1 - cos(x_t, x_{t-1}) above the shot's mean plus
    its standard deviation. The paper names no rule; this one is ours.
    """
    shots = np.searchsorted(cuts, times, side="right")
    novelty = 1 - np.einsum("nd,nd->n", vectors[1:], vectors[:-1])
    first = np.flatnonzero(np.diff(shots, prepend=-1))
    keys: list[int] = []
    for here, there in pairwise([*first, len(times)]):
        keys += [here, *(here + 1 + _news(novelty[here : there - 1]))]
    return np.asarray(keys, np.int64)


def _news(novelty: Array) -> NDArray[np.int64]:
    """Which of a shot's novelties (n,) stand out, at most ``MOST`` - 1 of them, in order."""
    if not len(novelty):
        return np.zeros(0, np.int64)
    high = np.flatnonzero(novelty > novelty.mean() + novelty.std())
    best = np.argsort(-novelty[high], kind="stable")[: MOST - 1]
    return np.sort(high[best])
