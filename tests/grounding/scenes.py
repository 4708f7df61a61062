"""Questions for the grounding network, made up on the spot."""

from __future__ import annotations

import numpy as np

from vmr_agent.grounding.inputs import Floats, Question
from vmr_agent.grounding.training.simulate import World, simulate

TOY = World(steps=(24, 40), counts=(0.0, 0.7, 0.3), clear=(1.0, 2.0), alike=1.0, overlooked=0.0)
"""A world in which moments are easily seen."""


def questions(count: int, seed: int = 0, world: World = TOY) -> tuple[list[Question], list[Floats]]:
    dice = np.random.default_rng(seed)
    made = [simulate(world, dice) for _ in range(count)]
    return [question for question, _ in made], [moments for _, moments in made]
