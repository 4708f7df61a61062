"""How well queries were answered, by their kind.

Present ones: R1 and mAP as QVHighlights has them and mR@3 as QV-M² has it, but strict: a query
that found nothing scores 0. Absent ones: the share that found something all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evals.logbook import Sample
from vmr_agent import RunReport
from vmr_agent.metrics import qvm2
from vmr_agent.metrics.matching import Answers
from vmr_agent.metrics.qvhighlights import MOST, average_precision, percent

Window = tuple[float, float, float]
"""Start and end in seconds, score."""
MANY = 3
"""Moments from which a query has an mR@3."""


class Given(NamedTuple):
    """A query and what was answered."""

    film: str
    query: str
    kind: str
    moments: Sequence[tuple[float, float]]
    """The truth in seconds; none where it is absent."""
    windows: Sequence[Window]
    """The answer, best first; none for "not found"."""
    best: float
    """The highest score of anything, accepted or not."""
    seconds: float = 0.0
    """How long it took."""


Figures = dict[str, float]
"""Percentages, but for ``queries`` and ``seconds``; without what there is no query for."""


def figures(given: Sequence[Given]) -> Figures:
    """Of some queries."""
    found: Figures = {"queries": len(given)}
    present = [each for each in given if each.moments]
    absent = [each for each in given if not each.moments]
    if present:
        found |= _present(present)
    if absent:
        found["false alarms"] = percent(float(np.mean([bool(each.windows) for each in absent])))
    if given:
        found["seconds"] = round(float(np.mean([each.seconds for each in given])), 3)
    return found


def by_kind(given: Sequence[Given]) -> dict[str, Figures]:
    """Of each kind of query, and of all."""
    kinds = dict.fromkeys(each.kind for each in given)
    parts = {kind: figures([each for each in given if each.kind == kind]) for kind in kinds}
    return {**parts, "all": figures(given)}


def precisions(given: Sequence[Given]) -> NDArray[np.float64]:
    """(Q,) average precision of each query, 0 of one about nothing."""
    found = np.zeros(len(given))
    present = [n for n, each in enumerate(given) if each.moments]
    if present:
        answers = _answers([given[n] for n in present])
        found[present] = average_precision(answers.first(MOST)).mean(axis=-1)
    return found


def _answers(given: Sequence[Given]) -> Answers:
    told = [[[*window] for window in each.windows] for each in given]
    return Answers.of(told, [each.moments for each in given], None)


def _present(given: Sequence[Given]) -> Figures:
    answers = _answers(given)
    first = np.maximum(answers.iou[:, 0].max(axis=-1), 0)
    found = {
        "R1@0.5": float((first >= 0.5).mean()),
        "R1@0.7": float((first >= 0.7).mean()),
        "mAP": float(precisions(given).mean()),
        "found": float((answers.predicted > 0).mean()),
    }
    if (answers.true >= MANY).any():
        found["mR@3"] = float(qvm2.recall(answers, MANY, strict=True).mean())
    return {name: percent(value) for name, value in found.items()}


def given(samples: Sequence[Sample]) -> list[Given]:
    """What was answered in a run; what failed is in no figure."""
    return [_given(each, each.report) for each in samples if each.report is not None]


def _given(sample: Sample, report: RunReport) -> Given:
    moments, rejected = report.moments, report.rejected
    return Given(
        film=sample.video,
        query=sample.query,
        kind=sample.group,
        moments=sample.truth,
        windows=[(each.span.start, each.span.end, each.score) for each in moments],
        best=max((each.score for each in (*moments, *filter(None, [rejected]))), default=0.0),
        seconds=sample.seconds,
    )
