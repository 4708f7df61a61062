"""What one step of training looks at, and how wrong the network is about it.

Of a film's windows, most are nothing. Each step looks at those that the candidates or the truth
speak for, and at some of the others, which stand for all of them (importance weights).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from vmr_agent.grounding.features import Tensors, votes
from vmr_agent.grounding.inputs import Batch, Floats, cells
from vmr_agent.grounding.network import Judged
from vmr_agent.grounding.training.targets import Ints, Moments, Targets, targets

FAR = -1e9
"""Added to the logit of a window that does not count."""


class Course(NamedTuple):
    """How long, how fast, and what weighs how much."""

    epochs: int = 12
    batch: int = 32
    rate: float = 2e-3
    decay: float = 1e-2
    softness: float = 0.08
    """IoU, see ``targets``."""
    near: int = 400
    """Windows of each question that its candidates or the truth speak for."""
    others: int = 200
    """Windows of each question that stand for all others."""
    count_weight: float = 0.5
    steps_weight: float = 0.3
    mirrored: bool = True
    """Whether half of the questions are shown backwards in time."""


class Task(NamedTuple):
    """Some questions, some windows of each, and what is true of them: all tensors."""

    asked: Tensors
    starts: Tensor
    """(B, M) steps."""
    ends: Tensor
    """(B, M) steps."""
    offsets: Tensor
    """(B, M) added to logits: how many windows each one stands for."""
    right: Tensor
    """(B, M) how right each one is."""
    kind: Tensor
    """(B,) see ``Targets``."""
    number: Tensor
    """(B,) see ``Targets``."""
    steps: Tensor
    """(B, T, 3) see ``Targets``."""

    def likely(self, judged: Judged) -> Tensor:
        """(B, M) log-probabilities of the windows."""
        rows = torch.arange(len(self.kind), device=self.kind.device)
        return torch.log_softmax(judged.windows[rows, :, self.kind] + self.offsets, dim=1)

    def cost(self, judged: Judged, course: Course) -> Tensor:
        """(B,) how wrong that is."""
        windows = -(self.right * self.likely(judged)).sum(1)
        count = nn.functional.cross_entropy(judged.number, self.number, reduction="none")
        each = nn.functional.binary_cross_entropy_with_logits(
            judged.steps, self.steps, reduction="none"
        ).mean(-1)
        film = self.asked.valid
        steps = (each * film).sum(1) / film.sum(1)
        return windows + course.count_weight * count + course.steps_weight * steps


class Lesson:
    """All questions, forwards and backwards, and what is true of them."""

    def __init__(self, batch: Batch, moments: Moments, course: Course, device: str = "cpu") -> None:
        self._course, self._device = course, device
        self._starts, self._ends = cells(batch.valid.shape[1])
        self._sides = [self._side(batch, moments)]
        if course.mirrored:
            self._sides.append(self._side(*mirrored(batch, moments)))

    def task(self, rows: Ints, dice: np.random.Generator) -> Task:
        """Some of the questions, all seen from the same side."""
        whole, true, near = self._sides[dice.integers(len(self._sides))]
        batch, true, near = whole.take(rows), true.take(rows), near[rows]
        windows, offsets = self._looked_at(near, batch, dice)
        right = np.take_along_axis(true.windows, windows, axis=1)
        right[:, near.shape[1] :] = 0
        parts = (self._starts[windows], self._ends[windows], offsets, right)
        truth = (true.kind, true.number, true.steps)
        return Task(
            Tensors.of(batch, self._device),
            *(torch.from_numpy(part).to(self._device) for part in (*parts, *truth)),
        )

    def _side(self, batch: Batch, moments: Moments) -> tuple[Batch, Targets, Ints]:
        true = targets(batch, moments, self._starts, self._ends, self._course.softness)
        return batch, true, self._near(batch, true)

    def _near(self, batch: Batch, true: Targets) -> Ints:
        """(B, near) the windows most spoken for; all that are right are among them."""
        starts, ends = torch.from_numpy(self._starts), torch.from_numpy(self._ends)
        most, near = min(self._course.near, len(self._starts)), []
        for first in range(0, len(batch), 64):
            rows = np.arange(first, min(first + 64, len(batch)))
            some = Tensors.of(batch.take(rows))
            cast = votes(some, starts.expand(len(rows), -1), ends.expand(len(rows), -1))
            score = cast.sum(-1).numpy() + 1e3 * true.windows[rows]
            score[self._beyond(batch.take(rows))] -= 1e3
            near.append(np.argpartition(-score, most - 1, axis=1)[:, :most])
        return np.concatenate(near)

    def _beyond(self, batch: Batch) -> np.ndarray:
        """(B, N) the windows that reach over the end of the film."""
        return np.asarray(self._ends[None] > batch.steps[:, None])

    def _looked_at(
        self, near: Ints, batch: Batch, dice: np.random.Generator
    ) -> tuple[Ints, Floats]:
        """(B, near + others) windows, and what is added to their logits."""
        count, most = len(self._starts), near.shape[1]
        others = dice.integers(count, size=(len(near), self._course.others))
        beyond = self._beyond(batch)
        known = beyond.copy()
        np.put_along_axis(known, near, True, axis=1)
        double = np.take_along_axis(known, others, axis=1)
        stood_for = (~known).sum(1, keepdims=True) / np.maximum(1, (~double).sum(1, keepdims=True))
        offsets = np.zeros((len(near), most + self._course.others), np.float32)
        offsets[:, :most] = np.where(np.take_along_axis(beyond, near, axis=1), FAR, 0)
        offsets[:, most:] = np.where(double, FAR, np.log(np.maximum(stood_for, 1e-6)))
        return np.concatenate([near, others], axis=1), offsets


def mirrored(batch: Batch, moments: Moments) -> tuple[Batch, Moments]:
    """The same films shown backwards, and what is true of them then."""
    turned = [length - true[:, ::-1] for length, true in zip(batch.steps, moments, strict=True)]
    return batch.backwards(), turned
