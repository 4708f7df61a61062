"""Windows of many queries side by side, and how predicted ones are matched to true ones.

Queries differ in how many windows they have: arrays are padded, and padding matches nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Window = Sequence[float]

APART = -1.0
"""IoU with what is only padding."""
SORTED = 3
"""Truths up to which numpy sorts equal IoUs alike on every machine."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Predictions and truths of Q queries."""

    predictions: Floats
    """(Q, P, 2) in file order, NaN for padding."""
    truths: Floats
    """(Q, G, 2), NaN for padding."""
    iou: Floats
    """(Q, P, G) of each prediction, in file order, with each truth; ``APART`` where there is none.
    """
    scores: Floats
    """(Q, P), minus infinity for padding."""
    predicted: NDArray[np.int64]
    """(Q,) predictions of each query."""
    true: NDArray[np.int64]
    """(Q,) truths of each query."""

    @classmethod
    def of(
        cls,
        predictions: Sequence[Sequence[Window]],
        truths: Sequence[Sequence[Window]],
        most: int | None,
    ) -> Answers:
        """From ``[start, end, score]`` and ``[start, end]``, of each query the first ``most``."""
        kept = [windows[:most] for windows in predictions]
        rows, columns = _padded(kept, 3), _padded(truths, 2)
        scores = np.where(np.isnan(rows[..., 2]), -np.inf, rows[..., 2])
        iou = np.nan_to_num(tiou(rows[:, :, None, :2], columns[:, None]), nan=APART)
        return cls(rows[..., :2], columns, iou, scores, _counts(kept), _counts(truths))

    def where(self, chosen: NDArray[np.bool_]) -> Answers:
        """Some of the queries."""
        windows = self.predictions[chosen], self.truths[chosen]
        counts = self.predicted[chosen], self.true[chosen]
        return Answers(*windows, self.iou[chosen], self.scores[chosen], *counts)

    def first(self, most: int) -> Answers:
        """The same with the first predictions of each alone."""
        few = np.minimum(self.predicted, most)
        kept = self.iou[:, :most], self.scores[:, :most]
        return Answers(self.predictions[:, :most], self.truths, *kept, few, self.true)

    def by_score(self) -> Answers:
        """The same with the best scored prediction first; ties stay in file order."""
        order = np.argsort(-self.scores, axis=1, kind="stable")[:, :, None]
        windows = np.take_along_axis(self.predictions, order, axis=1)
        iou = np.take_along_axis(self.iou, order, axis=1)
        scores = np.take_along_axis(self.scores, order[:, :, 0], axis=1)
        return Answers(windows, self.truths, iou, scores, self.predicted, self.true)


def tiou(left: Floats, right: Floats) -> Floats:
    """Temporal IoU of windows (..., 2), broadcast against each other; 0 where both are empty."""
    inside, whole = shared(left, right)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole == 0, 0.0, inside / whole)


def matched(iou: Floats, thresholds: Floats, dearer: Floats | None = None) -> Bools:
    """(Q, T, P): whether each prediction (of Q, P, G) gets a truth at each threshold.

    One after the other each takes the truth that it overlaps best of those not yet taken, of equal
    ones the first; or that which is ``dearer`` (Q, P, G) of those that reach the threshold.
    """
    queries, rows, columns = iou.shape
    taken = np.zeros((queries, len(thresholds), columns), bool)
    hits = np.zeros((queries, len(thresholds), rows), bool)
    wanted = iou if dearer is None else dearer
    for row in range(rows):
        free = ~taken & (iou[:, None, row] >= thresholds[:, None])
        place = np.where(free, wanted[:, None, row], -np.inf).argmax(axis=-1)
        hits[:, :, row] = free.any(axis=-1)
        taken |= hits[:, :, row, None] & (np.arange(columns) == place[..., None])
    return hits


def as_sorted(answers: Answers, least: float) -> tuple[Floats, Floats]:
    """(Q, P, G) IoU and (Q, P, G) rank of each truth, as a detection benchmark has them.

    It divides by what two windows have between them even if that is nothing (two empty ones, or
    one that ends before it begins and is as long as the other), and what comes of it, which is no
    number, reaches every threshold. And it takes truths from the end of ``np.argsort``: of equal
    ones the last, where numpy sorts steadily. From four truths on it does not everywhere: what
    this machine's numpy does with equal IoUs of at least ``least`` is done here too.
    """
    _, whole = shared(answers.predictions[:, :, None], answers.truths[:, None])
    iou = np.where(whole == 0, np.inf, answers.iou)
    rank = np.argsort(np.argsort(iou, axis=-1, kind="stable"), axis=-1).astype(np.float64)
    ordered = np.sort(iou, axis=-1)
    with np.errstate(invalid="ignore"):  # infinity less itself
        equal = ~(np.diff(ordered, axis=-1) > 0) & (ordered[..., 1:] >= least)
    torn = equal.any(axis=-1) & (answers.true > SORTED)[:, None]
    for query, row in np.argwhere(torn):
        count = answers.true[query]
        told = np.where(whole == 0, np.nan, answers.iou)[query, row, :count]
        rank[query, row, np.argsort(told)] = np.arange(count)
    return iou, rank


def shared(left: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Seconds of windows (..., 2) that both have, and that either has; NaN for padding."""
    starts = np.maximum(left[..., 0], right[..., 0])
    inside = np.maximum(0, np.minimum(left[..., 1], right[..., 1]) - starts)
    # In this order: to the last bit as official scorers add.
    return inside, (left[..., 1] - left[..., 0]) + (right[..., 1] - right[..., 0]) - inside


def _counts(parts: Sequence[Sequence[Window]]) -> NDArray[np.int64]:
    return np.array([len(part) for part in parts], np.int64)


def _padded(parts: Sequence[Sequence[Window]], width: int) -> Floats:
    """(Q, most of any, width), NaN where there is nothing."""
    most = max((len(part) for part in parts), default=0)
    padded = np.full((len(parts), max(1, most), width), np.nan)
    for row, part in zip(padded, parts, strict=True):
        if len(part):
            row[: len(part)] = [window[:width] for window in part]
    return padded
