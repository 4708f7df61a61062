"""Networks that learn from some queries and answer others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from vmr_agent.grounding.checkpoint import load, read
from vmr_agent.grounding.decode import Effort, posterior, rank
from vmr_agent.grounding.features import Tensors
from vmr_agent.grounding.gate import Gated
from vmr_agent.grounding.inputs import Batch, Floats, Question, cells, collate
from vmr_agent.grounding.judge import judged
from vmr_agent.grounding.network import Network, Sizes
from vmr_agent.grounding.training.begin import begun
from vmr_agent.grounding.training.fit import fit
from vmr_agent.grounding.training.gate import Habits, fit_gated
from vmr_agent.grounding.training.lesson import Course
from vmr_agent.grounding.training.targets import Ints, Moments

MOST = 10
"""Windows of an answer."""
TOGETHER = 32
"""Questions judged at once."""


class Plan(NamedTuple):
    """All that decides what comes out, besides the files."""

    course: Course = Course()
    members: int = 2
    """Networks that learn the same from different seeds; what they say is averaged."""
    sharpness: float = 1.35
    """Of the distribution over windows: labels were softened for learning."""
    effort: Effort = Effort()
    candidates: int = 10
    """Of each source."""
    gated: bool = False
    """Whether two sources, the first without sound, are weighed by a gate (IMG)."""
    held: float | None = None
    """Where the gate is held instead of being learned."""
    habits: Habits = Habits()
    """How a gate is learned."""
    deaf: bool = False
    """Whether sound counts nothing when it comes to answering, whatever was learned."""
    rerank: str | None = None
    """Instead of all this, somebody else's way: see ``rerank``."""
    begin: Path | None = None
    """Folder of the network of one source that learning goes on from; None begins from nothing."""


class Answers(NamedTuple):
    """Of Q questions."""

    windows: list[Floats]
    """Each (R, 2) in steps, best first."""
    quality: list[Floats]
    """Each (R,)."""
    number: Floats
    """(Q, 7) probability of each number of moments."""
    importance: Floats
    """(Q,) of sound; NaN without a gate."""


def learn(
    questions: Sequence[Question], moments: Moments, plan: Plan, seed: int
) -> Network | Gated:
    """One network. The same seed gives the same one."""
    torch.set_num_threads(1)  # for the same figures on every machine; networks learn side by side
    batch = collate(questions, plan.candidates)
    true = [np.minimum(each, count) for each, count in zip(moments, batch.steps, strict=True)]
    sizes = Sizes(channels=batch.channels.shape[-1], sources=batch.given.shape[1])
    known = _known(plan, sizes.sources)
    if known is not None and not plan.course.epochs:
        return known.eval()
    if plan.gated:
        how = plan.course, seed, plan.held, plan.habits
        return fit_gated(batch, true, sizes, *how, begin=known)
    return fit(batch, true, sizes, plan.course, seed, begin=known)


def _known(plan: Plan, sources: int) -> Network | None:
    """What learning goes on from. A gate says what each source counts, so that each is whole."""
    if plan.begin is None:
        return None
    card = read(plan.begin)
    known, _ = load(plan.begin, card.channels, card.sources)
    return begun(known, sources, 1.0 if plan.gated else None)


def judge(networks: Sequence[Network | Gated], batch: Batch) -> tuple[Ints, Ints, Floats, Floats]:
    """Starts and ends (N,), logits (Q, N, 3) and (Q, 7), of all members together."""
    starts, ends = cells(batch.valid.shape[1])
    parts = [judged(networks, part, starts, ends) for part in _parts(batch)]
    windows, number = (np.concatenate(each) for each in zip(*parts, strict=True))
    return starts, ends, windows, number


def importance(networks: Sequence[Network | Gated], batch: Batch) -> Floats:
    """(Q,) what sound counts, by the gates of all members; NaN where there are none."""
    with torch.inference_mode():
        told = [
            [each.importance(Tensors.of(part)).numpy() for part in _parts(batch)]
            for each in networks
            if isinstance(each, Gated)
        ]
    if not told:
        return np.full(len(batch), np.nan, np.float32)
    return np.asarray(np.mean([np.concatenate(each) for each in told], axis=0), np.float32)


def _parts(batch: Batch) -> Iterator[Batch]:
    for first in range(0, len(batch), TOGETHER):
        yield batch.take(np.arange(first, min(first + TOGETHER, len(batch))))


def ranked(
    networks: Sequence[Network | Gated], batch: Batch, plan: Plan, seed: int, first: int = 0
) -> Answers:
    """The ranked windows of each question, the first of which is number ``first`` of its fold.

    Raises ArithmeticError if a network is broken.
    """
    torch.set_num_threads(1)
    starts, ends, logits, count = judge(networks, batch)
    if not (np.isfinite(logits).all() and np.isfinite(count).all()):
        raise ArithmeticError("the network gives no numbers: it diverged while it was trained")
    windows, quality, numbers = [], [], []
    for row, (some, number) in enumerate(zip(logits, count, strict=True)):
        fits = ends <= batch.steps[row]
        believed = posterior(starts[fits], ends[fits], some[fits], number, plan.sharpness)
        best = rank(believed, MOST, np.random.default_rng([seed, first + row]), plan.effort)
        windows.append(best.windows.astype(np.float32))
        quality.append(best.quality)
        numbers.append(believed.number)
    return Answers(windows, quality, np.stack(numbers), importance(networks, batch))
