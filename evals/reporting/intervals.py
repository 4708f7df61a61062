"""How sure figures are, and differences of runs: the metrics' bootstrap over videos, by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evals.reporting.figures import Bools, Floats
from vmr_agent.metrics import bootstrap
from vmr_agent.metrics.bootstrap import Interval, Tally

Whole = NDArray[np.int64]


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
    found = bootstrap.intervals(_tally(value, counted), videos)
    return _told([*found.values()], _films(counted, videos), counted)


def differences(
    first: Floats, other: Floats, counted: tuple[Bools, Bools], videos: Sequence[str]
) -> list[Estimate]:
    """Of ``other`` less ``first``, as `estimates`: both from the same queries and the same draws.

    ``queries`` are those that either counts.
    """
    pair = _tally(first, counted[0]), _tally(other, counted[1])
    found = [each.change for each in bootstrap.differences(*pair, videos).values()]
    films = np.minimum(*(_films(each, videos) for each in counted))
    return _told(found, films, counted[0] | counted[1])


def _tally(value: Floats, counted: Bools) -> Tally:
    columns = range(value.shape[1])
    return Tally(tuple(map(str, columns)), value, counted, tuple(columns))


def _films(counted: Bools, videos: Sequence[str]) -> Whole:
    """(C,) of how many videos there are queries that count."""
    place = np.unique(np.asarray(videos, np.str_), return_inverse=True)[1]
    return np.array([len(np.unique(place[column])) for column in counted.T], np.int64)


def _told(found: Sequence[Interval], films: Whole, counted: Bools) -> list[Estimate]:
    """Draws of one video are all alike: that is no interval."""
    told = []
    for each, videos, queries in zip(found, films, counted.sum(axis=0), strict=True):
        low, high = each[1:] if videos > 1 else (np.nan, np.nan)
        told.append(Estimate(each.value, low, high, int(queries)))
    return told
