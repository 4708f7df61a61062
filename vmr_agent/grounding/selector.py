"""Where the expensive look goes: steps chosen round by round, where seeing them settles most.

One curve is free and known at every step; another is dear, and known only where it was looked at.
One network judges with whatever was seen of it, from nothing to all, and was taught to judge as it
does after the full look. It looks where it is least sure whether a step lies in a moment, far from
what it has seen; the next round knows what that showed.

From SpotVMR (AAAI 2024; no code was published): a cheap index of everything, rounds, one trunk for
choosing and for judging, the full look as teacher. The paper's relaxed choice is not needed here,
and neither is a head that learns what a step is worth: ``evals/LOG.md`` has what became of those.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vmr_agent.errors import CallerError
from vmr_agent.grounding.decode import Ints
from vmr_agent.grounding.features import Tensors
from vmr_agent.grounding.inputs import Batch, Floats, Question, collate
from vmr_agent.grounding.network import Judged, Network, Sizes

Look = Callable[[Ints], Floats]
"""Values of the dear curve at some steps, in their order: this is what costs."""

Worth = Callable[[Tensors, Tensor], Tensor]
"""(B, T) how much seeing each step is worth, of questions and of what was seen (B, T) already."""

ROUNDS = 5
"""Looks in which a budget is spent."""
APART = 3
"""Steps between two of one round at least, where there is room: neighbours show much the same."""
PRIOR = 4.0
"""Steps seen that count as much as what other films are like."""
NEAR = 3.0
"""Steps over which it fades how much a look says about its neighbours."""
REACH = 10
"""Steps from what was seen beyond which farther is no better."""
CROWDED = 1e3
"""Taken off what a step is worth while it is too near another of its round."""
TOGETHER = 16
"""Questions whose ranks are found at once: steps times steps numbers each."""
SIGHT = 4
"""Channels that the dear curve becomes, see ``sight``."""


class Nature(NamedTuple):
    """What the dear curve is like within a film, on the whole."""

    deviation: float
    slope: float
    """By how much it rises where the free curves do by one of their deviations."""


class Seen(NamedTuple):
    """What was looked at."""

    steps: Ints
    """(n,) in the order of looking, none twice."""
    values: Floats
    """(n,) what the dear curve is there."""


class Selector(nn.Module):
    """Judges windows with what was seen, and says what seeing more is worth."""

    nature: Tensor

    def __init__(self, sizes: Sizes, nature: Nature) -> None:
        """``sizes.channels`` are those of the free curves."""
        super().__init__()
        self.network = Network(sizes._replace(channels=sizes.channels + SIGHT))
        self.register_buffer("nature", torch.tensor(nature))

    def forward(self, batch: Tensors, seen: Tensor, starts: Tensor, ends: Tensor) -> Judged:
        """Judge the windows; what is not ``seen`` (B, T) of the last channel counts for nothing."""
        judged: Judged = self.network(self.told(batch, seen), starts, ends)
        return judged

    def worth(self, batch: Tensors, seen: Tensor) -> Tensor:
        """(B, T) variance of whether each step is inside a moment, times how far off a look is."""
        with torch.no_grad():
            felt = self.network.felt(self.told(batch, seen))
            inside = torch.sigmoid(self.network.steps(felt)[..., 0])
        return torch.mul(inside * (1 - inside), distance(seen).clamp(max=REACH))

    def told(self, batch: Tensors, seen: Tensor) -> Tensors:
        """What the network reads: the free channels, and the last one as ``sight`` tells it."""
        free, dear = batch.channels[..., :-1], batch.channels[..., -1]
        deviation, slope = self.nature
        level = slope * free[..., : free.shape[-1] // 2].mean(-1)
        channels = torch.cat([free, sight(dear, level, seen & batch.valid, deviation)], -1)
        return batch._replace(channels=channels * batch.valid[..., None])


def sight(dear: Tensor, expected: Tensor, seen: Tensor, deviation: Tensor) -> Tensor:
    """(B, T, SIGHT) of a curve (B, T) of which some was ``seen``; nothing else of it is read.

    A line through what was seen, which steps those are, how near the next of them is, and the rank
    among them. Values are set against this film's own level: their mean, less what the free curves
    let ``expected`` (B, T) there, since looks go where those are high.
    """
    there = seen.float()
    count = there.sum(1, keepdim=True)
    dear = torch.where(seen, dear, 0.0)
    level = ((dear - expected) * there).sum(1, keepdim=True) / count.clamp(min=1)
    away = (dear - level) * there
    spread = ((away**2).sum(1, keepdim=True) + PRIOR * deviation**2) / (count + PRIOR)
    line = drawn(away / spread.sqrt(), seen)
    below = (dear[:, None] < dear[..., None]).float() @ there[..., None]
    rank = below[..., 0] / (count - 1).clamp(min=1) * there
    return torch.stack([line, there, torch.exp(-distance(seen) / NEAR), rank], -1)


def drawn(values: Tensor, seen: Tensor) -> Tensor:
    """(B, T) a line through what was seen, level at its ends; 0 where nothing was."""
    steps, (before, after) = values.shape[1], neighbours(seen)
    left = torch.where(before < 0, after, before).clamp(0, steps - 1)
    right = torch.where(after >= steps, before, after).clamp(0, steps - 1)
    place = torch.arange(steps, device=values.device)
    share = ((place - left) / (right - left).clamp(min=1)).clamp(0, 1)
    low, high = values.gather(1, left), values.gather(1, right)
    return torch.where(seen.any(1, keepdim=True), low + share * (high - low), 0.0)


def distance(seen: Tensor) -> Tensor:
    """(B, T) steps to the next one that was seen; more than there are where none was."""
    place = torch.arange(seen.shape[1], device=seen.device)
    before, after = neighbours(seen)
    return torch.minimum(place - before, after - place).float()


def neighbours(seen: Tensor) -> tuple[Tensor, Tensor]:
    """(B, T) the last step that was seen up to each one, the next from each one on."""
    steps = seen.shape[1]
    place = torch.arange(steps, device=seen.device).expand_as(seen)
    before = torch.where(seen, place, -steps).cummax(1).values
    after = torch.where(seen, place, 2 * steps).flip(1).cummin(1).values.flip(1)
    return before, after


def best(worth: Tensor, many: Tensor, seen: Tensor, valid: Tensor, apart: int = APART) -> Tensor:
    """(B, T) where ``many`` (B,) more looks go: always the best step left that is ``apart``.

    Where there is no such step, the best of the others; none is seen twice.
    """
    left = valid & ~seen
    place = torch.arange(worth.shape[1], device=worth.device)
    crowded = torch.zeros_like(seen)
    chosen = torch.zeros_like(seen)
    for number in range(int(many.max())):
        free = (worth - CROWDED * crowded).masked_fill(~left, -torch.inf)
        step = free.argmax(1, keepdim=True)
        go = (number < many)[:, None] & left.gather(1, step)
        chosen |= go & (place == step)
        left &= ~chosen
        crowded |= go & ((place - step).abs() < apart)
    return chosen


def sighted(
    selector: Selector, asked: Sequence[Question], seen: Sequence[Seen], most: int = 10
) -> Batch:
    """What ``selector.network`` judges questions by, of which so much was seen."""
    batch, there = beside(asked, seen, most)
    device, told = selector.nature.device, []
    for first in range(0, len(batch), TOGETHER):
        rows = np.arange(first, min(first + TOGETHER, len(batch)))
        some = Tensors.of(batch.take(rows), str(device))
        told.append(selector.told(some, torch.from_numpy(there[rows]).to(device)).channels.cpu())
    return replace(batch, channels=torch.cat(told).numpy())


def select(
    worth: Worth,
    asked: Question,
    look: Look,
    budget: int,
    rounds: int = ROUNDS,
    device: str = "cpu",
) -> Seen:
    """Spend a budget of steps on the dear curve of a question whose curves are the free ones.

    As many as the film has, if the budget is larger. Raises CallerError if the budget is negative,
    if there is no round, or if a look gives other than one finite number for each step.
    """
    if budget < 0 or rounds < 1:
        raise CallerError(f"{budget} steps in {rounds} rounds: ask for 0 and 1 at least")
    seen = nothing()
    for many in shares(min(budget, len(asked.curves)), rounds):
        batch, known = beside([asked], [seen])
        told, there = Tensors.of(batch, device), torch.from_numpy(known).to(device)
        with torch.inference_mode():
            new = best(worth(told, there), torch.tensor([many], device=device), there, told.valid)
        steps = np.flatnonzero(new[0].cpu().numpy()).astype(np.int64)
        seen = more(seen, steps, looked(look, steps))
    return seen


def more(seen: Seen, steps: Ints, values: Floats) -> Seen:
    """With what a look has added."""
    return Seen(np.concatenate([seen.steps, steps]), np.concatenate([seen.values, values]))


def looked(look: Look, steps: Ints) -> Floats:
    """What one look shows. Raises CallerError if that is no curve."""
    values = np.asarray(look(steps), np.float32)
    if values.shape != steps.shape or not np.isfinite(values).all():
        raise CallerError(f"a look at {len(steps)} steps must give one finite number for each")
    return values


def nothing() -> Seen:
    """Before the first look."""
    return Seen(np.zeros(0, np.int64), np.zeros(0, np.float32))


def shares(budget: int, rounds: int) -> list[int]:
    """Steps of each round, about equal; no round is empty."""
    ends = [budget * (number + 1) // rounds for number in range(rounds)]
    return [end - start for start, end in zip([0, *ends], ends, strict=False) if end > start]


def beside(
    asked: Sequence[Question], seen: Sequence[Seen], most: int = 10
) -> tuple[Batch, NDArray[np.bool_]]:
    """Questions side by side, what was seen as their last channel; (B, T) where it was.

    The dear curve stays as it is: what it is like within a film is only known once it was seen.
    """
    batch = collate(asked, most)
    dear, there = np.zeros(batch.valid.shape, np.float32), np.zeros(batch.valid.shape, bool)
    for row, each in enumerate(seen):
        dear[row, each.steps], there[row, each.steps] = each.values, True
    channels = np.concatenate([batch.channels, dear[..., None]], axis=-1)
    return Batch(channels, batch.valid, batch.candidates, batch.given), there
