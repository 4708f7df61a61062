"""How the selector learns: from what seeing a few more steps did to its own judgement.

Every batch is judged three times: with everything seen, with something seen, and with a few steps
more. The first is the teacher; the others learn from its belief as they do from the truth. How much
nearer the third is to it than the second is what those steps were worth, and the head learns that.
So the network that chooses is the full look too. What was seen may be anything: scattered, in
pieces, where the free curve is high, or what the selector itself would have looked at.
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
    more: int = 3
    """Steps that are then seen in addition."""
    own: float = 0.4
    """Share of batches of which the selector itself chose what was seen."""
    distill_weight: float = 0.25
    """Of what is distilled into either of the two."""
    worth_weight: float = 1.0
    sharp: float = 10.0
    """Gains are learned in nats times this, and above 1 of them what counts is how far off."""


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
    """Of judging with all, with some and with a little more; and of saying what that was worth."""
    asked, valid = task.asked, task.asked.valid
    with torch.no_grad():
        some = _before(selector, asked, diet)
    worth = selector.worth(asked, some)
    new = _more(worth.detach(), some, valid, diet)
    full, before, after = (
        selector(asked, seen, task.starts, task.ends) for seen in (valid, some, some | new)
    )
    wise = task.likely(full).detach()
    far = [_apart(wise, task.likely(each)) for each in (before, after)]
    lost = task.cost(full, course) + 0.5 * (task.cost(before, course) + task.cost(after, course))
    gain = diet.sharp * (far[0] - far[1]).detach()
    told = diet.sharp * (worth * new).sum(1)
    total = lost.mean() + diet.distill_weight * (far[0] + far[1]).mean()
    return total + diet.worth_weight * nn.functional.smooth_l1_loss(told, gain)


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


def _more(worth: Tensor, seen: Tensor, valid: Tensor, diet: Diet) -> Tensor:
    """(B, T) steps seen in addition: anywhere, or rather where it is thought to be worth it."""
    noise = torch.rand_like(worth)
    if _chance() < 0.5:
        noise = noise + (worth - worth.mean(1, keepdim=True)) / (worth.std() + 1e-6) / 3
    many = torch.full((len(worth),), diet.more, device=worth.device)
    return best(noise, many, seen, valid)


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
