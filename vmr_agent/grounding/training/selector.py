"""How the selector learns: to judge what was seen of a film as it judges the whole of it.

Every batch is judged with everything seen, which is the teacher, and with something seen, which
learns from the teacher's belief as it does from the truth. So the network that judges a part is the
full look too. What was seen may be anything: scattered, in pieces, where the free curve is high, or
where the selector itself would have looked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from vmr_agent.grounding.features import Tensors
from vmr_agent.grounding.inputs import Floats, Question, collate
from vmr_agent.grounding.network import Sizes
from vmr_agent.grounding.selector import ROUNDS, Nature, Seen, Selector, beside, best
from vmr_agent.grounding.training.fit import Run, train
from vmr_agent.grounding.training.lesson import Course, Lesson, Task
from vmr_agent.grounding.training.targets import Moments


class Diet(NamedTuple):
    """What is seen while it learns, and what weighs how much."""

    most: float = 0.3
    """Of a film's steps that were seen already, at most."""
    none: float = 0.15
    """Share of questions of which nothing was."""
    own: float = 0.4
    """Share of batches of which the selector itself chose what was seen."""
    distill_weight: float = 0.5
    """Of what the teacher believes."""


def fit_selector(
    questions: Sequence[Question],
    dear: Sequence[Floats],
    moments: Moments,
    sizes: Sizes,
    course: Course,
    seed: int,
    diet: Diet | None = None,
    run: Run | None = None,
) -> Selector:
    """A selector that learned from questions whose dear curve (T,) is known everywhere.

    ``sizes.channels`` are those of the free curves. The same seed gives the same one on a CPU.
    Raises NotFiniteError as soon as it diverges.
    """
    run, diet = run or Run(), diet or Diet()
    torch.manual_seed(seed)
    device = run.team.device
    selector = Selector(sizes, nature(questions, dear)).to(device)
    whole = [Seen(np.arange(len(curve)), curve) for curve in dear]
    batch, _ = beside(questions, whole)
    lesson = Lesson(batch, moments, course, device)

    def cost(task: Task, _: int) -> Tensor:
        return _cost(selector, task, course, diet)

    return train(selector, lesson, len(batch), cost, course, seed, run)


def nature(questions: Sequence[Question], dear: Sequence[Floats]) -> Nature:
    """What the dear curve is like within these films."""
    centred = [curve - curve.mean() for curve in dear]
    free = collate(questions).channels
    level = free[..., : free.shape[-1] // 2].mean(-1)
    flat = np.concatenate([row[: len(curve)] for row, curve in zip(level, centred, strict=True)])
    value = np.concatenate(centred)
    slope = float((flat * value).sum() / max(1e-6, float((flat * flat).sum())))
    return Nature(float(value.std()) + 1e-6, slope)


def _cost(selector: Selector, task: Task, course: Course, diet: Diet) -> Tensor:
    """Of judging with everything seen, and with some of it."""
    with torch.no_grad():
        some = _before(selector, task.asked, diet)
    full, part = (
        selector(task.asked, seen, task.starts, task.ends) for seen in (task.asked.valid, some)
    )
    far = _apart(task.likely(full).detach(), task.likely(part))
    return (task.cost(full, course) + task.cost(part, course) + diet.distill_weight * far).mean()


def _apart(wise: Tensor, young: Tensor) -> Tensor:
    """(B,) KL of a belief from the teacher's, over the windows looked at."""
    return nn.functional.kl_div(young, wise, reduction="none", log_target=True).sum(1)


def _before(selector: Selector, asked: Tensors, diet: Diet) -> Tensor:
    """(B, T) what was seen already."""
    rows, device = len(asked.valid), asked.valid.device
    share = diet.most * torch.rand(rows, device=device)
    share = share * (torch.rand(rows, device=device) >= diet.none)
    many = (share * asked.valid.sum(1)).floor().long()
    nothing = torch.zeros_like(asked.valid)
    if _chance() >= diet.own:
        pattern = PATTERNS[int(_chance() * len(PATTERNS))]
        return best(pattern(asked, many), many, nothing, asked.valid, apart=1)
    seen, boldness = nothing, _chance()
    for number in range(ROUNDS):
        worth = selector.worth(asked, seen)
        worth = worth + boldness * worth.std() * torch.randn_like(worth)
        upto = many * (number + 1) // ROUNDS
        seen = seen | best(worth, upto - seen.sum(1), seen, asked.valid)
    return seen


def _chance() -> float:
    """Of torch's generator, which a training that goes on takes up again."""
    return float(torch.rand(()))


def scattered(asked: Tensors, _: Tensor) -> Tensor:
    """(B, T) anywhere."""
    return torch.rand(asked.valid.shape, device=asked.valid.device)


def evenly(asked: Tensors, many: Tensor) -> Tensor:
    """(B, T) highest every so many steps, beginning anywhere."""
    steps = asked.valid.sum(1, keepdim=True)
    place = torch.arange(asked.valid.shape[1], device=asked.valid.device)
    begin = torch.rand((len(many), 1), device=asked.valid.device)
    return -((place * many[:, None] / steps + begin) % 1)


def together(asked: Tensors, many: Tensor) -> Tensor:
    """(B, T) in a few pieces."""
    pad = 3
    noise = scattered(asked, many)[:, None]
    return nn.functional.avg_pool1d(noise, 2 * pad + 1, 1, pad)[:, 0]


def promising(asked: Tensors, many: Tensor) -> Tensor:
    """(B, T) where the free curves are high, more or less."""
    kinds = (asked.channels.shape[-1] - 1) // 2
    ranks = asked.channels[..., kinds:-1].mean(-1)
    return ranks + 0.5 * scattered(asked, many)


PATTERNS: Sequence[Callable[[Tensors, Tensor], Tensor]] = (
    scattered,
    evenly,
    together,
    promising,
)
"""Of what may have been seen; each says of every step how likely it was among so many."""
