"""Networks that learn from some queries and answer others; every fold is a process of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from evals.refine.rerank import reranked
from vmr_agent.grounding.checkpoint import load, read
from vmr_agent.grounding.decode import Effort, posterior, rank
from vmr_agent.grounding.features import Tensors
from vmr_agent.grounding.gate import Gated
from vmr_agent.grounding.inputs import Batch, Floats, Question, cells, collate
from vmr_agent.grounding.judge import judged
from vmr_agent.grounding.network import COUNTS, Network, Sizes
from vmr_agent.grounding.training.begin import begun
from vmr_agent.grounding.training.fit import fit
from vmr_agent.grounding.training.gate import fit_gated
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
) -> list[Network | Gated]:
    """One network for each member."""
    torch.set_num_threads(1)  # for the same figures on every machine; folds run side by side
    batch = collate(questions, plan.candidates)
    true = [np.minimum(each, count) for each, count in zip(moments, batch.steps, strict=True)]
    sizes = Sizes(channels=batch.channels.shape[-1], sources=batch.given.shape[1])
    asked, seeds = (batch, true, sizes, plan.course), [1000 * seed + n for n in range(plan.members)]
    known = _known(plan, sizes.sources)
    if known is not None and not plan.course.epochs:
        return [known.eval()]
    if plan.gated:
        return [fit_gated(*asked, each, fixed=plan.held, begin=known) for each in seeds]
    return [fit(*asked, each, begin=known) for each in seeds]


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


def answers(
    networks: Sequence[Network | Gated], questions: Sequence[Question], plan: Plan, seed: int
) -> Answers:
    """The ranked windows of each question. Raises ArithmeticError if a network is broken."""
    return ranked(networks, collate(questions, plan.candidates), plan, seed)


def ranked(networks: Sequence[Network | Gated], batch: Batch, plan: Plan, seed: int) -> Answers:
    """The same of questions that lie side by side already."""
    torch.set_num_threads(1)
    starts, ends, logits, count = judge(networks, batch)
    if not (np.isfinite(logits).all() and np.isfinite(count).all()):
        raise ArithmeticError("the network gives no numbers: it diverged while it was trained")
    windows, quality, numbers = [], [], []
    for row, (some, number) in enumerate(zip(logits, count, strict=True)):
        fits = ends <= batch.steps[row]
        believed = posterior(starts[fits], ends[fits], some[fits], number, plan.sharpness)
        best = rank(believed, MOST, np.random.default_rng([seed, row]), plan.effort)
        windows.append(best.windows.astype(np.float32))
        quality.append(best.quality)
        numbers.append(believed.number)
    return Answers(windows, quality, np.stack(numbers), importance(networks, batch))


def folds(videos: Sequence[str], count: int, seed: int) -> Ints:
    """(Q,) which fold each question is held out in: all of a video in one, folds about equal."""
    order = sorted(set(videos))
    np.random.default_rng(seed).shuffle(order)
    place = {video: number % count for number, video in enumerate(order)}
    return np.array([place[video] for video in videos], np.int64)


def apart(known: Sequence[str], asked: Sequence[str], count: int, seed: int) -> tuple[Ints, Ints]:
    """Folds of what is learned from and of what is asked, by their videos.

    Where no video is in both, everything is learned from at once: there is one fold, and nothing of
    what is known lies in it.
    """
    if set(known).isdisjoint(asked):
        return np.full(len(known), -1), np.zeros(len(asked), np.int64)
    both = folds([*known, *asked], count, seed)
    return both[: len(known)], both[len(known) :]


class Fold(NamedTuple):
    """What is learned from, and what is asked."""

    known: Sequence[Question]
    moments: Moments
    asked: Sequence[Question]
    plan: Plan
    seed: int


def answered(fold: Fold) -> Answers:
    """The answers of networks that learned from what is known."""
    known, plan, seed = (fold.known, fold.moments), fold.plan, fold.seed
    if plan.rerank is None:
        return answers(learn(*known, plan, seed), fold.asked, plan, seed)
    told = reranked(plan.rerank, known, fold.asked, plan.course, seed)
    nothing = np.full((len(told), COUNTS), np.nan, np.float32)
    return Answers([w for w, _ in told], [q for _, q in told], nothing, nothing[:, 0])


def crossed(
    known: tuple[Sequence[Question], Moments],
    asked: Sequence[Question],
    held_out: tuple[Ints, Ints],
    plan: Plan,
    seed: int,
    workers: int,
) -> Answers:
    """Every question answered by networks that never saw its video.

    ``held_out`` are the folds of what is known and of what is asked.
    """
    jobs, places = [], []
    for number in np.unique(held_out[1]):
        rest = np.flatnonzero(held_out[0] != number).tolist()
        places.append(np.flatnonzero(held_out[1] == number).tolist())
        told = [known[0][n] for n in rest], [known[1][n] for n in rest]
        jobs.append(Fold(*told, [asked[n] for n in places[-1]], plan, 100 * seed + int(number)))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        parts = list(pool.map(answered, jobs))
    return in_order(parts, places)


def in_order(parts: Sequence[Answers], places: Sequence[list[int]]) -> Answers:
    """Answers of all folds as one, in the order of the questions."""
    order = np.argsort(np.concatenate(places))
    windows = [each for part in parts for each in part.windows]
    quality = [each for part in parts for each in part.quality]
    number, gate = (
        np.concatenate(each)[order]
        for each in ([part.number for part in parts], [part.importance for part in parts])
    )
    return Answers([windows[n] for n in order], [quality[n] for n in order], number, gate)
