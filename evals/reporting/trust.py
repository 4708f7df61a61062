"""Whether the probabilities of moments are probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from evals.logbook import Sample
from evals.reporting.figures import Floats
from evals.reporting.runs import told
from vmr_agent.metrics.calibration import BINS, calibration_error
from vmr_agent.metrics.matching import tiou

RIGHT = 0.5
"""IoU with a true moment from which a moment is right."""


class Bin(NamedTuple):
    """Moments of about the same probability."""

    low: float
    high: float
    moments: int
    told: float
    """Their mean probability."""
    right: float
    """The share of them that is right."""


class Trust(NamedTuple):
    """Of all moments of a run."""

    error: float
    """Expected calibration error, 0 to 1."""
    moments: int
    told: float
    right: float
    bins: tuple[Bin, ...]
    """Those that are not empty."""


def trust(samples: Sequence[Sample]) -> Trust | None:
    """Of every moment that was answered; None where there is none. Absent things have no right."""
    scores, right = _held(samples)
    if not len(scores):
        return None
    place = np.clip((scores * BINS).astype(int), 0, BINS - 1)
    bins = tuple(
        Bin(n / BINS, (n + 1) / BINS, int(mine.sum()), *_means(scores[mine], right[mine]))
        for n in range(BINS)
        if (mine := place == n).any()
    )
    error = calibration_error(scores, right)
    return Trust(error, len(scores), *_means(scores, right), bins)


def _means(scores: Floats, right: Floats) -> tuple[float, float]:
    return float(scores.mean()), float(right.mean())


def _held(samples: Sequence[Sample]) -> tuple[Floats, Floats]:
    """(M,) probabilities, and 1 where the moment is right."""
    scores, right = [], []
    for sample in samples:
        true = np.array(sample.truth, np.float64).reshape(-1, 2)
        for moment in told(sample).moments:
            window = np.array([[moment.span.start, moment.span.end]])
            scores.append(moment.score)
            right.append(bool((tiou(window, true) >= RIGHT).any()))
    return np.array(scores, np.float64), np.array(right, np.float64)
