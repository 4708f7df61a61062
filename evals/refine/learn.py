"""Networks that learn from some queries and answer others; every fold is a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
import torch

from vmr_agent.grounding.decode import Effort, posterior, rank
from vmr_agent.grounding.inputs import Batch, Floats, Question, cells, collate
from vmr_agent.grounding.network import Network, Sizes, Tensors
from vmr_agent.grounding.training.fit import fit
from vmr_agent.grounding.training.lesson import Course
from vmr_agent.grounding.training.targets import Ints, Moments

MOST = 10
"""Windows of an answer."""
TOGETHER = 32
"""Questions judged at once."""


class Plan(NamedTuple):
    """All that decides what comes out, besides the files."""

    course: Course = Course()
    members: int = 1
    """Networks that learn the same from different seeds; their distributions are averaged."""
    sharpness: float = 1.25
    """Of the distribution over windows: labels were softened for learning."""
    effort: Effort = Effort()
    candidates: int = 10
    """Of each source."""


class Answers(NamedTuple):
    """Of Q questions."""

    windows: list[Floats]
    """Each (R, 2) in steps, best first."""
    quality: list[Floats]
    """Each (R,)."""
    number: Floats
    """(Q, 7) probability of each number of moments."""


def learn(questions: Sequence[Question], moments: Moments, plan: Plan, seed: int) -> list[Network]:
    """One network for each member."""
    torch.set_num_threads(1)  # for the same figures on every machine; folds run side by side
    batch = collate(questions, plan.candidates)
    steps = batch.valid.sum(axis=1)
    true = [np.minimum(each, count) for each, count in zip(moments, steps, strict=True)]
    sizes = Sizes(channels=batch.channels.shape[-1], sources=batch.given.shape[1])
    return [fit(batch, true, sizes, plan.course, 1000 * seed + n) for n in range(plan.members)]


def judge(networks: Sequence[Network], batch: Batch) -> tuple[Ints, Ints, Floats, Floats]:
    """Starts, ends (N,), log-probabilities (Q, N, 3), and of counts (Q, 7), of all members."""
    starts, ends = cells(batch.valid.shape[1])
    edges = torch.from_numpy(starts), torch.from_numpy(ends)
    windows, counts = [], []
    with torch.inference_mode():
        for first in range(0, len(batch), TOGETHER):
            some = batch.take(np.arange(first, min(first + TOGETHER, len(batch))))
            beyond = torch.from_numpy(ends[None] > some.valid.sum(1)[:, None])[..., None]
            judged = [network(Tensors.of(some), *edges) for network in networks]
            each = [j.windows.masked_fill(beyond, -1e9).log_softmax(1) for j in judged]
            windows.append(_mean(each).numpy())
            counts.append(_mean([j.number.log_softmax(-1) for j in judged]).numpy())
    return starts, ends, np.concatenate(windows), np.concatenate(counts)


def _mean(logs: list[torch.Tensor]) -> torch.Tensor:
    return torch.stack(logs).logsumexp(0) - float(np.log(len(logs)))


def answers(
    networks: Sequence[Network], questions: Sequence[Question], plan: Plan, seed: int
) -> Answers:
    """The ranked windows of each question. Raises ArithmeticError if a network is broken."""
    return ranked(networks, collate(questions, plan.candidates), plan, seed)


def ranked(networks: Sequence[Network], batch: Batch, plan: Plan, seed: int) -> Answers:
    """The same of questions that lie side by side already."""
    torch.set_num_threads(1)
    starts, ends, logits, count = judge(networks, batch)
    if not (np.isfinite(logits).all() and np.isfinite(count).all()):
        raise ArithmeticError("the network gives no numbers: it diverged while it was trained")
    windows, quality = [], []
    for row, (some, number) in enumerate(zip(logits, count, strict=True)):
        fits = ends <= batch.valid[row].sum()
        believed = posterior(starts[fits], ends[fits], some[fits], number, plan.sharpness)
        best = rank(believed, MOST, np.random.default_rng([seed, row]), plan.effort)
        windows.append(best.windows.astype(np.float32))
        quality.append(best.quality)
    return Answers(windows, quality, np.exp(count))


def folds(videos: Sequence[str], count: int, seed: int) -> Ints:
    """(Q,) which fold each question is held out in: all of a video in one, folds about equal."""
    order = sorted(set(videos))
    np.random.default_rng(seed).shuffle(order)
    place = {video: number % count for number, video in enumerate(order)}
    return np.array([place[video] for video in videos], np.int64)


class _Fold(NamedTuple):
    known: list[Question]
    moments: Moments
    asked: list[Question]
    plan: Plan
    seed: int


def _answered(fold: _Fold) -> Answers:
    networks = learn(fold.known, fold.moments, fold.plan, fold.seed)
    return answers(networks, fold.asked, fold.plan, fold.seed)


def crossed(
    questions: Sequence[Question],
    moments: Moments,
    held_out: Ints,
    plan: Plan,
    seed: int,
    workers: int,
) -> Answers:
    """Every question answered by networks that never saw its video."""
    jobs, places = [], []
    for number in np.unique(held_out):
        rest, asked = (
            np.flatnonzero(each).tolist() for each in (held_out != number, held_out == number)
        )
        known = [questions[n] for n in rest], [moments[n] for n in rest]
        jobs.append(_Fold(*known, [questions[n] for n in asked], plan, 100 * seed + int(number)))
        places.append(asked)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        parts = list(pool.map(_answered, jobs))
    return in_order(parts, places)


def in_order(parts: Sequence[Answers], places: Sequence[list[int]]) -> Answers:
    """Answers of all folds as one, in the order of the questions."""
    order = np.argsort(np.concatenate(places))
    windows = [each for part in parts for each in part.windows]
    quality = [each for part in parts for each in part.quality]
    count = np.concatenate([part.number for part in parts])[order]
    return Answers([windows[n] for n in order], [quality[n] for n in order], count)
