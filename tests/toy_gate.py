"""Weights for the agent's gate, trained in seconds on short films."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import torch
import toy_grounder

from evals import hearing
from evals.hearing import Heard
from vmr_agent.adapters.gate import SIDES, STEP, question
from vmr_agent.grounding.checkpoint import Card, save
from vmr_agent.grounding.gate import Gated
from vmr_agent.grounding.inputs import PER_CURVE, Question, collate
from vmr_agent.grounding.network import Sizes
from vmr_agent.grounding.training.gate import fit_gated
from vmr_agent.grounding.training.lesson import Course

WORLD = hearing.FILMS._replace(steps=(60, 140), clear=(9.0, 13.0), scene=1.0, alike=0.5)
SIZES = Sizes(channels=PER_CURVE * len(SIDES), sources=len(SIDES), width=16, hidden=16)


def films(count: int, seed: int) -> Iterator[Heard]:
    """Films of half a minute to a minute."""
    dice = np.random.default_rng(seed)
    for _ in range(count):
        yield hearing.heard(dice, WORLD)


def asked(made: Heard) -> Question:
    """What goes through the network."""
    request = hearing.request(made)
    assert request is not None
    return question(request, STEP)


def card(**other: object) -> Card:
    sides = {"kind": "audio-gate", "channels": SIDES, "sources": SIDES, "step": STEP}
    sizes = {"width": SIZES.width, "hidden": SIZES.hidden, "sharpness": 1.0}
    return toy_grounder.card(**sides | sizes | other)


@cache
def trained() -> Gated:
    """Shared by all tests: a copy is to be made before it is changed."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # those that share so little work wait for each other
    seen = [*films(160, seed=0)]
    true = [each.moments.astype(np.float32) / STEP for each in seen]
    course = Course(epochs=8, batch=16, rate=1e-2, near=20, others=10)
    gated = fit_gated(collate([asked(each) for each in seen]), true, SIZES, course, seed=0)
    torch.set_num_threads(threads)
    return gated


def written(folder: Path, gated: Gated, **other: object) -> Path:
    """The folder, with the gate and a card in it."""
    save(gated, card(**other), folder)
    return folder
