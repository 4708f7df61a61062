"""What chosen looks are worth: beside seeing everything, nothing, and as much of it anywhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vmr_agent.grounding.inputs import Batch, Floats, Question
from vmr_agent.grounding.selector import (
    Look,
    Seen,
    Selector,
    looked,
    nothing,
    select,
    sighted,
)

BUDGET = 0.2
"""Share of a film's steps that are looked at."""


def parted(questions: Sequence[Question]) -> tuple[list[Question], list[Floats]]:
    """Questions of the free curves alone, and the dear curve (T,) of each, which is the last."""
    free = [each._replace(curves=each.curves[:, :-1]) for each in questions]
    return free, [np.ascontiguousarray(each.curves[:, -1]) for each in questions]


def ways(
    selector: Selector, questions: Sequence[Question], most: int, device: str
) -> dict[str, Batch]:
    """What the selector's network judges by, after looks by each way, as ``trainers.Ways`` says.

    Of each source's candidates it reads the best ``most``.
    """
    asked, dear = parted(questions)
    dice = np.random.default_rng(0)
    films = [(q, d.take, int(BUDGET * len(d) + 1e-9)) for q, d in zip(asked, dear, strict=True)]
    seen = {
        "": [select(selector.worth, *film, device=device) for film in films],
        "_full_look": [Seen(np.arange(len(curve)), curve) for curve in dear],
        "_free_only": [nothing() for _ in films],
        "_at_random": [at_random(*film, dice) for film in films],
    }
    return {way: sighted(selector, asked, each, most) for way, each in seen.items()}


def at_random(asked: Question, look: Look, budget: int, dice: np.random.Generator) -> Seen:
    """So many steps anywhere."""
    steps = np.sort(dice.permutation(len(asked.curves))[:budget])
    return Seen(steps, looked(look, steps))
