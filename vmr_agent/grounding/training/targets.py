"""What the network is to say: true moments as distributions over windows, counts, and steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vmr_agent.grounding.inputs import Batch, Floats, iou
from vmr_agent.grounding.network import COUNTS, KINDS

Ints = NDArray[np.int64]
Moments = Sequence[Floats]
"""Of each question (G, 2): true starts and ends, in steps."""

LEAST = 0.5
"""IoU below which a window is no answer at all."""


class Targets(NamedTuple):
    """Of B questions and N windows."""

    windows: Floats
    """(B, N) how right each window is; rows sum to 1, or 0 where there is no moment."""
    number: Ints
    """(B,) moments, as classes."""
    kind: Ints
    """(B,) which distribution over windows is asked for."""
    steps: Floats
    """(B, T, 3) inside of, first of, last of a moment."""

    def take(self, rows: Ints) -> Targets:
        """Of some of the questions."""
        return Targets(self.windows[rows], self.number[rows], self.kind[rows], self.steps[rows])


def targets(batch: Batch, moments: Moments, starts: Ints, ends: Ints, softness: float) -> Targets:
    """What is true of each question; ``softness`` is how much IoU is as good as none lost.

    Labels are only right to a step or two: windows near the true one are somewhat right as well,
    unless they reach beyond the film, where there are none.
    """
    windows = np.zeros((len(batch), len(starts)), np.float32)
    steps = np.zeros((*batch.valid.shape, 3), np.float32)
    for row, (true, film) in enumerate(zip(moments, batch.steps, strict=True)):
        for start, end in true:
            alike = np.where(ends <= film, iou(starts, ends, start, end), 0)
            worth = np.where(alike >= LEAST, np.exp((alike - 1) / softness), 0)
            windows[row] += worth / max(worth.sum(), 1e-6) / len(true)
            first, last = int(start + 0.5), max(int(start + 0.5), int(np.ceil(end - 0.5)) - 1)
            steps[row, first : last + 1, 0] = 1
            steps[row, first, 1] = steps[row, min(last, steps.shape[1] - 1), 2] = 1
    numbers = np.array([len(true) for true in moments], np.int64)
    count = np.minimum(numbers, COUNTS - 1)
    return Targets(windows, count, np.clip(numbers, 1, KINDS) - 1, steps)
