"""How sure a figure is: bootstrap over videos, whose queries are drawn together (Efron 1979)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evals.reporting.figures import Bools, Floats

DRAWS = 2000
SEED = 0
Whole = NDArray[np.int64]
UNSURE = (float("nan"), float("nan"))
AT_ONCE = 200
"""Draws that are weighed together: with 10,000 videos 16 MB."""
BETWEEN = (2.5, 97.5)
"""Percentiles."""


class Estimate(NamedTuple):
    """A figure, in percent; NaN where it counts no query."""

    value: float
    low: float
    """95 % of the draws lie from here; NaN with fewer than two videos."""
    high: float
    """To here."""
    queries: int
    """How many it counts."""


def estimates(value: Floats, counted: Bools, videos: Sequence[str]) -> list[Estimate]:
    """Of C figures, from (Q, C) values from 0 to 1, whether they count, and the (Q,) videos."""
    drawn, films = _drawn(value, counted, videos)
    return _summary(drawn, films, counted)


def differences(
    first: Floats, other: Floats, counted: tuple[Bools, Bools], videos: Sequence[str]
) -> list[Estimate]:
    """Of ``other`` less ``first``, as `estimates`: both from the same queries and the same draws.

    ``queries`` are those that either counts.
    """
    before, films = _drawn(first, counted[0], videos)
    after, others = _drawn(other, counted[1], videos)
    return _summary(after - before, np.minimum(films, others), counted[0] | counted[1])


def _drawn(value: Floats, counted: Bools, videos: Sequence[str]) -> tuple[Floats, Whole]:
    """(1 + draws, C) in percent, first of all videos as they are; (C,) videos that count."""
    names, place = np.unique(np.asarray(videos, np.str_), return_inverse=True)
    sums, held = (np.zeros((len(names), value.shape[1])) for _ in range(2))
    np.add.at(sums, place, value * counted)
    np.add.at(held, place, counted)
    found = [_mean(np.ones((1, len(names))), sums, held)]
    for some in np.split(_draws(len(names)), DRAWS // AT_ONCE):
        found.append(_mean(some.astype(np.float64), sums, held))
    return 100 * np.concatenate(found), (held > 0).sum(axis=0)


@lru_cache(maxsize=4)
def _draws(videos: int) -> NDArray[np.uint16]:
    """(draws, videos) how often each is drawn: the same for whoever has as many."""
    dice, even = np.random.default_rng(SEED), np.full(videos, 1 / videos)
    return dice.multinomial(videos, even, size=DRAWS).astype(np.uint16)


def _mean(weight: Floats, sums: Floats, held: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.asarray((weight @ sums) / (weight @ held), np.float64)


def _summary(drawn: Floats, films: Whole, counted: Bools) -> list[Estimate]:
    told = []
    for column, videos, queries in zip(drawn.T, films, counted.sum(axis=0), strict=True):
        sure = column[1:][np.isfinite(column[1:])]
        bounds = np.percentile(sure, BETWEEN) if videos > 1 and len(sure) else UNSURE
        told.append(Estimate(float(column[0]), float(bounds[0]), float(bounds[1]), int(queries)))
    return told
