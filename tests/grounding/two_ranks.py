"""One process of two, started by torchrun: a small training, and what came of it, as JSON.

    torchrun --standalone --nproc-per-node 2 two_ranks.py FOLDER

Every window is looked at and nothing is left to chance, so that one process alone must come to the
same.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import torch
from scenes import questions

from vmr_agent.grounding.inputs import collate
from vmr_agent.grounding.network import Network, Sizes
from vmr_agent.grounding.training.fit import Run, train
from vmr_agent.grounding.training.lesson import Course, Lesson, Task
from vmr_agent.grounding.training.team import Team, joined

COUNT = 17
"""Questions: of the five batches, the last one is too small for two."""
COURSE = Course(epochs=1, batch=4, near=1_000_000, others=0, mirrored=False)


class Watched(Lesson):
    """Writes down which questions it was asked for."""

    seen: list[list[int]]

    def task(self, rows: np.ndarray, dice: np.random.Generator) -> Task:
        self.seen.append(rows.tolist())
        return super().task(rows, dice)


def learned(team: Team) -> dict[str, object]:
    """The weights, and which questions this process looked at."""
    asked, moments = questions(COUNT, seed=1)
    batch = collate(asked)
    torch.manual_seed(0)
    network = Network(Sizes(2, 1, width=8, hidden=8, dropout=0.0))
    lesson = Watched(batch, moments, COURSE)
    lesson.seen, losses = [], []

    def cost(task: Task, _: int) -> torch.Tensor:
        return task.cost(network(task.asked, task.starts, task.ends), COURSE).mean()

    run = Run(team, lambda _, loss: losses.append(loss))
    train(network, lesson, COUNT, cost, COURSE, 0, run)
    weights = torch.cat([part.detach().flatten() for part in network.parameters()])
    return {"weights": weights.tolist(), "seen": lesson.seen, "loss": losses[-1]}


if __name__ == "__main__":
    rank, size = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE"))
    with joined(rank, size, "cpu") as team:
        told = learned(team)
        everybody = team.gathered(rank), team.told(rank)
    text = json.dumps(told | {"everybody": everybody})
    Path(sys.argv[1], f"{rank}.json").write_text(text, encoding="utf-8")
