"""Weights for the agent's grounder, trained in seconds on a world in which moments are clear."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from vmr_agent.grounding.checkpoint import Card, save
from vmr_agent.grounding.inputs import Floats, Question, collate
from vmr_agent.grounding.network import Network, Sizes
from vmr_agent.grounding.training.fit import fit
from vmr_agent.grounding.training.lesson import Course
from vmr_agent.grounding.training.simulate import World, simulate

WORLD = World(
    steps=(24, 90),
    counts=(0.25, 0.4, 0.35),
    length=(2.2, 0.6),
    clear=(1.0, 2.0),
    alike=0.5,
    scene=0.1,
    noise=0.15,
    drift=0.1,
)
SIZES = Sizes(channels=2, sources=1, width=16, hidden=32)
CHANNELS, SOURCES = ("fused",), ("rules",)


def questions(count: int, seed: int) -> tuple[list[Question], list[Floats]]:
    dice = np.random.default_rng(seed)
    made = [simulate(WORLD, dice) for _ in range(count)]
    return [question for question, _ in made], [moments for _, moments in made]


def card(**other: object) -> Card:
    known = {
        "channels": CHANNELS,
        "sources": SOURCES,
        "step": None,
        "width": SIZES.width,
        "hidden": SIZES.hidden,
        "sharpness": 1.25,
        "data": "a toy world",
        "licence": "Apache-2.0",
        "commit": "0000000",
        "seed": 0,
        "metrics": {},
    }
    return Card.model_validate(known | other)


def trained() -> Network:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # those that share so little work wait for each other
    asked, moments = questions(240, seed=0)
    network = fit(collate(asked), moments, SIZES, Course(epochs=7, near=100, others=40), seed=0)
    torch.set_num_threads(threads)
    return network


def written(folder: Path, network: Network, **other: object) -> Path:
    """The folder, with the network and a card in it."""
    save(network, card(**other), folder)
    return folder
