"""What the shipped weights learn from: films that never were.

    python -m evals.lessons agent --out lessons.jsonl --questions 8000 --seed 0
    vmr train ground --data lessons.jsonl --licence Apache-2.0 --out agent
    python -m evals.lessons gate --out lessons.jsonl --questions 6000 --seed 0
    vmr train audio-gate --data lessons.jsonl --licence Apache-2.0 --out gate \\
        --without-sound seen --with-sound heard

Those for the ``agent`` are rehearsals: a film's relevance is made up (``training.simulate``), and
the agent's own rooms cut clips and propose windows, as when ``ground`` is asked. Those for any
``detector``, which know no cuts, are half of them that, half what a detector makes of a film. Those
for the ``gate`` are what it is asked where something is seen and something is heard (`hearing`),
about ``looks`` are whole films, for the selector: see ``evals.needle.looks``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evals import hearing, rehearsal
from evals.hearing import FINE, USUAL
from evals.needle import looks
from evals.refine.rows import write
from vmr_agent import Settings
from vmr_agent.adapters import gate
from vmr_agent.adapters.grounder import SOURCES, known
from vmr_agent.curves import logistic
from vmr_agent.grounding.excerpt import STEP, excerpt
from vmr_agent.grounding.inputs import Floats, Question
from vmr_agent.grounding.training.simulate import World, simulate, simulate_film

CHANNELS = {
    "agent": ("fused", "cuts"),
    "detector": ("fused",),
    "looks": (looks.FREE, looks.DEAR),
}
FILMS = hearing.FILMS._replace(
    steps=(120, 1400),
    counts=(0.3, 0.3, 0.15, 0.1, 0.07, 0.05, 0.03),
    clear=(3.0, 13.0),
    overlooked=0.15,
)
"""Of one to twelve minutes."""
MOST = 160
"""Steps of an excerpt at most."""
WHOLE = FILMS._replace(steps=(240, 480))
"""Films of which nothing is left out, of two to four minutes: all their windows are weighed."""


def lessons(whose: str, count: int, seed: int) -> Iterator[dict[str, Any]]:
    """So many questions in the form that ``vmr train`` reads."""
    dice = np.random.default_rng(seed)
    for number in range(count):
        if whose == "gate":
            yield _line(gate.SIDES, gate.SIDES, *_weighed(dice), gate.STEP)
            continue
        if whose == "looks":
            yield _line(CHANNELS[whose], (looks.FREE,), *_looked_at(dice), looks.STEP)
            continue
        made, channels = whose == "detector" and number % 2 == 0, CHANNELS[whose]
        told = simulate(World(), dice) if made else _rehearsed(channels, dice)
        yield _line(channels, SOURCES, *told)


def _weighed(dice: np.random.Generator) -> tuple[Question, Floats]:
    """What a gate is asked, and where the moments are, in its steps."""
    made = hearing.heard(dice)
    request = hearing.request(made)
    assert request is not None
    return gate.question(request), made.moments / gate.STEP


def _rehearsed(channels: Sequence[str], dice: np.random.Generator) -> tuple[Question, Floats]:
    """The first film in which retrieval finds anything."""
    while True:
        curve, film = simulate_film(FILMS, dice)
        rows = logistic(curve - USUAL, 0.0, 1.0)[None].astype(np.float32)
        asked = rehearsal.asked(rows, ("picture",), FINE, (FINE * film.cuts).tolist(), Settings())
        if asked is None:
            continue
        found = excerpt(known(asked), channels)
        if len(found.question.curves) <= MOST:
            return found.question, rehearsal.moments(found, FINE * film.moments.astype(np.float64))


def _looked_at(dice: np.random.Generator) -> tuple[Question, Floats]:
    """A film, and what a look at any of it would show."""
    curve, film = simulate_film(WHOLE, dice)
    rows = logistic(curve - USUAL, 0.0, 1.0)[None].astype(np.float32)
    cuts, moments = (FINE * film.cuts).tolist(), FINE * film.moments
    asked = looks.rehearsed(rows, ("picture",), FINE, cuts, moments, dice)
    return asked, moments / np.float32(looks.STEP)


def _line(
    channels: Sequence[str],
    sources: Sequence[str],
    question: Question,
    moments: Floats,
    step: float = STEP,
) -> dict[str, Any]:
    curves = np.round(question.curves.astype(float), 4)
    times = np.array([step, step, 1.0])
    return {
        "step": step,
        "curves": {name: curves[:, n].tolist() for n, name in enumerate(channels)},
        "candidates": {
            name: np.round(windows.astype(float) * times, 4).tolist()
            for name, windows in zip(sources, question.candidates, strict=True)
        },
        "moments": np.round(moments.astype(float) * step, 4).tolist(),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Write them."""
    parser = argparse.ArgumentParser(
        prog="python -m evals.lessons",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("whose", choices=sorted([*CHANNELS, "gate"]))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    try:
        write(args.out, list(lessons(args.whose, args.questions, args.seed)))
    except OSError as error:
        print(f"lessons: {json.dumps(str(args.out))} cannot be written: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
