"""What the network is given: curves and candidate windows of many questions, side by side.

Questions differ in how long their film is and in how many candidates they have: arrays are padded,
and padding counts for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
FORM = 1
"""Raised when the networks, or what they are given, change so that older weights mean something
else."""
PER_CURVE = 2
"""Channels that a curve becomes: its z-score and its rank."""


class Question(NamedTuple):
    """What is known of one question before it is grounded."""

    curves: Floats
    """(T, S) relevance of each step, one column for each source."""
    candidates: tuple[Floats, ...]
    """For each source (K, 3): start and end in steps, score in [0, 1], best first."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """B questions."""

    channels: Floats
    """(B, T, C) normalised against the question's own film."""
    valid: NDArray[np.bool_]
    """(B, T) where there is film."""
    candidates: Floats
    """(B, S, K, 3) start, end, score."""
    given: NDArray[np.bool_]
    """(B, S, K) where there is a candidate."""

    def __len__(self) -> int:
        return len(self.channels)

    def take(self, rows: NDArray[np.int64]) -> Batch:
        """Some of the questions."""
        return Batch(self.channels[rows], self.valid[rows], self.candidates[rows], self.given[rows])

    @property
    def steps(self) -> NDArray[np.int64]:
        """(B,) of each film."""
        return np.asarray(self.valid.sum(axis=1), np.int64)

    def backwards(self) -> Batch:
        """The same films shown backwards."""
        back = np.maximum(self.steps[:, None] - 1 - np.arange(self.valid.shape[1]), 0)
        channels = np.take_along_axis(self.channels, back[..., None], axis=1)
        candidates = self.candidates.copy()
        candidates[..., :2] = self.steps[:, None, None, None] - candidates[..., 1::-1]
        candidates[~self.given] = 0
        return Batch(channels * self.valid[..., None], self.valid, candidates, self.given)


def collate(questions: Sequence[Question], most: int = 10) -> Batch:
    """Side by side; of each source's candidates the best ``most``."""
    count, sources = len(questions), len(questions[0].candidates)
    steps = max(len(each.curves) for each in questions)
    width = PER_CURVE * questions[0].curves.shape[1]
    channels = np.zeros((count, steps, width), np.float32)
    valid = np.zeros((count, steps), bool)
    candidates = np.zeros((count, sources, most, 3), np.float32)
    given = np.zeros((count, sources, most), bool)
    for row, question in enumerate(questions):
        length = len(question.curves)
        channels[row, :length] = normalised(question.curves)
        valid[row, :length] = True
        for source, windows in enumerate(question.candidates):
            kept = np.asarray(windows, np.float32).reshape(-1, 3)[:most]
            candidates[row, source, : len(kept)] = kept
            given[row, source, : len(kept)] = kept[:, 1] > kept[:, 0]
    return Batch(channels, valid, candidates, given)


def normalised(curves: Floats) -> Floats:
    """(T, S) curves as channels (T, 2 S): z-scores, and ranks from 0 to 1, within this film."""
    deviation = curves.std(axis=0, keepdims=True)
    z = (curves - curves.mean(axis=0, keepdims=True)) / (deviation + 1e-6)
    ranks = np.stack([tied_ranks(curve) for curve in curves.T], axis=1) / max(1, len(curves) - 1)
    return np.concatenate([z, ranks], axis=1).astype(np.float32)


def tied_ranks(curve: NDArray[np.floating]) -> NDArray[np.float64]:
    """(T,) from 0; what is the same has the same: a curve may be nothing nearly everywhere."""
    _, place, many = np.unique(curve, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(many) - (many + 1) / 2)[place], np.float64)


def cells(steps: int, longest: int | None = None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts and ends, in steps, of every window ``[start, end)`` that a film of so many has."""
    starts, ends = np.triu_indices(steps + 1, 1)
    if longest is not None:
        fits = ends - starts <= longest
        starts, ends = starts[fits], ends[fits]
    return starts.astype(np.int64), ends.astype(np.int64)


def iou(
    starts: NDArray[np.floating] | NDArray[np.int64],
    ends: NDArray[np.floating] | NDArray[np.int64],
    other_starts: NDArray[np.floating] | NDArray[np.int64],
    other_ends: NDArray[np.floating] | NDArray[np.int64],
) -> Floats:
    """Temporal IoU of windows that are not empty, broadcast against each other."""
    inside = np.minimum(ends, other_ends) - np.maximum(starts, other_starts)
    inside = np.maximum(inside, 0)
    whole = (ends - starts) + (other_ends - other_starts) - inside
    return np.asarray(inside / whole, np.float32)
