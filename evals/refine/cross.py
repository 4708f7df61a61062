"""Every query answered by networks that never saw its video, side by side in processes."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np

from evals.refine.learn import TOGETHER, Answers, Plan, learn, ranked
from evals.refine.rerank import reranked
from evals.refine.rows import FileError
from vmr_agent.grounding.inputs import Question, collate
from vmr_agent.grounding.network import COUNTS
from vmr_agent.grounding.training.targets import Ints, Moments

PIECE = 4 * TOGETHER
"""Questions that one process answers at a time."""
ALONE = "nothing is left to learn from without the videos that are asked about"


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
    """What is learned from, what is asked, and which rows of the answers that is."""

    known: Sequence[Question]
    moments: Moments
    asked: Sequence[Question]
    rows: list[int]
    plan: Plan
    seed: int


def crossed(
    known: tuple[Sequence[Question], Moments],
    asked: Sequence[Question],
    held_out: tuple[Ints, Ints],
    plan: Plan,
    seed: int,
    workers: int,
) -> Answers:
    """Every question answered by networks that never saw its video.

    ``held_out`` are the folds of what is known and of what is asked. The number of workers changes
    nothing but the time.
    """
    return several(known, asked, held_out, [plan], seed, workers)[0]


def several(
    known: tuple[Sequence[Question], Moments],
    asked: Sequence[Question],
    held_out: tuple[Ints, Ints],
    plans: Sequence[Plan],
    seed: int,
    workers: int,
) -> list[Answers]:
    """The same by each of the plans, of networks that learned by the first."""
    plan, jobs = plans[0], []
    for number in np.unique(held_out[1]):
        rest = np.flatnonzero(held_out[0] != number).tolist()
        rows = np.flatnonzero(held_out[1] == number).tolist()
        if plan.course.epochs and not rest:
            raise FileError(f"{ALONE}: give more of them, or other files to learn from")
        told = [known[0][n] for n in rest], [known[1][n] for n in rest]
        wanted = [asked[n] for n in rows]
        jobs.append(Fold(*told, wanted, rows, plan, 100 * seed + int(number)))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        if plan.rerank is not None:
            parts = list(pool.map(_reranked, jobs))
            return [in_order(parts, [job.rows for job in jobs])]
        pairs = [(job, member) for job in jobs for member in range(plan.members)]
        learned = list(pool.map(_learned, *zip(*pairs, strict=True)))
        teams = [learned[n : n + plan.members] for n in range(0, len(learned), plan.members)]
        pieces = [piece for each in zip(jobs, teams, strict=True) for piece in _pieces(*each)]
        found = [list(pool.map(_answered, _by(each, pieces))) for each in plans]
    return [in_order(parts, [piece.fold.rows for piece in pieces]) for parts in found]


class Piece(NamedTuple):
    """Some of the questions of a fold, and who answers them."""

    fold: Fold
    """Without what was learned from."""
    first: int
    networks: list[bytes]


def _pieces(fold: Fold, networks: list[bytes]) -> Iterator[Piece]:
    """Whole batches, so that each network sees the same ones however many pieces there are."""
    for first in range(0, len(fold.asked), PIECE):
        part = slice(first, first + PIECE)
        some = fold._replace(known=(), moments=[], asked=fold.asked[part], rows=fold.rows[part])
        yield Piece(some, first, networks)


def _by(plan: Plan, pieces: Sequence[Piece]) -> list[Piece]:
    return [piece._replace(fold=piece.fold._replace(plan=plan)) for piece in pieces]


def _learned(fold: Fold, member: int) -> bytes:
    """A network, as bytes: between processes torch would share memory."""
    return pickle.dumps(learn(fold.known, fold.moments, fold.plan, 1000 * fold.seed + member))


def _answered(piece: Piece) -> Answers:
    fold, networks = piece.fold, [pickle.loads(each) for each in piece.networks]
    for network in networks if fold.plan.deaf else ():
        network.fixed = 0.0  # of a gate
    batch = collate(fold.asked, fold.plan.candidates)
    return ranked(networks, batch, fold.plan, fold.seed, piece.first)


def _reranked(fold: Fold) -> Answers:
    """By somebody else's way."""
    assert fold.plan.rerank is not None
    known = fold.known, fold.moments
    told = reranked(fold.plan.rerank, known, fold.asked, fold.plan.course, fold.seed)
    nothing = np.full((len(told), COUNTS), np.nan, np.float32)
    return Answers([w for w, _ in told], [q for _, q in told], nothing, nothing[:, 0])


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
