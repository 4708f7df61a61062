"""How the gate learns what sound counts: from which source alone would have been wrong (IMG).

The paper reads that off the losses of what is being trained. Here a source is as wrong as its own
candidates are, from which the gate learned about twice as much. It learns from these labels alone,
not from what its word does to the loss of both sources together.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from vmr_agent.grounding.gate import PICTURE, SOUND, Gated, Level
from vmr_agent.grounding.inputs import Batch, Floats
from vmr_agent.grounding.network import Judged, Network, Sizes
from vmr_agent.grounding.training.fit import Run, train
from vmr_agent.grounding.training.lesson import Course, Lesson, Task
from vmr_agent.grounding.training.targets import Ints, Moments
from vmr_agent.metrics.matching import Answers
from vmr_agent.metrics.qvhighlights import average_precision


class Habits(NamedTuple):
    """IMG's own numbers, where nothing else is said."""

    gamma: float = 0.1
    """Average precision by which one source must be worse to be e times less important. IMG takes
    3 and 2 for the sum of two cross entropies, which differ by as many times more."""
    tidy: float = 0.2
    """Importances nearer to 0 or 1 than this are taken for them."""
    ramp: int = 6
    """Epochs until the gate and what is distilled count in full (10 and 20 of 100)."""
    distill_weight: float = 1.0
    temperature: float = 2.0
    ungated: Level | None = None
    """Where the gate is not listened to, to see what that level is worth."""


def fit_gated(
    batch: Batch,
    moments: Moments,
    sizes: Sizes,
    course: Course,
    seed: int,
    fixed: float | None = None,
    habits: Habits | None = None,
    run: Run | None = None,
    begin: Network | None = None,
) -> Gated:
    """A gated network that learned from questions of two sources, the first without sound.

    ``fixed`` holds the gate there, and all else learns the same. All but the gate goes on from
    where ``begin`` is. Raises NotFiniteError as soon as it diverges.
    """
    run, habits = run or Run(), habits or Habits()
    torch.manual_seed(seed)
    gated = Gated(sizes, fixed, habits.ungated)
    if begin is not None:
        gated.network.load_state_dict(begin.state_dict())
    gated.to(run.team.device)
    without, alone = (wrong(batch, moments, source) for source in (PICTURE, SOUND))
    worth = importance(without, alone, habits)
    lesson = Listening(Lesson(batch, moments, course, run.team.device), worth, run.team.device)

    def cost(heard: Heard, epoch: int) -> Tensor:
        return _cost(gated, heard, course, habits, min(1.0, epoch / habits.ramp))

    return train(gated, lesson, len(batch), cost, course, seed, run)


class Heard(NamedTuple):
    """What one step of training looks at."""

    task: Task
    worth: Tensor
    """(B,) what sound should count in each question."""


class Listening:
    """A lesson, and what sound should count in each of its questions (B,)."""

    def __init__(self, lesson: Lesson, worth: Floats, device: str) -> None:
        self._lesson, self._worth = lesson, torch.from_numpy(worth).to(device)

    def task(self, rows: Ints, dice: np.random.Generator) -> Heard:
        """Some of the questions."""
        return Heard(self._lesson.task(rows, dice), self._worth[rows])


def wrong(batch: Batch, moments: Moments, source: int) -> Floats:
    """(B,) how wrong the candidates of a source alone are: 1 less their average precision."""
    both = zip(batch.candidates[:, source], batch.given[:, source], strict=True)
    told = [windows[given].tolist() for windows, given in both]
    answers = Answers.of(told, [each.tolist() for each in moments], None)
    return np.asarray(1 - average_precision(answers).mean(axis=-1), np.float32)


def importance(without: Floats, alone: Floats, habits: Habits) -> Floats:
    """(B,) what sound should count, from how wrong all is without it, and it alone."""
    worth = 1 / (1 + np.exp((alone - without) / habits.gamma))
    worth = np.where(worth <= habits.tidy, 0, worth)
    return np.where(worth > 1 - habits.tidy, 1, worth).astype(np.float32)


def _cost(gated: Gated, heard: Heard, course: Course, habits: Habits, far: float) -> Tensor:
    """Of both sources together, of either alone, of the gate, and of what is distilled."""
    task, worth = heard
    told, ramp = gated.importance(task.asked), 1 - math.cos(0.5 * math.pi * far)
    used = 0.5 * (1 - ramp) + ramp * told.detach() if gated.fixed is None else told
    none, all_of_it = torch.zeros_like(told), torch.ones_like(told)
    both, picture, sound = (
        gated(task.asked, task.starts, task.ends, each) for each in (used, none, all_of_it)
    )
    lost, blind, deaf = (task.cost(each, course) for each in (both, picture, sound))
    total = (lost + blind).mean() + (deaf * (worth > 0)).mean()
    total = total + habits.distill_weight * ramp * _distilled(both, picture, task, habits)
    if gated.fixed is None:
        total = total + nn.functional.binary_cross_entropy(told, worth)
    return total


def _distilled(teacher: Judged, student: Judged, task: Task, habits: Habits) -> Tensor:
    """KL of the picture alone from both, at a temperature: what sound taught stays without it."""
    heat = habits.temperature
    rows = torch.arange(len(task.kind), device=task.kind.device)
    wise, young = (
        ((each.windows[rows, :, task.kind] + task.offsets) / heat).log_softmax(1)
        for each in (teacher, student)
    )
    return (
        nn.functional.kl_div(young, wise.detach(), log_target=True, reduction="batchmean") * heat**2
    )
