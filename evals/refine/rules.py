"""Ways to spend a budget of looks that nobody had to learn: what the selector is set beside."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vmr_agent.grounding.decode import Ints
from vmr_agent.grounding.inputs import Floats, Question
from vmr_agent.grounding.selector import (
    ROUNDS,
    Look,
    Seen,
    looked,
    more,
    nothing,
    shares,
)
from vmr_agent.grounding.training.looks import at_random

Rule = Callable[[Question, Look, int, np.random.Generator], Seen]
"""A question of one free curve, a look, how many steps it may see, and dice."""


def evenly(asked: Question, look: Look, budget: int, _: np.random.Generator) -> Seen:
    """In the middle of each of so many equal parts."""
    steps = ((np.arange(budget) + 0.5) * len(asked.curves) / max(1, budget)).astype(np.int64)
    return Seen(steps, looked(look, steps))


def highest(asked: Question, look: Look, budget: int, _: np.random.Generator) -> Seen:
    """Where the free curve is highest (top-k)."""
    steps = np.argsort(-asked.curves[:, 0], kind="stable")[:budget]
    return Seen(steps, looked(look, steps))


def by_hand(asked: Question, look: Look, budget: int, _: np.random.Generator) -> Seen:
    """Peaks of the free curve, then the neighbours of the best of them, and the widest gap.

    The rule that SpotVMR's rounds come down to without anything learned: a third of every later
    round goes into gaps, the rest next to what has shown the highest values.
    """
    free, seen = asked.curves[:, 0], nothing()
    for number, many in enumerate(shares(budget, ROUNDS)):
        known = np.full(len(free), -np.inf)
        known[seen.steps] = seen.values
        steps = _peaks(free)[:many] if number == 0 else np.zeros(0, np.int64)
        for place in range(len(steps), many):
            taken = np.isfinite(known)
            taken[steps] = True
            wide = place % 3 == 2 or not number
            step = _gap(taken) if wide else _beside(known, taken)
            steps = np.append(steps, step)
        seen = more(seen, steps, looked(look, steps))
    return seen


def _peaks(curve: Floats) -> Ints:
    """Steps higher than those around them, highest first."""
    low = np.pad(curve, 1, constant_values=-np.inf)
    peaks = np.flatnonzero((curve > low[:-2]) & (curve >= low[2:]))
    return peaks[np.argsort(-curve[peaks], kind="stable")]


def _gap(taken: np.ndarray) -> int:
    """The step that is farthest from all that are taken."""
    there = np.flatnonzero(taken)
    if not len(there):
        return len(taken) // 2
    away = np.abs(np.arange(len(taken))[:, None] - there).min(axis=1)
    return int(away.argmax())


def _beside(known: np.ndarray, taken: np.ndarray) -> int:
    """A free neighbour of the step that showed the highest value, if any has one."""
    for step in np.argsort(-known, kind="stable"):
        if known[step] == -np.inf:
            break
        for near in (step - 1, step + 1):
            if 0 <= near < len(taken) and not taken[near]:
                return int(near)
    return _gap(taken)


RULES: dict[str, Rule] = {
    "random": at_random,
    "uniform": evenly,
    "top-k": highest,
    "by hand": by_hand,
}
