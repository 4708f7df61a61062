"""What the shipped weights learn from: curves that never were, and what becomes of them.

    python -m evals.lessons --out lessons.jsonl --questions 8000 --seed 0
    vmr train ground --data lessons.jsonl --licence Apache-2.0 --out vmr_agent/grounding/weights

Half of the questions are detectors' (``training.simulate.World``): a curve, and windows of any
kind. The other half are rehearsals: the curve of a longer film goes through the agent's own rooms,
which cut clips and propose windows, as ``ground`` is asked.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evals import rehearsal
from evals.refine.rows import write
from vmr_agent import Settings
from vmr_agent.adapters.grounder import SOURCES, known
from vmr_agent.curves import logistic
from vmr_agent.grounding.excerpt import STEP, excerpt
from vmr_agent.grounding.inputs import Floats, Question
from vmr_agent.grounding.training.simulate import World, simulate, simulate_film

CHANNELS = ("fused",)
FINE = 0.5
"""Seconds of a step of the agent's curves."""
FILMS = World(
    steps=(120, 1400),
    counts=(0.4, 0.35, 0.12, 0.06, 0.04, 0.02, 0.01),
    length=(2.75, 0.6),
    shot=14.0,
    at_cuts=0.6,
    alike=2.0,
    clear=(3.0, 13.0),
    overlooked=0.15,
    misjudged=(0.0, 0.15),
    scene=2.3,
    noise=0.7,
    keep=0.85,
    drift=0.5,
    blur=(0, 3),
)
"""Of one to twelve minutes; heights are log-odds above ``USUAL``, as of the packaged encoder."""
USUAL = 8.0
"""How far log-odds of relevance are usually below an even chance."""
MOST = 160
"""Steps of an excerpt at most."""


def lessons(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """So many questions in the form that ``vmr train`` reads."""
    dice = np.random.default_rng(seed)
    for number in range(count):
        question, moments = _rehearsed(dice) if number % 2 else simulate(World(), dice)
        yield _line(question, moments)


def _rehearsed(dice: np.random.Generator) -> tuple[Question, Floats]:
    """The first film in which retrieval finds anything."""
    while True:
        curve, film = simulate_film(FILMS, dice)
        rows = logistic(curve - USUAL, 0.0, 1.0)[None].astype(np.float32)
        asked = rehearsal.asked(rows, ("picture",), FINE, (FINE * film.cuts).tolist(), Settings())
        if asked is None:
            continue
        found = excerpt(known(asked), CHANNELS)
        if len(found.question.curves) <= MOST:
            return found.question, rehearsal.moments(found, FINE * film.moments.astype(np.float64))


def _line(question: Question, moments: Floats) -> dict[str, Any]:
    (windows,), curve = question.candidates, question.curves[:, 0]
    times = np.array([STEP, STEP, 1.0])
    return {
        "step": STEP,
        "curves": {CHANNELS[0]: np.round(curve.astype(float), 4).tolist()},
        "candidates": {SOURCES[0]: np.round(windows.astype(float) * times, 4).tolist()},
        "moments": np.round(moments.astype(float) * STEP, 4).tolist(),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Write them."""
    parser = argparse.ArgumentParser(
        prog="python -m evals.lessons",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    try:
        write(args.out, list(lessons(args.questions, args.seed)))
    except OSError as error:
        print(f"lessons: {json.dumps(str(args.out))} cannot be written: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
