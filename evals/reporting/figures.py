"""What each query is worth under each figure, and which queries a figure counts.

A figure is the mean of its values over the queries that it counts: the official scorers' queries
(an empty answer drops out of QVHighlights' mAP and of QV-M²'s mR@k), or strictly all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evals.logbook import Sample, Window
from evals.reporting.runs import told
from vmr_agent.metrics.matching import Answers, matched
from vmr_agent.metrics.qvhighlights import MOST, average_precision, first_overlap
from vmr_agent.metrics.qvm2 import RECALLS

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Which = Literal["official", "strict"]
MANY = 3
"""Moments from which a query has an mR@3."""


class Scheme(NamedTuple):
    """What a benchmark is reported by."""

    names: tuple[str, ...]
    """Of its figures, as its papers have them."""
    main: str
    """The one that cost is held against."""
    official: bool = True
    """Whether somebody else's scorer settles which queries count; else all do."""


QVHIGHLIGHTS = Scheme(("R1@0.5", "R1@0.7", "mAP"), "mAP")
SINGLE = Scheme(("R1@0.3", "R1@0.5", "R1@0.7", "mIoU"), "R1@0.5")
WHOLE = Scheme(("R1@0.5", "R1@0.7", "mAP", "mR@3", "rejection"), "R1@0.5", official=False)
SCHEMES: Mapping[str, Scheme] = {
    "qvhighlights": QVHIGHLIGHTS,
    "qv-m2": Scheme((*QVHIGHLIGHTS.names, "mR@3"), "mAP"),
    "qvm2": Scheme((*QVHIGHLIGHTS.names, "mR@3"), "mAP"),
    "charades": SINGLE,
    "activitynet": SINGLE,
    "tacos": SINGLE,
    "needle": WHOLE,
}
"""By how the name of a dataset begins."""
MEANING: Mapping[str, str] = {
    "R1@0.3": "the first window has an IoU of 0.3 and more with a true moment",
    "R1@0.5": "the first window has an IoU of 0.5 and more with a true moment",
    "R1@0.7": "the first window has an IoU of 0.7 and more with a true moment",
    "mIoU": "mean IoU of the first window with the nearest true moment",
    "mAP": "average precision of ten windows, mean over IoU 0.50 to 0.95",
    "mR@3": "of queries with three moments and more: share of three that the first three find",
    "rejection": "rejection accuracy: share of absent queries that found nothing",
}


def scheme(dataset: str) -> Scheme:
    """Of a dataset by its name in lower case; all figures for one that is not known."""
    return next((s for name, s in SCHEMES.items() if dataset.startswith(name)), WHOLE)


class Figure(NamedTuple):
    """A figure of Q queries."""

    value: Floats
    """(Q,) from 0 to 1, 0 for an empty answer to a query about something."""
    official: Bools
    """(Q,) the queries that the official scorer counts."""
    strict: Bools
    """(Q,) all queries that it is about."""

    def of(self, chosen: Bools) -> Figure:
        """The same, counting none but these."""
        return Figure(self.value, self.official & chosen, self.strict & chosen)


Figures = dict[str, Figure]


class Known(NamedTuple):
    """Q answered queries."""

    figures: Figures
    """By name, all that there are; one that counts no query is among them."""
    answered: Bools
    """(Q,) whether there is any window."""
    present: Bools
    """(Q,) whether there is a true moment."""


def known(samples: Sequence[Sample]) -> Known:
    """Of all queries, against all true moments."""
    return against(samples, [sample.truth for sample in samples])


def against(samples: Sequence[Sample], truths: Sequence[Sequence[Window]]) -> Known:
    """Of all queries, against some of their true moments."""
    windows = [
        [[m.span.start, m.span.end, m.score] for m in told(sample).moments] for sample in samples
    ]
    answers = Answers.of(windows, truths, MOST)
    there, some = answers.true > 0, answers.predicted > 0
    first = first_overlap(answers)
    figures = {
        f"R1@{at}": Figure((first >= at).astype(np.float64), there, there) for at in (0.3, 0.5, 0.7)
    }
    figures["mIoU"] = Figure(first, there, there)
    precision = average_precision(answers).mean(axis=-1)
    figures["mAP"] = Figure(np.asarray(precision, np.float64), there & some, there)
    many, enough = answers.true >= MANY, answers.predicted >= MANY
    found = matched(answers.first(MANY).iou, RECALLS).sum(axis=-1).mean(axis=-1) / MANY
    figures["mR@3"] = Figure(np.asarray(found, np.float64), many & enough, many)
    figures["rejection"] = Figure((~some).astype(np.float64), ~there, ~there)
    return Known(figures, some, there)


def stacked(figures: Sequence[Figure], which: Which) -> tuple[Floats, Bools]:
    """(Q, C) values, and whether they count ``official``-ly or ``strict``-ly."""
    value = np.stack([figure.value for figure in figures], axis=1)
    return value, np.stack([getattr(figure, which) for figure in figures], axis=1)
