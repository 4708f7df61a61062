"""Figures of parts of a run: by the length of what is true, of the film, by number, by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from evals.logbook import Sample
from evals.reporting.figures import Bools, Figures, Known, against, stacked
from evals.reporting.intervals import Estimate, differences, estimates
from evals.reporting.runs import Run, shared

Bounds = Mapping[str, tuple[float, float]]
MINUTE, HOUR = 60.0, 3600.0
MOMENTS: Bounds = {
    "up to 10 s": (0, 10),
    "10 to 30 s": (10, 30),
    "30 to 150 s": (30, 150),
    "over 150 s": (150, np.inf),
}
"""Seconds of true moments, more than the first, at most the second: QVHighlights' buckets, and a
query counts in each of which it has a moment, with the moments of that bucket alone."""
FILMS: Bounds = {
    "up to 3 min": (-1, 3 * MINUTE),
    "3 to 15 min": (3 * MINUTE, 15 * MINUTE),
    "15 min to 1½ h": (15 * MINUTE, 1.5 * HOUR),
    "1½ to 6 h": (1.5 * HOUR, 6 * HOUR),
    "over 6 h": (6 * HOUR, np.inf),
}
"""Seconds of film."""
NUMBERS = ("none: absent", "one", "two", "three and more")
"""True moments of a query."""
KINDS = 24
"""Kinds that are told of, the most frequent; the rest together."""
BY_KIND = "Kind of query"
REST = "all other kinds"


class Part(NamedTuple):
    """Some of a run's queries."""

    name: str
    figures: Figures
    """Of all queries, counting none but these."""


class Row(NamedTuple):
    """A line of a table."""

    name: str
    queries: int
    """In it, whatever figures count them."""
    estimates: dict[str, Estimate]
    """By figure, strictly."""


Parts = dict[str, list[Part]]


def parts(run: Run, known: Known) -> Parts:
    """Of a run, by what they are divided by; none in which there is no query."""
    samples, whole = run.samples, known.figures
    seconds = np.array([sample.duration for sample in samples])
    films = {n: (seconds > low) & (seconds <= high) for n, (low, high) in FILMS.items()}
    true = np.array([min(len(sample.truth), 3) for sample in samples])
    counts = {name: true == number for number, name in enumerate(NUMBERS)}
    told = {
        "Length of the true moments": _lengths(samples),
        "Length of the film": _of(whole, films),
        "Number of true moments": _of(whole, counts),
        BY_KIND: _of(whole, _kinds(samples)),
    }
    return {name: some for name, some in told.items() if some}


def rows(run: Run, some: Sequence[Part], names: Sequence[str]) -> list[Row]:
    """Figures of parts, with their intervals."""
    chosen = [part.figures[name] for part in some for name in names]
    value, counted = stacked(chosen, "strict")
    found = iter(estimates(value, counted, run.videos))
    return [Row(p.name, _size(p), {name: next(found) for name in names}) for p in some]


def apart(runs: Sequence[Run], divided: Sequence[Parts], by: str, name: str) -> list[Row]:
    """One figure of the parts of the first run, and how far other runs are from it in them.

    Estimates are by the number of the run: "0" of the first itself, the others differences.
    """
    first = [part for part in divided[0][by] if part.figures[name].strict.any()]
    found = [row.estimates[name] for row in rows(runs[0], first, [name])] if first else []
    told = {
        part.name: Row(part.name, _size(part), {"0": each})
        for part, each in zip(first, found, strict=True)
    }
    for number, other in enumerate(runs[1:], 1):
        theirs = {part.name: part for part in divided[number].get(by, ())}
        pairs = [(part, theirs[part.name]) for part in first if part.name in theirs]
        for each, less in _less((runs[0], other), pairs, name).items():
            told[each].estimates[str(number)] = less
    return [*told.values()]


def _less(
    runs: tuple[Run, Run], pairs: Sequence[tuple[Part, Part]], name: str
) -> dict[str, Estimate]:
    """How far the second run is from the first, in each part, on the samples that both have."""
    if not pairs:
        return {}
    here, there = shared(*runs)
    mine, its = (
        stacked([part.figures[name] for part in some], "strict")
        for some in zip(*pairs, strict=True)
    )
    names = runs[0].videos
    counts = (mine[1][here], its[1][there])
    found = differences(mine[0][here], its[0][there], counts, [names[n] for n in here])
    return {part.name: each for (part, _), each in zip(pairs, found, strict=True)}


def _lengths(samples: Sequence[Sample]) -> list[Part]:
    told = []
    for name, (low, high) in MOMENTS.items():
        truths = [[w for w in s.truth if low < w[1] - w[0] <= high] for s in samples]
        if any(truths):
            found = against(samples, truths)
            told.append(Part(name, {n: f.of(found.present) for n, f in found.figures.items()}))
    return told


def _kinds(samples: Sequence[Sample]) -> dict[str, Bools]:
    """Of each kind which samples are of it; nothing where a dataset has no kinds."""
    groups = np.array([sample.group for sample in samples], np.str_)
    often = [name for name, _ in Counter(groups.tolist()).most_common(KINDS)]
    if often == [""]:
        return {}
    return {name or "no kind": groups == name for name in often} | {REST: ~np.isin(groups, often)}


def _of(whole: Figures, masks: Mapping[str, Bools]) -> list[Part]:
    return [
        Part(name, {n: figure.of(mask) for n, figure in whole.items()})
        for name, mask in masks.items()
        if mask.any()
    ]


def _size(part: Part) -> int:
    counted = part.figures["R1@0.5"].strict | part.figures["rejection"].strict
    return int(counted.sum())
