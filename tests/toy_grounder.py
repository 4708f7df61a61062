"""Weights for the agent's grounder, trained in seconds on a world in which moments are clear."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from evals import rehearsal
from vmr_agent import Settings
from vmr_agent.adapters.grounder import known
from vmr_agent.curves import logistic
from vmr_agent.grounding.checkpoint import Card, save
from vmr_agent.grounding.excerpt import Excerpt, Seconds, excerpt
from vmr_agent.grounding.inputs import collate
from vmr_agent.grounding.network import Network, Sizes
from vmr_agent.grounding.training.fit import fit
from vmr_agent.grounding.training.lesson import Course
from vmr_agent.grounding.training.simulate import World, simulate
from vmr_agent.protocols import GroundRequest

WORLD = World(
    steps=(24, 90),
    counts=(0.25, 0.4, 0.35),
    length=(2.2, 0.6),
    clear=(1.0, 2.0),
    overlooked=0.0,
    misjudged=(0.0, 0.0),
    alike=0.5,
    scene=0.1,
    noise=0.15,
    drift=0.1,
)
SIZES = Sizes(channels=2, sources=1, width=16, hidden=32)
CHANNELS, SOURCES = ("fused",), ("rules",)


class Seen(NamedTuple):
    """A film of the toy world."""

    request: GroundRequest
    """What the agent's own rooms make of it."""
    excerpt: Excerpt
    """What of that goes through the network."""
    moments: Seconds
    """(G, 2) seconds."""


def films(count: int, seed: int) -> Iterator[Seen]:
    """Films in which retrieval finds anything worth a look."""
    dice, settings = np.random.default_rng(seed), Settings()
    for _ in range(count):
        question, moments = simulate(WORLD, dice)
        relevance = logistic(question.curves[:, 0], 0.6, 4)
        request = rehearsal.asked(relevance[None], ("picture",), 1.0, (), settings)
        if request is not None:
            seen = excerpt(known(request), CHANNELS)
            yield Seen(request, seen, moments.astype(np.float64))


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


@cache
def trained() -> Network:
    """Shared by all tests: a copy is to be made before it is changed."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # those that share so little work wait for each other
    seen = [*films(300, seed=0)]
    asked = collate([each.excerpt.question for each in seen])
    true = [rehearsal.moments(each.excerpt, each.moments) for each in seen]
    network = fit(
        asked,
        true,
        SIZES,
        Course(epochs=14, batch=16, near=60, others=20, count_weight=1.0),
        seed=0,
    )
    torch.set_num_threads(threads)
    return network


def written(folder: Path, network: Network, **other: object) -> Path:
    """The folder, with the network and a card in it."""
    save(network, card(**other), folder)
    return folder
