"""What can be trained, each in the same way: learn, be measured, be written with a card.

A trainer is a row of ``TRAINERS`` and one of ``job.READERS``; ``vmr_agent.cli.train`` has a command
for each.
"""

from __future__ import annotations

import math
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from vmr_agent import __version__
from vmr_agent.errors import MachineError, TrainingError
from vmr_agent.grounding.checkpoint import Card, Kind, read, save
from vmr_agent.grounding.features import Tensors
from vmr_agent.grounding.gate import Gated
from vmr_agent.grounding.inputs import PER_CURVE, Batch, collate
from vmr_agent.grounding.judge import Judge
from vmr_agent.grounding.network import Judged, Network, Sizes
from vmr_agent.grounding.selector import Selector
from vmr_agent.grounding.training.data import Data
from vmr_agent.grounding.training.figures import figures, sharpest
from vmr_agent.grounding.training.fit import NotFiniteError, Run, Tell, fit
from vmr_agent.grounding.training.gate import fit_gated
from vmr_agent.grounding.training.job import Asked, Job
from vmr_agent.grounding.training.lesson import Course
from vmr_agent.grounding.training.looks import parted, ways
from vmr_agent.grounding.training.selector import fit_selector
from vmr_agent.grounding.training.team import joined

CANDIDATES = 10
"""Of each source, the best."""
BESIDE = ("nll", "best_iou")
"""Figures of the ways to judge beside the one that a network is made for."""
ROOT = Path(__file__).parents[3]

Ways = dict[str, tuple[Judge, Batch]]
"""Ways to judge the same questions. The first is what the network is made for and has no name; the
others are what it is set beside, named as in their figures."""


class Trainer(NamedTuple):
    """What differs between the networks."""

    learn: Callable[[Data, Asked, Run], nn.Module]
    """The network, learned from that; it goes on where it was, see ``fit.train``."""
    ways: Callable[[Any, Data, str], Ways]
    """How that network is to be measured on other questions, on a device."""


def trained(job: Job, tell: Tell = lambda *_: None) -> Card | None:
    """Do it, unless it is done. The card; None but in the first process of a team.

    Raises TrainingError if the network diverges, MachineError if nothing can be written.
    """
    try:
        with joined(job.rank, job.size, job.asked.device) as team:
            if not team.told(job.done):
                _train(job, Run(team, tell, job.place if job.leads else None))
        return read(job.asked.out) if job.leads else None
    finally:
        job.place.leave()


def _train(job: Job, run: Run) -> None:
    trainer, losses = TRAINERS[job.asked.trainer], [math.nan]

    def heard(over: float, loss: float) -> None:
        losses.append(loss)
        run.tell(over, loss)

    try:
        module = trainer.learn(job.known, job.asked, run._replace(tell=heard))
    except NotFiniteError as error:
        raise TrainingError(f"{error}, with --rate and --fresh") from error
    if not job.leads:
        return
    sharpness, found = _measured(job, module, run.team.device)
    card = _card(job, sharpness, {"loss": round(losses[-1], 4)} | found)
    try:
        save(module, card, job.asked.out)
    except OSError as error:
        raise MachineError(
            f"cannot write to {str(job.asked.out)!r} ({error.strerror or error}): "
            "free some room and run it again to go on"
        ) from error
    job.place.finish()


def _measured(job: Job, module: nn.Module, device: str) -> tuple[float, dict[str, float]]:
    """How sharp it is best, and what it then reaches: 1 and no figures if nothing was held out."""
    data = job.held_out
    if not len(data):
        return 1.0, {}
    found_by, true = TRAINERS[job.asked.trainer].ways(module, data, device), data.moments
    sharpness = sharpest(*found_by[""], true, device)
    found: dict[str, float] = {}
    for way, (judge, batch) in found_by.items():
        told = figures(judge, batch, true, sharpness, device)
        found |= {f"{name}{way}": told[name] for name in told if not way or name in BESIDE}
    return sharpness, found


def _card(job: Job, sharpness: float, found: dict[str, float]) -> Card:
    data, sizes = job.known, _sizes(job.known)
    return Card(
        kind=job.asked.trainer,
        channels=data.channels,
        sources=data.sources,
        step=data.step,
        width=sizes.width,
        hidden=sizes.hidden,
        sharpness=sharpness,
        candidates=CANDIDATES,
        data=data.about,
        licence=data.licence,
        commit=_commit(),
        seed=job.asked.seed,
        metrics=found,
    )


def _learn_ground(data: Data, asked: Asked, run: Run) -> Network:
    return fit(_batch(data), data.moments, _sizes(data), _course(asked), asked.seed, run)


def _learn_gate(data: Data, asked: Asked, run: Run) -> Gated:
    course = _course(asked)
    return fit_gated(_batch(data), data.moments, _sizes(data), course, asked.seed, run=run)


def _ways_ground(network: Network, data: Data, _: str) -> Ways:
    return {"": (network, _batch(data))}


def _ways_gate(gated: Gated, data: Data, device: str) -> Ways:
    """As the gate weighs sound, and without any sound."""

    def without(asked: Tensors, starts: Tensor, ends: Tensor) -> Judged:
        judged: Judged = gated(asked, starts, ends, torch.zeros(len(asked.valid), device=device))
        return judged

    batch = _batch(data)
    return {"": (gated, batch), "_without_sound": (without, batch)}


def _learn_selector(data: Data, asked: Asked, run: Run) -> Selector:
    questions, dear = parted(data.questions)
    sizes = Sizes(PER_CURVE * (len(data.channels) - 1), len(data.sources))
    course = _course(asked)
    return fit_selector(questions, dear, data.moments, sizes, course, asked.seed, run=run)


def _ways_selector(selector: Selector, data: Data, device: str) -> Ways:
    """After looks that it chose, after all there are, after none, and after as many anywhere."""
    seen = ways(selector, data.questions, CANDIDATES, device)
    return {way: (selector.network, batch) for way, batch in seen.items()}


TRAINERS: dict[Kind, Trainer] = {
    "ground": Trainer(_learn_ground, _ways_ground),
    "audio-gate": Trainer(_learn_gate, _ways_gate),
    "selector": Trainer(_learn_selector, _ways_selector),
}


def _batch(data: Data) -> Batch:
    return collate(data.questions, CANDIDATES)


def _sizes(data: Data) -> Sizes:
    return Sizes(PER_CURVE * len(data.channels), len(data.sources))


def _course(asked: Asked) -> Course:
    return Course(epochs=asked.epochs, batch=asked.batch, rate=asked.rate)


def _commit() -> str:
    """Of this checkout, and whether it was changed since; of an installed package the version."""
    if not (ROOT / ".git").exists():
        return __version__
    words = ["git", "describe", "--always", "--abbrev=7", "--exclude=*", "--dirty=+changes"]
    try:
        run = subprocess.run(words, check=True, capture_output=True, text=True, cwd=ROOT)
    except (OSError, subprocess.CalledProcessError):
        return __version__
    return run.stdout.strip()
