"""The agent beside the baselines: by kind of query, by length of film; how sure a difference is.

Intervals are paired bootstraps in which what a query is about is drawn: queries about one clip
stand or fall together, in all films. A query that failed is in no figure, and counted; one that
either of two systems failed is in none of their difference. Baselines that never refuse are also
compared with the agent as if it never did: then what came nearest is its answer (``pressed``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evals.columns import lines as columns
from evals.logbook import Sample
from evals.needle import rooms
from evals.needle.score import Figures, by_kind, figures, given, precisions
from evals.telling import first_overlap
from vmr_agent.metrics.bootstrap import Tally, differences
from vmr_agent.metrics.matching import Bools

ENOUGH = 0.5
PRESSED = "pressed"
"""What the agent is called that has to answer."""
LENGTHS = {"up to 10 min": 600.0, "up to 2 h": 7200.0, "longer": float("inf")}
"""Seconds up to which a film is one of those."""
Runs = Mapping[str, Sequence[Sample]]
"""Samples by system, of the same queries in the same order; the first system is ours."""


def compared(runs: Runs, subjects: Sequence[str]) -> dict[str, Any]:
    """Everything that is told of runs. ``subjects`` (Q,) says what each query is about."""
    ours, *others = runs
    first = runs[ours]
    told = {ours: first, PRESSED: [pressed(each) for each in first]}
    whole = {**told, **{name: runs[name] for name in others}}
    never = [name for name in others if all(_found(each) for each in runs[name] if each.report)]
    return {
        "failed": {
            name: sum(each.report is None for each in samples) for name, samples in runs.items()
        },
        "kinds": {name: by_kind(given(samples)) for name, samples in whole.items()},
        "lengths": {name: _by_length(samples) for name, samples in whole.items()},
        "rooms": rooms.recalls([each.lost for each in first if each.truth and each.report]),
        "cost": {name: _cost(samples) for name, samples in runs.items()},
        "less": {
            name: {other: _less(runs[other], told[name], subjects) for other in those}
            for name, those in ((ours, others), (PRESSED, never))
        },
    }


def pressed(sample: Sample) -> Sample:
    """With what came nearest as the answer, where the agent found nothing."""
    report = sample.report
    if report is None or report.moments or report.rejected is None:
        return sample
    nearest = report.model_copy(update={"moments": (report.rejected,), "status": "found"})
    return sample.model_copy(update={"report": nearest})


def _found(sample: Sample) -> bool:
    return bool(sample.report and sample.report.moments)


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
    for name, others in told["less"].items():
        for other, less in others.items():
            parts += ["", f"{name} less {other}, and between what 95 % of the draws lie"]
            parts += [_difference(figure, each) for figure, each in less.items()]
    return "\n".join(parts)


def tallies(one: Sequence[Sample], other: Sequence[Sample]) -> tuple[Tally, Tally]:
    """Of two runs of the same queries in the same order, without those that either failed."""
    counted = np.array([bool(a.report and b.report) for a, b in zip(one, other, strict=True)])
    return _tally(one, counted), _tally(other, counted)


def _less(
    theirs: Sequence[Sample], ours: Sequence[Sample], subjects: Sequence[str]
) -> dict[str, Any]:
    found = differences(*tallies(theirs, ours), subjects)
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
    """R1 and mAP of queries about something, the share refused of others; R1 by kind too."""
    overlap = np.array([first_overlap(each) if each.truth else 0.0 for each in samples])
    empty = np.array([not _found(each) for each in samples])
    precise = np.zeros(len(samples))
    precise[[each.report is not None for each in samples]] = precisions(given(samples))
    true = np.array([bool(each.truth) for each in samples])
    present, absent = counted & true, counted & ~true
    kinds = np.array([each.group for each in samples])
    shown = [kind for kind in dict.fromkeys(kinds.tolist()) if present[kinds == kind].any()]
    named = {
        "R1@0.5": (overlap >= ENOUGH, present),
        "R1@0.7": (overlap >= 0.7, present),
        "mAP": (precise, present),
        "rejection": (empty, absent),
        **{f"R1@0.5 {kind}": (overlap >= ENOUGH, present & (kinds == kind)) for kind in shown},
    }
    return Tally(
        names=tuple(named),
        each=np.stack([right for right, _ in named.values()], axis=1).astype(np.float64),
        asked=np.stack([asked for _, asked in named.values()], axis=1),
        place=tuple(range(len(named))),
    )
