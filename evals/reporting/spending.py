"""What answers took: seconds, money, and in which rooms the time went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from evals.logbook import Sample
from evals.reporting.figures import stacked
from evals.reporting.intervals import Estimate, estimates
from evals.reporting.runs import Run, told
from evals.reporting.slices import Part
from vmr_agent.report import Cost

ROOMS = 24
"""Rooms that are told of at most; there are fewer, unless a file is made up."""


class Spent(NamedTuple):
    """Of some queries, each on average."""

    name: str
    queries: int
    seconds: float
    median: float
    """Seconds."""
    late: float
    """Seconds that 95 % of the queries stay within."""
    money: float | None
    """US dollars; None where a price is not known."""
    calls: float
    tokens: float
    """Sent and answered."""
    images: float
    counted: bool
    """Whether tokens are the servers' count, not our own guess."""
    figure: Estimate
    """What came of it: the benchmark's main figure, strictly."""


class Room(NamedTuple):
    """A room, over all queries."""

    name: str
    seconds: float
    """For each query, visits or none."""
    share: float
    """Of the time in all rooms, 0 to 1."""
    money: float | None
    """US dollars for each query."""


def by_kind(run: Run, kinds: Sequence[Part], figure: str) -> list[Spent]:
    """Of the kinds of a run that the figure is about."""
    about = [kind for kind in kinds if kind.figures[figure].strict.any()]
    if not about:
        return []
    value, counted = stacked([kind.figures[figure] for kind in about], "strict")
    rows = []
    for number, found in enumerate(estimates(value, counted, run.videos)):
        mine = [run.samples[n] for n in np.flatnonzero(counted[:, number])]
        rows.append(spent(about[number].name, mine, found))
    return rows


def rooms(samples: Sequence[Sample]) -> list[Room]:
    """Where the time went, in the order of the house."""
    seconds: dict[str, float] = {}
    costs: dict[str, Cost] = {}
    for step in (step for sample in samples for step in told(sample).steps):
        seconds[step.room] = seconds.get(step.room, 0.0) + step.seconds
        costs[step.room] = costs.get(step.room, Cost()) + step.cost
    whole, queries = max(sum(seconds.values()), 1e-9), len(samples)
    rows = []
    for room, taken in [*seconds.items()][:ROOMS]:
        money = costs[room].money
        each = None if money is None else money / queries
        rows.append(Room(room, taken / queries, taken / whole, each))
    return rows


def spent(name: str, samples: Sequence[Sample], found: Estimate) -> Spent:
    """Of some samples, and what came of them."""
    seconds = np.array([sample.seconds for sample in samples])
    cost = sum((told(sample).cost for sample in samples), Cost())
    queries = len(samples)
    return Spent(
        name,
        queries,
        float(seconds.mean()),
        float(np.median(seconds)),
        float(np.percentile(seconds, 95)),
        None if cost.money is None else cost.money / queries,
        cost.calls / queries,
        (cost.tokens_in + cost.tokens_out) / queries,
        cost.images / queries,
        cost.counted,
        found,
    )
