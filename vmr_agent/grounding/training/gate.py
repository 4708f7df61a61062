"""How the gate learns what sound counts: from which source alone would have been wrong (IMG)."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vmr_agent.grounding.gate import Gated
from vmr_agent.grounding.inputs import Batch
from vmr_agent.grounding.network import Judged, Network, Sizes
from vmr_agent.grounding.training.fit import Run, train
from vmr_agent.grounding.training.lesson import Course, Lesson, Task
from vmr_agent.grounding.training.targets import Moments


class Habits(NamedTuple):
    """IMG's own numbers, where nothing else is said."""

    gamma: float = 0.5
    """Loss by which one source must be worse to be e times less important. IMG takes 3 and 2 for
    the sum of two cross entropies; the one here differs by some tenths between sources."""
    tidy: float = 0.2
    """Importances nearer to 0 or 1 than this are taken for them."""
    ramp: int = 6
    """Epochs until the gate and what is distilled count in full (10 and 20 of 100)."""
    gate_weight: float = 5.0
    distill_weight: float = 1.0
    temperature: float = 2.0


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
    gated = Gated(sizes, fixed)
    if begin is not None:
        gated.network.load_state_dict(begin.state_dict())
    gated.to(run.team.device)
    lesson = Lesson(batch, moments, course, run.team.device)

    def cost(task: Task, epoch: int) -> Tensor:
        return _cost(gated, task, course, habits, min(1.0, epoch / habits.ramp))

    return train(gated, lesson, len(batch), cost, course, seed, run)


def _cost(gated: Gated, task: Task, course: Course, habits: Habits, far: float) -> Tensor:
    """Of both sources together, of either alone, of the gate, and of what is distilled."""
    told, ramp = gated.importance(task.asked), 1 - math.cos(0.5 * math.pi * far)
    used = 0.5 * (1 - ramp) + ramp * told if gated.fixed is None else told
    none, all_of_it = torch.zeros_like(told), torch.ones_like(told)
    both, picture, sound = (
        gated(task.asked, task.starts, task.ends, each) for each in (used, none, all_of_it)
    )
    lost, blind, deaf = (task.cost(each, course) for each in (both, picture, sound))
    worth = importance(blind.detach(), deaf.detach(), habits)
    total = (lost + blind).mean() + (deaf * (worth > 0)).mean()
    total = total + habits.distill_weight * ramp * _distilled(both, picture, task, habits)
    if gated.fixed is None:
        gate = nn.functional.binary_cross_entropy(told.clamp(1e-6, 1 - 1e-6), worth)
        total = total + habits.gate_weight * gate
    return total


def importance(without: Tensor, alone: Tensor, habits: Habits) -> Tensor:
    """(B,) what sound should have counted, from the losses without it and of it alone."""
    worth = torch.sigmoid((without - alone) / habits.gamma)
    worth = torch.where(worth <= habits.tidy, torch.zeros_like(worth), worth)
    return torch.where(worth > 1 - habits.tidy, torch.ones_like(worth), worth)


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
