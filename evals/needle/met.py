"""How many true moments each way of looking meets, and how sure it is that one meets more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.columns import lines as columns
from evals.needle.gather import read
from evals.needle.looks import (
    BUDGETS,
    BY_SHOT,
    BY_STEP,
    DEAR,
    FREE,
    STEP,
    SURE,
    TOP,
    Case,
    Way,
    cases,
    ways,
)
from evals.playlist import JoinError
from vmr_agent import Settings
from vmr_agent.grounding import checkpoint
from vmr_agent.intervals import Spans
from vmr_agent.metrics.bootstrap import DRAWS, draws
from vmr_agent.types import Span

Floats = NDArray[np.float64]
HAND = "by hand"
FREELY = (HAND, "evenly", "random")
"""Of how far these are from the hand rule there is no need to be sure."""
FIGURES = ("met", "half")
"""Share of a query's moments that a look meets at all, and of which it sees half or more."""


def compared(
    paths: Sequence[Path], folder: Path, settings: Settings, seed: int = 0
) -> dict[str, Any]:
    """Each way at each budget, over all queries that have moments.

    Raises JoinError if there is no such query, WeightsError if the selector was made for others.
    """
    asked = [case for path in paths for case in cases_of(path, settings, seed)]
    if not asked:
        raise JoinError("nothing is asked about what is there")
    selector, card = checkpoint.load_selector(folder, (FREE, DEAR), (FREE,))
    tried = ways(selector, settings, seed)
    return {
        "films": sorted({case.about.film for case in asked}),
        "queries": len(asked),
        "selector": {"data": card.data, "seed": card.seed, "metrics": card.metrics},
        "look": {"log-odds": SURE, "deviation by shot": BY_SHOT, "by step": BY_STEP, "seed": seed},
        "budgets": {name: _budget(asked, tried, name) for name in BUDGETS},
    }


def lines(found: Mapping[str, Any]) -> str:
    """Tables for people: one of each budget, and of how far the ways are from the hand rule."""
    told = [f"{found['queries']} queries, {len(found['films'])} films"]
    for name, budget in found["budgets"].items():
        told += [f"\n{name}: {budget['seconds']} s a query", columns(budget["all"])]
        for figure in FIGURES:
            kinds = {kind: _of(figure, rows) for kind, rows in budget["kinds"].items()}
            told += [f"{figure}, by kind", columns(kinds)]
        for than, others in budget["less"].items():
            for way, less in others.items():
                parts = (f"{k} {d:+.1f} ({a:+.1f} to {b:+.1f})" for k, (d, a, b) in less.items())
                told.append(f"{way}, less {than}: {', '.join(parts)}")
    return "\n".join(told)


def shares(looks: Spans, moments: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """``FIGURES`` of one query."""
    spans = [Span(start=start, end=end) for start, end in moments]
    seen = [sum(map(span.overlap, looks)) / span.length for span in spans]
    return float(np.mean([s > 0 for s in seen])), float(np.mean([s >= 0.5 for s in seen]))


def interval(less: Floats, names: Sequence[str]) -> list[tuple[float, float, float]]:
    """Of each column of (Q, F): the mean, and between what 95 % of the draws of ``names`` lie.

    Queries of one name are drawn together.
    """
    weight = draws(names, DRAWS, 0)
    drawn = weight @ less / weight.sum(axis=1, keepdims=True)
    low, high = np.percentile(drawn, (2.5, 97.5), axis=0)
    rows = np.stack([less.mean(axis=0), low, high], axis=1)
    return [(round(m, 2), round(a, 2), round(b, 2)) for m, a, b in rows.tolist()]


def cases_of(path: Path, settings: Settings, seed: int) -> list[Case]:
    """Of one file. Raises JoinError if it is not what gather writes."""
    rounds = read(path)
    with np.load(path.with_suffix(".npz")) as arrays:
        dice = np.random.default_rng(seed)
        return [*cases(rounds, {**arrays}, settings, dice)]


def _budget(asked: Sequence[Case], tried: Mapping[str, list[Way]], name: str) -> dict[str, Any]:
    hand = [case.hand[name] for case in asked]
    seconds = [sum(span.length for span in spans) for spans in hand]
    found = {HAND: _measured(asked, hand)}
    for way, each in tried.items():
        both = [*zip(asked, seconds, strict=True)]
        runs = [_measured(asked, [go(case, round(s / STEP)) for case, s in both]) for go in each]
        found[way] = np.mean(runs, axis=0)
    # Several queries are about the same moments, in other words.
    names = [f"{case.about.film} {case.about.moments}" for case in asked]
    kinds = np.array([case.about.kind for case in asked])
    return {
        "seconds": round(float(np.mean(seconds)), 1),
        "all": _means(found, np.ones(len(asked), bool)),
        "kinds": {kind: _means(found, kinds == kind) for kind in dict.fromkeys(kinds.tolist())},
        "less": {
            than: {
                way: dict(zip(FIGURES, interval(each - found[than], names), strict=True))
                for way, each in found.items()
                if way not in FREELY and way != than
            }
            for than in (HAND, TOP)
        },
    }


def _measured(asked: Sequence[Case], looks: Sequence[Spans]) -> Floats:
    """(Q, 2) in percent."""
    each = [shares(spans, case.about.moments) for case, spans in zip(asked, looks, strict=True)]
    return 100 * np.array(each, np.float64)


def _means(found: Mapping[str, Floats], rows: NDArray[np.bool_]) -> dict[str, dict[str, float]]:
    return {
        way: dict(zip(FIGURES, np.round(each[rows].mean(axis=0), 2).tolist(), strict=True))
        for way, each in found.items()
    }


def _of(figure: str, rows: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    return {way: each[figure] for way, each in rows.items()}
