"""What a network is worth on questions that it did not learn from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from vmr_agent.grounding.decode import RIGHT, Ints, Posterior, posterior, rank
from vmr_agent.grounding.inputs import Batch, Floats, cells, iou
from vmr_agent.grounding.judge import Judge, judged
from vmr_agent.grounding.network import COUNTS, KINDS
from vmr_agent.grounding.training.targets import Moments
from vmr_agent.metrics.calibration import calibration_error

SHARP = np.linspace(0.5, 2.0, 16)
"""What logits over windows may be multiplied by."""
MOST = 10
"""Windows of an answer."""
TOGETHER = 16
"""Questions judged at once."""


def figures(
    judge: Judge, batch: Batch, moments: Moments, sharpness: float, device: str
) -> dict[str, float]:
    """By name, means over the questions that have a moment (all, for ``count_nll``):

    ``nll`` and ``count_nll``: how surprised it is, in nats, by the window nearest to each true
    moment and by how many there are; ``best_iou`` of the first window with a true one; ``r1_50``
    and ``r1_70``, the share of first windows with so much; ``ece`` of the scores of all windows as
    probabilities of an IoU of 0.5 and more. Empty if there are no questions.
    """
    counts, surprise, overlaps, quality = [], [], list[Floats](), list[Floats]()
    for row, said in enumerate(_said(judge, batch, device)):
        believed, true = posterior(*said, sharpness), moments[row]
        counts.append(-np.log(believed.number[min(len(true), COUNTS - 1)] + 1e-12))
        if not len(true):
            continue
        surprise.append(_surprise(believed, true))
        ranked = rank(believed, MOST, np.random.default_rng([0, row]))
        found = iou(ranked.windows[:, :1], ranked.windows[:, 1:], true[:, 0], true[:, 1])
        overlaps.append(found.max(axis=1))
        quality.append(ranked.quality)
    told = {"count_nll": np.mean(counts)} if counts else {}
    if overlaps:
        first = np.array([each[0] for each in overlaps])
        told |= {"nll": np.mean(surprise), "best_iou": first.mean()}
        told |= {f"r1_{p}": (first >= p / 100 - 1e-6).mean() for p in (50, 70)}
        right = np.concatenate(overlaps) >= RIGHT - 1e-6
        told["ece"] = calibration_error(np.concatenate(quality), right)
    return {name: round(float(value), 4) for name, value in told.items()}


def sharpest(judge: Judge, batch: Batch, moments: Moments, device: str) -> float:
    """What to multiply logits over windows by, so that true ones surprise least; 1 if none is true.

    The inverse of the temperature in Guo et al. (2017), one number for all questions.
    """
    cost = np.zeros(len(SHARP))
    for row, said in enumerate(_said(judge, batch, device)):
        if len(moments[row]):
            cost += [_surprise(posterior(*said, sharp), moments[row]) for sharp in SHARP]
    return round(float(SHARP[cost.argmin()]), 2) if cost.any() else 1.0


class Said(NamedTuple):
    """Of one question: its windows, and logits of those and of how many are right."""

    starts: Ints
    ends: Ints
    windows: Floats
    number: Floats


def _said(judge: Judge, batch: Batch, device: str) -> Iterator[Said]:
    starts, ends = cells(batch.valid.shape[1])
    for first in range(0, len(batch), TOGETHER):
        some = batch.take(np.arange(first, min(first + TOGETHER, len(batch))))
        told = judged([judge], some, starts, ends, device)
        for steps, windows, number in zip(some.steps, *told, strict=True):
            fits = ends <= steps
            yield Said(starts[fits], ends[fits], windows[fits], number)


def _surprise(believed: Posterior, true: Floats) -> float:
    """Nats, a mean over the moments."""
    likely = believed.windows[min(len(true), KINDS) - 1]
    near = [iou(believed.starts, believed.ends, start, end).argmax() for start, end in true]
    return float(np.mean(-np.log(likely[near] + 1e-12)))
