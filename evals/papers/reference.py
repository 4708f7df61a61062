"""The parts that other systems' predictions can show, on queries with human labels.

Every work answers each query by networks that never saw its video, as ``evals.refine`` does, with
one network a fold. Files are named as Lighthouse's predictions are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from evals.papers.kept import Submissions
from evals.refine import rows as files
from evals.refine import selector
from evals.refine.cross import apart, folds, several
from evals.refine.learn import Plan
from evals.refine.tasks import GENTLE, told
from vmr_agent.adapters.grounder import shipped
from vmr_agent.grounding.adjust import adjusted
from vmr_agent.grounding.training.gate import Habits

CG, MOMENT = "cg_detr_val", "moment_detr_val"
SEEN, BOTH = "qd_detr_video_val", "qd_detr_audio_val"
"""QD-DETR without and with sound."""
Asked = list[tuple[files.Row, ...]]


class Bench(NamedTuple):
    """What all works have in common."""

    folder: Path
    """Of the predictions."""
    ground_truth: Path
    truth: Sequence[files.Row]
    """What that file says."""
    folds: int = 5
    seed: int = 0
    epochs: int = Plan().course.epochs
    limit: int | None = None
    """Queries that are asked at most: the first of the file."""
    budget: float = 0.2
    """Share of a film's steps that the selector may look at."""
    workers: int = 1

    def path(self, name: str) -> Path:
        """Of a prediction file."""
        return self.folder / f"{name}.jsonl"

    def asked(self, names: Sequence[str]) -> Asked:
        """The rows of these files side by side. Raises FileError."""
        told = [files.read(self.path(each), files.WINDOWS, files.CURVE) for each in names]
        return files.joined(told)[: self.limit]

    def plan(self, **more: Any) -> Plan:
        """How one network a fold learns."""
        course = Plan().course._replace(epochs=self.epochs, rate=GENTLE)
        return Plan(course=course, members=1, begin=shipped("detector"), **more)


class Work(NamedTuple):
    """What makes one submission or several, from these prediction files."""

    name: str
    files: tuple[str, ...]
    do: Callable[[Bench, Sequence[str]], Submissions]


def given(bench: Bench, names: Sequence[str]) -> Submissions:
    """As published."""
    return {"given": [rows[0] for rows in bench.asked(names)]}


def constrained(bench: Bench, names: Sequence[str]) -> Submissions:
    """FlashMMR's adjustment: inside the film, of 2 s and more, in whole clips of 2 s.

    ``short`` are 70 s at most besides, as in the authors' post-processing.
    """
    length = {row["qid"]: float(row["duration"]) for row in bench.truth}
    found: dict[str, list[files.Row]] = {"adjusted": [], "short": []}
    for (row,) in bench.asked(names):
        windows = np.asarray(row[files.WINDOWS], np.float64).reshape(-1, 3)
        for name, longest in (("adjusted", np.inf), ("short", 70.0)):
            bounds = np.array([0.0, length[row["qid"]]])
            legal = adjusted(windows[:, :2], files.STEP, longest, bounds)
            whole = np.floor(legal / files.STEP + 0.5) * files.STEP
            kept = np.column_stack([whole, windows[:, 2]]).tolist()
            found[name].append({**row, files.WINDOWS: kept})
    return found


def answered(bench: Bench, names: Sequence[str], **plan: Any) -> Submissions:
    """By networks that learned so; of a gate also where sound counts nothing."""
    asked = bench.asked(names)
    questions, true = [files.question(rows) for rows in asked], files.moments(asked, bench.truth)
    videos = files.videos(asked)
    held_out = apart(videos, videos, bench.folds, bench.seed)
    learned = bench.plan(**plan)
    plans = {"heard": learned, "deaf": learned._replace(deaf=True)}
    if not learned.gated:
        plans = {"answered": learned}
    how = held_out, [*plans.values()], bench.seed, bench.workers
    made = several((questions, true), questions, *how)
    return {name: told(asked, each) for name, each in zip(plans, made, strict=True)}


def looked(bench: Bench, names: Sequence[str]) -> Submissions:
    """SpotVMR's selector and the ways that nobody had to learn, at the same budget."""
    asked = bench.asked(names)
    films, true = [selector.film(each) for each in asked], files.moments(asked, bench.truth)
    held_out = folds(files.videos(asked), bench.folds, bench.seed)
    course = Plan().course._replace(epochs=bench.epochs)
    terms = selector.Terms(bench.budget, True, Plan(course=course, members=1), bench.seed)
    ways = selector.crossed(films, true, held_out, terms, bench.workers)
    return {name.replace(" ", "-"): told(asked, each) for name, each in ways.items()}


def _gate(**plan: Any) -> Callable[[Bench, Sequence[str]], Submissions]:
    return partial(answered, gated=True, **plan)


def _ungated(**habits: Any) -> Callable[[Bench, Sequence[str]], Submissions]:
    return _gate(habits=Habits(**habits))


WORKS = (
    Work("cg", (CG,), given),
    Work("constrained", (CG,), constrained),
    Work("post-verifier", (CG,), partial(answered, rerank="post-verifier")),
    Work("gate", (SEEN, BOTH), _gate()),
    Work("held", (SEEN, BOTH), _gate(held=0.5)),
    Work("undistilled", (SEEN, BOTH), _ungated(distill_weight=0.0)),
    Work("local", (SEEN, BOTH), _ungated(ungated="local")),
    Work("event", (SEEN, BOTH), _ungated(ungated="event")),
    Work("global", (SEEN, BOTH), _ungated(ungated="global")),
    Work("selector", (MOMENT, CG), looked),
    Work("refined", (CG,), answered),
)
"""The quick ones first."""
