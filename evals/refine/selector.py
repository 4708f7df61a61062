"""The selector on real curves: one file's curve is free, another's is seen only where it looks.

Of the second file only the curve is used, never its windows. Everything goes through the same
network: the full look, nothing but the free curve, and each way of spending the budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
import torch

from evals.refine import rows as files
from evals.refine.cross import ALONE, in_order
from evals.refine.learn import Answers, Plan, ranked
from evals.refine.rules import RULES
from vmr_agent.grounding.decode import Ints
from vmr_agent.grounding.inputs import PER_CURVE, Floats, Question
from vmr_agent.grounding.network import Sizes
from vmr_agent.grounding.selector import Seen, Selector, looked, nothing, select, sighted
from vmr_agent.grounding.training.selector import fit_selector
from vmr_agent.grounding.training.targets import Moments

FULL, FREE, SELECTOR = "full look", "free only", "selector"


class Film(NamedTuple):
    """A question, and what a look at its film would show."""

    asked: Question
    """With the free curve and its windows."""
    dear: Floats
    """(T,) the curve that costs."""

    def look(self, steps: Ints) -> Floats:
        """What is paid for, and no more."""
        return self.dear[steps]


class Terms(NamedTuple):
    """What is asked for."""

    budget: float
    """Share of a film's steps that may be seen."""
    every_way: bool
    """Whether all ways of looking are compared, or only the selector answers."""
    plan: Plan
    seed: int


class Job(NamedTuple):
    """One fold."""

    known: list[Film]
    moments: Moments
    held_out: list[Film]
    terms: Terms


def film(rows: Sequence[files.Row]) -> Film:
    """Of one query: the first file is free, the second is what a look shows."""
    both = files.question(rows)
    return Film(Question(both.curves[:, :1], both.candidates[:1]), both.curves[:, 1])


def crossed(
    films: Sequence[Film], moments: Moments, held_out: Ints, terms: Terms, workers: int
) -> dict[str, Answers]:
    """Answers to every question by each way of looking, from selectors that never saw its video."""
    jobs, places = [], []
    for number in np.unique(held_out):
        rest, asked = (
            np.flatnonzero(each).tolist() for each in (held_out != number, held_out == number)
        )
        if not rest:
            raise files.FileError(f"{ALONE}: give more of them")
        its_own = terms._replace(seed=100 * terms.seed + int(number))
        known = [films[n] for n in rest], [moments[n] for n in rest]
        jobs.append(Job(*known, [films[n] for n in asked], its_own))
        places.append(asked)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        parts = list(pool.map(_answered, jobs))
    return {way: in_order([part[way] for part in parts], places) for way in parts[0]}


def kept(runs: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Figures of each way, and how much of the full look's mAP it keeps."""
    whole = max(1e-9, runs[FULL]["mAP"])
    return {
        name: {**found, "kept %": round(100 * found["mAP"] / whole, 2)}
        for name, found in runs.items()
    }


def _answered(job: Job) -> dict[str, Answers]:
    """By each way of looking."""
    torch.set_num_threads(1)
    plan, seed = job.terms.plan, job.terms.seed
    selector, asked = _learnt(job), [each.asked for each in job.held_out]
    found = {}
    for way, seen in _looks(selector, job).items():
        batch = sighted(selector, asked, seen, plan.candidates)
        found[way] = ranked([selector.network], batch, plan, seed)
    return found


def _learnt(job: Job) -> Selector:
    asked, dear = [each.asked for each in job.known], [each.dear for each in job.known]
    true = [np.minimum(each, len(curve)) for each, curve in zip(job.moments, dear, strict=True)]
    sizes = Sizes(channels=PER_CURVE, sources=1)
    return fit_selector(asked, dear, true, sizes, job.terms.plan.course, job.terms.seed)


def _looks(selector: Selector, job: Job) -> dict[str, list[Seen]]:
    """What is seen of every film by each way."""
    films = job.held_out
    budgets = [int(job.terms.budget * len(each.dear) + 1e-9) for each in films]
    both = list(zip(films, budgets, strict=True))

    worth = selector.worth
    found = {SELECTOR: [select(worth, each.asked, each.look, many) for each, many in both]}
    if not job.terms.every_way:
        return found
    found[FULL] = [Seen(s := np.arange(len(each.dear)), looked(each.look, s)) for each in films]
    found[FREE] = [nothing() for _ in films]
    for name, rule in RULES.items():
        dice = np.random.default_rng(job.terms.seed)
        found[name] = [rule(each.asked, each.look, many, dice) for each, many in both]
    return found
