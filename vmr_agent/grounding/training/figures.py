"""What a network is worth on questions that it did not learn from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vmr_agent.grounding.decode import RIGHT, Posterior, posterior, rank
from vmr_agent.grounding.inputs import Batch, Floats, cells, iou
from vmr_agent.grounding.judge import Judge, judged
from vmr_agent.grounding.network import COUNTS, KINDS
from vmr_agent.grounding.training.targets import Moments

BINS = 10
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
    for row, believed in enumerate(_believed(judge, batch, sharpness, device)):
        true = moments[row]
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
        told["ece"] = _error(np.concatenate(quality), np.concatenate(overlaps))
    return {name: round(float(value), 4) for name, value in told.items()}


def _believed(judge: Judge, batch: Batch, sharpness: float, device: str) -> Iterator[Posterior]:
    starts, ends = cells(batch.valid.shape[1])
    for first in range(0, len(batch), TOGETHER):
        some = batch.take(np.arange(first, min(first + TOGETHER, len(batch))))
        told = judged([judge], some, starts, ends, device)
        for steps, windows, number in zip(some.steps, *told, strict=True):
            fits = ends <= steps
            yield posterior(starts[fits], ends[fits], windows[fits], number, sharpness)


def _surprise(believed: Posterior, true: Floats) -> float:
    """Nats, a mean over the moments."""
    likely = believed.windows[min(len(true), KINDS) - 1]
    near = [iou(believed.starts, believed.ends, start, end).argmax() for start, end in true]
    return float(np.mean(-np.log(likely[near] + 1e-12)))


def _error(scores: Floats, overlaps: Floats) -> float:
    place = np.minimum((scores * BINS).astype(int), BINS - 1)
    hit = overlaps >= RIGHT - 1e-6
    gaps = [abs(scores[place == n].sum() - hit[place == n].sum()) for n in range(BINS)]
    return float(sum(gaps)) / len(scores)
