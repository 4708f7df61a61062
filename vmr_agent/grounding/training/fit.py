"""The training loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from vmr_agent.grounding.inputs import Batch
from vmr_agent.grounding.network import Network, Sizes
from vmr_agent.grounding.training.lesson import Course, Lesson, Task
from vmr_agent.grounding.training.targets import Ints, Moments

M = TypeVar("M", bound=nn.Module)
Cost = Callable[[Task, int], Tensor]
"""What a task costs in an epoch."""
Tell = Callable[[int, float], None]
"""Is told the epoch and its mean loss."""


class NotFiniteError(ArithmeticError):
    """The network no longer computes numbers."""


def fit(
    batch: Batch,
    moments: Moments,
    sizes: Sizes,
    course: Course,
    seed: int,
    device: str = "cpu",
    tell: Tell = lambda *_: None,
) -> Network:
    """A network that learned from these questions. The same seed gives the same one on a CPU.

    Raises NotFiniteError as soon as it diverges.
    """
    torch.manual_seed(seed)
    network = Network(sizes).to(device)
    lesson = Lesson(batch, moments, course, device)

    def cost(task: Task, _: int) -> Tensor:
        return task.cost(network(task.asked, task.starts, task.ends), course).mean()

    return train(network, lesson, len(batch), cost, course, seed, tell)


def train(
    module: M, lesson: Lesson, count: int, cost: Cost, course: Course, seed: int, tell: Tell
) -> M:
    """Lower the cost of ``count`` questions, epoch after epoch; the module, ready to judge."""
    dice = np.random.default_rng(seed)
    optimizer = torch.optim.AdamW(module.parameters(), lr=course.rate, weight_decay=course.decay)
    total = course.epochs * -(-count // course.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, course.rate, total_steps=total, pct_start=0.1
    )
    module.train()
    for epoch in range(course.epochs):
        losses = []
        for rows in _shuffled(count, course.batch, dice):
            loss = cost(lesson.task(rows, dice), epoch)
            if not torch.isfinite(loss):
                raise NotFiniteError(f"the loss is {loss.item()} in epoch {epoch}: lower the rate")
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        tell(epoch, float(np.mean(losses)))
    return module.eval()


def _shuffled(count: int, size: int, dice: np.random.Generator) -> Iterator[Ints]:
    order = dice.permutation(count)
    for first in range(0, count, size):
        yield order[first : first + size]
