"""The agent beside the baselines: by kind of query, by length of film; how sure a difference is.

Intervals are paired bootstraps in which what a query is about is drawn: queries about one clip
stand or fall together, in all films. A query that failed is in no figure, and counted; one that
either of two systems failed is in none of their difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evals.columns import lines as columns
from evals.logbook import Sample
from evals.needle import rooms
from evals.needle.score import Figures, by_kind, figures, given
from evals.telling import first_overlap
from vmr_agent.metrics.bootstrap import Tally, differences
from vmr_agent.metrics.matching import Bools

ENOUGH = 0.5
LENGTHS = {"up to 10 min": 600.0, "up to 2 h": 7200.0, "longer": float("inf")}
"""Seconds up to which a film is one of those."""
Runs = Mapping[str, Sequence[Sample]]
"""Samples by system, of the same queries in the same order; the first system is ours."""


def compared(runs: Runs, subjects: Sequence[str]) -> dict[str, Any]:
    """Everything that is told of runs. ``subjects`` (Q,) says what each query is about."""
    ours, *others = runs
    first = runs[ours]
    return {
        "failed": {
            name: sum(each.report is None for each in samples) for name, samples in runs.items()
        },
        "kinds": {name: by_kind(given(samples)) for name, samples in runs.items()},
        "lengths": {name: _by_length(samples) for name, samples in runs.items()},
        "rooms": rooms.recalls([each.lost for each in first if each.truth and each.report]),
        "cost": {name: _cost(samples) for name, samples in runs.items()},
        "less": {name: _less(runs[name], first, subjects) for name in others},
    }


def lines(told: Mapping[str, Any]) -> str:
    """Tables for people."""
    parts = [f"{name}: {n} failed, in no figure" for name, n in told["failed"].items() if n]
    for name, kinds in told["kinds"].items():
        parts += [f"{name}, by kind of query", columns(kinds), ""]
    for name, lengths in told["lengths"].items():
        if len(lengths) > 1:
            parts += [f"{name}, by length of film", columns(lengths), ""]
    shares = {room: round(100 * share, 1) for room, share in told["rooms"].items()}
    parts += ["queries whose right answer each room still passed on, %", columns({"": shares}), ""]
    parts += ["seconds and dollars a query", columns(told["cost"])]
    for name, less in told["less"].items():
        parts += ["", f"ours less {name}, and between what 95 % of the draws lie"]
        parts += [_difference(figure, each) for figure, each in less.items()]
    return "\n".join(parts)


def _less(
    other: Sequence[Sample], ours: Sequence[Sample], subjects: Sequence[str]
) -> dict[str, Any]:
    counted = np.array([bool(a.report and b.report) for a, b in zip(other, ours, strict=True)])
    found = differences(_tally(other, counted), _tally(ours, counted), subjects)
    return {figure: each._asdict() for figure, each in found.items()}


def _difference(figure: str, each: Mapping[str, Any]) -> str:
    change, low, high = each["change"]
    return f"  {figure:20} {change:+6.1f}  ({low:+.1f} to {high:+.1f})"


def _by_length(samples: Sequence[Sample]) -> dict[str, Figures]:
    found, shortest = {}, 0.0
    for name, longest in LENGTHS.items():
        some = [each for each in samples if shortest < each.duration <= longest]
        shortest = longest
        if some:
            found[name] = figures(given(some))
    return found


def _cost(samples: Sequence[Sample]) -> Figures:
    """Of asking alone: the film is looked at before, or by the query that comes first."""
    answered = [(each.seconds, each.report.cost.money) for each in samples if each.report]
    if not answered:
        return {}
    seconds = [each for each, _ in answered]
    told = {"p50": float(np.median(seconds)), "p95": float(np.percentile(seconds, 95))}
    found = {name: round(value, 3) for name, value in told.items()}
    known = [money for _, money in answered if money is not None]
    return found | ({"dollars": float(np.mean(known))} if len(known) == len(answered) else {})


def _tally(samples: Sequence[Sample], counted: Bools) -> Tally:
    """R1 of queries about something, the share refused of those about nothing, and both by kind."""
    overlap = np.array([first_overlap(each) if each.truth else 0.0 for each in samples])
    empty = np.array([not (each.report and each.report.moments) for each in samples])
    true = np.array([bool(each.truth) for each in samples])
    present, absent = counted & true, counted & ~true
    kinds = np.array([each.group for each in samples])
    shown = [kind for kind in dict.fromkeys(kinds.tolist()) if present[kinds == kind].any()]
    named = {
        "R1@0.5": (overlap >= ENOUGH, present),
        "R1@0.7": (overlap >= 0.7, present),
        "rejection": (empty, absent),
        **{f"R1@0.5 {kind}": (overlap >= ENOUGH, present & (kinds == kind)) for kind in shown},
    }
    return Tally(
        names=tuple(named),
        each=np.stack([right for right, _ in named.values()], axis=1).astype(np.float64),
        asked=np.stack([asked for _, asked in named.values()], axis=1),
        place=tuple(range(len(named))),
    )
