"""How sure a figure is, and a difference of two runs: a paired bootstrap over videos.

Queries of one video are not drawn apart: they are hard together. Two runs are compared on the same
draws, so that what makes a video hard for both cancels out (Efron and Tibshirani 1993, ch. 8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vmr_agent.metrics.matching import Bools, Floats

DRAWS = 2000
RANGE = (2.5, 97.5)
"""Percentiles of the draws that an interval spans."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What each of Q queries adds to figures; every figure is a mean of means of columns."""

    names: tuple[str, ...]
    """The F figures."""
    each: Floats
    """(Q, C) shares from 0 to 1."""
    asked: Bools
    """(Q, C) whether the query counts in the column."""
    place: tuple[int, ...]
    """(C,) to which figure each column belongs."""

    def figures(self, weight: Floats) -> Floats:
        """(D, F) in percent under weights (D, Q) of the queries; NaN where nothing is asked."""
        with np.errstate(invalid="ignore"):
            columns = weight @ np.where(self.asked, self.each, 0) / (weight @ self.asked)
        found = np.full((len(weight), len(self.names)), np.nan)
        for number in range(len(self.names)):
            mine = columns[:, [place == number for place in self.place]]
            there = ~np.isnan(mine)
            total = np.where(there, mine, 0).sum(axis=1)
            np.divide(total, there.sum(axis=1), out=found[:, number], where=there.any(axis=1))
        return 100 * found


class Interval(NamedTuple):
    """A figure in percent, and between what 95 % of the draws of videos lie."""

    value: float
    low: float
    high: float


class Difference(NamedTuple):
    """A figure of two runs in percent, and the second less the first with its interval."""

    first: float
    second: float
    change: Interval


def draws(videos: Sequence[str], count: int, seed: int) -> Floats:
    """(count, Q) how often each query is drawn: all those of a video as often as the video."""
    names, place = np.unique(videos, return_inverse=True)
    dice = np.random.default_rng(seed)
    drawn = dice.multinomial(len(names), np.full(len(names), 1 / len(names)), size=count)
    return np.asarray(drawn[:, place], np.float64)


def intervals(
    tally: Tally, videos: Sequence[str], count: int = DRAWS, seed: int = 0
) -> dict[str, Interval]:
    """Every figure, with its interval; ``videos`` (Q,) says of which video each query is."""
    found = tally.figures(_weights(videos, count, seed))
    return _spanned(tally.names, found)


def differences(
    first: Tally, second: Tally, videos: Sequence[str], count: int = DRAWS, seed: int = 0
) -> dict[str, Difference]:
    """Every figure of two runs on the same queries, in the same order, and how they differ."""
    weight = _weights(videos, count, seed)
    one, other = first.figures(weight), second.figures(weight)
    changes = _spanned(first.names, other - one)
    return {
        name: Difference(float(one[0, n]), float(other[0, n]), changes[name])
        for n, name in enumerate(first.names)
    }


def _weights(videos: Sequence[str], count: int, seed: int) -> Floats:
    return np.concatenate([np.ones((1, len(videos))), draws(videos, count, seed)])


def _spanned(names: Sequence[str], found: Floats) -> dict[str, Interval]:
    """Of (1 + D, F) values: the first, and the range of the others that are figures at all."""
    told = {}
    for name, value, drawn in zip(names, found[0], found[1:].T, strict=True):
        known = drawn[~np.isnan(drawn)]
        ends = np.percentile(known, RANGE) if len(known) else (np.nan, np.nan)
        told[name] = Interval(float(value), float(ends[0]), float(ends[1]))
    return told
