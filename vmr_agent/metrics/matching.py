"""Windows of many queries side by side, and how predicted ones are matched to true ones.

Queries differ in how many windows they have: arrays are padded, and padding matches nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Window = Sequence[float]

APART = -1.0
"""IoU with what is only padding."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Predictions and truths of Q queries."""

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
        return cls(iou, scores, predicted=_counts(kept), true=_counts(truths))

    def where(self, chosen: NDArray[np.bool_]) -> Answers:
        """Some of the queries."""
        counts = self.predicted[chosen], self.true[chosen]
        return Answers(self.iou[chosen], self.scores[chosen], *counts)

    def first(self, most: int) -> Answers:
        """The same with the first predictions of each alone."""
        few = np.minimum(self.predicted, most)
        return Answers(self.iou[:, :most], self.scores[:, :most], few, self.true)

    def by_score(self) -> Floats:
        """(Q, P, G) IoU with the best scored prediction first; ties stay in file order."""
        order = np.argsort(-self.scores, axis=1, kind="stable")
        return np.asarray(np.take_along_axis(self.iou, order[:, :, None], axis=1), np.float64)


def tiou(left: Floats, right: Floats) -> Floats:
    """Temporal IoU of windows (..., 2), broadcast against each other; 0 where both are empty."""
    starts = np.maximum(left[..., 0], right[..., 0])
    inside = np.maximum(0, np.minimum(left[..., 1], right[..., 1]) - starts)
    lengths = (each[..., 1] - each[..., 0] for each in (left, right))
    whole = sum(lengths, -inside)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole == 0, 0.0, inside / whole)


def matched(iou: Floats, thresholds: Floats) -> NDArray[np.bool_]:
    """(Q, T, P): whether each prediction (of Q, P, G) gets a truth at each threshold.

    One after the other each takes the truth that it overlaps best of those not yet taken.
    """
    queries, rows, columns = iou.shape
    taken = np.zeros((queries, len(thresholds), columns), bool)
    hits = np.zeros((queries, len(thresholds), rows), bool)
    for row in range(rows):
        near = iou[:, None, row] * np.ones((1, len(thresholds), 1))
        free = ~taken & (near >= thresholds[:, None])
        best = np.where(free, near, APART)
        # Of equal ones the last, as official scorers have it.
        place = columns - 1 - best[..., ::-1].argmax(axis=-1)
        hits[:, :, row] = free.any(axis=-1)
        taken |= hits[:, :, row, None] & (np.arange(columns) == place[..., None])
    return hits


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
