"""The figures that a benchmark is known by, of each run and between runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from evals.logbook import Sample
from evals.reporting.figures import MEANING, Known, Scheme, stacked
from evals.reporting.intervals import Estimate, differences, estimates
from evals.reporting.runs import Run, shared
from evals.reporting.runs import told as report
from vmr_agent.metrics import rejection

REJECTION = ("AUROC", "Rej-F1@0.4", "Acc@0.4", "Rej-F1@0.6", "Acc@0.6", "G-mIoU@1", "G-mIoU@3")
"""Figures of the toolkit that are about queries both present and absent."""


class Headline(NamedTuple):
    """A figure of one run."""

    name: str
    meaning: str
    official: Estimate
    """As the benchmark's own scorer has it."""
    strict: Estimate
    """With an empty answer counted as 0."""

    @property
    def same(self) -> bool:
        """Whether both count the same queries."""
        return self.official.queries == self.strict.queries


class Totals(NamedTuple):
    """What figures rest on."""

    asked: int
    """Queries of the dataset, as the header has it."""
    scored: int
    failed: int
    unlabelled: int
    videos: int
    """Films of the scored samples."""
    missing: int
    """Films that were not there."""
    coverage: float
    """Percent of queries about something with any window at all."""
    present: int
    absent: int


class Beside(NamedTuple):
    """A figure of another run, less that of the first, on the queries that both have."""

    name: str
    found: Estimate
    """Of the run itself, strictly."""
    apart: Estimate | None
    """Strictly; None in the first run."""

    @property
    def sure(self) -> int:
        """1 where the interval lies above zero, -1 below, else 0."""
        if self.apart is None:
            return 0
        return int(self.apart.low > 0) - int(self.apart.high < 0)


def headlines(run: Run, known: Known, scheme: Scheme, names: Sequence[str]) -> list[Headline]:
    """Of one run."""
    figures = [known.figures[name] for name in names]
    value, official = stacked(figures, "official")
    strict = stacked(figures, "strict")[1]
    official = official if scheme.official else strict
    found = estimates(np.hstack([value, value]), np.hstack([official, strict]), run.videos)
    both = zip(names, found[: len(names)], found[len(names) :], strict=True)
    return [Headline(name, MEANING[name], plain, hard) for name, plain, hard in both]


def told(known: Known, scheme: Scheme) -> list[str]:
    """Names of the figures that count any query."""
    return [name for name in scheme.names if known.figures[name].strict.any()]


def totals(run: Run, known: Known) -> Totals:
    """Of one run."""
    about, present = run.header.dataset, int(known.present.sum())
    covered = float((known.answered & known.present).sum() / max(1, present))
    return Totals(
        about.queries,
        len(run.samples),
        len(run.failed),
        run.unlabelled,
        len(set(run.videos)),
        len(about.missing),
        100 * covered,
        present,
        len(run.samples) - present,
    )


def rejected(run: Run) -> dict[str, float]:
    """As the toolkit of generalized moment retrieval has it; nothing if all or none is present."""
    if len({bool(sample.truth) for sample in run.samples}) < 2:
        return {}
    truth = [
        {"qid": s.id, "duration": s.duration, "relevant_windows": s.truth} for s in run.samples
    ]
    found = rejection.evaluate([_submitted(sample) for sample in run.samples], truth)
    return {name: found[name] for name in REJECTION}


def matrix(
    runs: Sequence[Run], knowns: Sequence[Known], names: Sequence[str]
) -> list[list[Beside]]:
    """(runs, figures): each as it is, and less the first, paired over videos."""
    first = [Beside(n, e, None) for n, e in _strict(runs[0], knowns[0], names)]
    rows = [first]
    for run, known in zip(runs[1:], knowns[1:], strict=True):
        here, there = shared(runs[0], run)
        mine, its = (stacked([k.figures[n] for n in names], "strict") for k in (knowns[0], known))
        videos = [runs[0].videos[n] for n in here]
        counted = (mine[1][here], its[1][there])
        apart = differences(mine[0][here], its[0][there], counted, videos)
        both = zip(_strict(run, known, names), apart, strict=True)
        rows.append([Beside(name, found, less) for (name, found), less in both])
    return rows


def _submitted(sample: Sample) -> dict[str, Any]:
    """Existence is the best score of anything, accepted or not."""
    answer = report(sample)
    seen = [*answer.moments, *([answer.rejected] if answer.rejected else [])]
    return {
        "qid": sample.id,
        "pred_exist_score": max((each.score for each in seen), default=0.0),
        "pred_relevant_windows": [[m.span.start, m.span.end, m.score] for m in answer.moments],
    }


def _strict(run: Run, known: Known, names: Sequence[str]) -> list[tuple[str, Estimate]]:
    value, counted = stacked([known.figures[name] for name in names], "strict")
    return [*zip(names, estimates(value, counted, run.videos), strict=True)]
