"""What each paper's part is worth on reference predictions: which two submissions show it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from evals.papers.kept import PapersError, Submissions, code, digest, kept
from evals.papers.parts import Paper
from evals.papers.reference import WORKS, Bench, Work
from evals.papers.worth import Worth, worth
from evals.refine import rows as files
from evals.refine.table import figures
from vmr_agent.metrics.strict import tally


class Part(NamedTuple):
    """A part, and the submissions without it and with it, each by work and name."""

    name: str
    paper: Paper
    part: str
    off: tuple[str, str]
    on: tuple[str, str]


CG, GATE = ("cg", "given"), ("gate", "heard")
SELECTOR = ("selector", "selector")
PARTS = (
    Part("flashmmr-legal", "FlashMMR", "windows in whole clips", CG, ("constrained", "adjusted")),
    Part("flashmmr-70", "FlashMMR", "and of 70 s at most", CG, ("constrained", "short")),
    Part("flashmmr-verifier", "FlashMMR", "post-verifier", CG, ("post-verifier", "answered")),
    Part("img-learned", "IMG", "gate learned, not held at .5", ("held", "heard"), GATE),
    Part("img-sound", "IMG", "sound, where the gate lets it", ("gate", "deaf"), GATE),
    Part("img-distilled", "IMG", "distillation", ("undistilled", "deaf"), ("gate", "deaf")),
    Part("img-local", "IMG", "curves gated", ("local", "heard"), GATE),
    Part("img-event", "IMG", "candidates gated", ("event", "heard"), GATE),
    Part("img-global", "IMG", "what is pooled gated", ("global", "heard"), GATE),
    Part("spotvmr-look", "SpotVMR", "a fifth is looked at", ("selector", "free-only"), SELECTOR),
    Part("spotvmr-choice", "SpotVMR", "chosen, not evenly", ("selector", "uniform"), SELECTOR),
    Part("spotvmr-rest", "SpotVMR", "a fifth, not all", ("selector", "full-look"), SELECTOR),
    Part("ours-refiner", "none", "grounding network", CG, ("refined", "answered")),
)


def works(parts: Iterable[Part]) -> list[Work]:
    """What has to be done for these parts."""
    names = {name for part in parts for name, _ in (part.off, part.on)}
    return [work for work in WORKS if work.name in names]


def checked(bench: Bench, parts: Sequence[Part]) -> None:
    """Raises PapersError or FileError for files that are missing or will not do."""
    names = dict.fromkeys(name for work in works(parts) for name in work.files)
    missing = [bench.path(name).name for name in names if not bench.path(name).is_file()]
    if missing:
        told = f"{bench.folder} has no {', '.join(missing)}"
        raise PapersError(f"{told}: put them there, or name parts that need none with --only")
    if not all("duration" in row for row in bench.truth):
        raise PapersError(f"{bench.ground_truth}: every line must have the film's duration")
    for name in names:
        files.moments(bench.asked([name]), bench.truth)


def told(bench: Bench, parts: Sequence[Part], out: Path, again: bool = False) -> dict[str, Any]:
    """What every part is worth; what was made before is not made again.

    Raises PapersError, FileError or ArithmeticError.
    """
    made: dict[str, Submissions] = {}
    for work in works(parts):
        print(f"{work.name}, of {', '.join(work.files)}", file=sys.stderr, flush=True)
        marks = _marks(bench, work)
        make = partial(work.do, bench, work.files)
        try:
            made[work.name] = kept(out / work.name, marks, make, again)
        except BrokenProcessPool as error:
            killed = f"{work.name}: a process that learns was killed, for want of memory perhaps"
            raise PapersError(f"{killed}; the same command goes on from here") from error
    return {
        **_marks(bench, *works(parts)),
        "parts": [_worth(part, made, bench.truth) for part in parts],
        "runs": {
            f"{work}/{name}": figures(rows, bench.truth)
            for work, every in made.items()
            for name, rows in every.items()
        },
    }


def _worth(part: Part, made: Mapping[str, Submissions], truth: Sequence[files.Row]) -> Worth:
    off, on = (made[work][name] for work, name in (part.off, part.on))
    asked = {row["qid"] for row in off}
    known = [row for row in truth if row["qid"] in asked]
    videos = [str(row["vid"])[: files.YOUTUBE] for row in known]
    about = part._asdict() | {"off": "/".join(part.off), "on": "/".join(part.on)}
    return {**about, "figures": worth(tally(off, known), tally(on, known), videos)}


def _marks(bench: Bench, *some: Work) -> dict[str, Any]:
    """What makes the answers of some works what they are."""
    about = {"code": code(), "ground truth": digest([bench.ground_truth])}
    names = dict.fromkeys(name for work in some for name in work.files)
    about |= {name: digest([bench.path(name)]) for name in names}
    chosen = ("folds", "seed", "epochs", "limit", "budget")
    return about | {name: getattr(bench, name) for name in chosen}
