"""How much a chat model's judgement is worth beside the local score: ``verify.trust``, by measure.

    VMR_CHAT__MODEL=… python -m evals.trust FILM TRUTH [--absent FILE]

Asks a film what is known about it under a sweep of ``verify.trust``, and prints how well what is
called a probability is one: log loss, Brier score and expected calibration error (Guo et al. 2017)
of each verdict against whether it was right. The chat model is asked once: every later setting
finds its answers on the shelf.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from evals.ask import ENOUGH, Question, is_right, load, with_absent
from vmr_agent import RunReport, Settings, VMRAgent, VmrError
from vmr_agent.metrics.calibration import calibration_error

TRUSTS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
LEAST = 0.001  # of a probability, for its logarithm
Ask = Callable[[str], RunReport]


class Fit(NamedTuple):
    """How good one setting's verdicts are."""

    right: float
    """Share of questions answered rightly."""
    log_loss: float
    brier: float
    ece: float
    verdicts: int


def fit(ask: Ask, questions: Sequence[Question]) -> Fit:
    """What the verdicts about the questions are worth."""
    told: list[tuple[float, bool]] = []
    right = 0
    for question in questions:
        report = ask(question.query)
        right += is_right(question, report)
        told += verdicts(question, report)
    return Fit(
        right / max(1, len(questions)),
        _mean(-math.log(max(LEAST, p if held else 1 - p)) for p, held in told),
        _mean((p - held) ** 2 for p, held in told),
        error(told),
        len(told),
    )


def verdicts(question: Question, report: RunReport) -> Iterator[tuple[float, bool]]:
    """(probability, whether it held) of each moment, and of the best that was turned down."""
    for moment in (*report.moments, *((report.rejected,) if report.rejected else ())):
        yield moment.score, any(moment.span.iou(true) >= ENOUGH for true in question.moments)


def error(told: Sequence[tuple[float, bool]]) -> float:
    """Expected calibration error."""
    return calibration_error([probability for probability, _ in told], [held for _, held in told])


def _mean(values: Iterator[float] | Iterator[bool]) -> float:
    found = [*values]
    return sum(found) / len(found) if found else 0.0


def variants() -> Iterator[Settings]:
    """The sweep, around the settings in force."""
    now = Settings()
    for trust in TRUSTS:
        yield now.model_copy(update={"verify": now.verify.model_copy(update={"trust": trust})})


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m evals.trust")
    parser.add_argument("film", type=Path)
    parser.add_argument("truth", type=Path, help="what evals.demo_film and evals.join write")
    parser.add_argument("--absent", type=Path, help="a file of questions about nothing in the film")
    options = parser.parse_args()
    if not Settings().chat.model:
        parser.exit(2, "evals.trust: set VMR_CHAT__MODEL: it is a chat model that is weighed\n")
    try:
        questions = with_absent([*load(options.truth, first=False)], options.absent)
        sys.stdout.write("trust  right  log loss  Brier  ECE    verdicts\n")
        for settings in variants():
            agent = VMRAgent(settings)
            found = fit(lambda query, agent=agent: agent.run(options.film, query), questions)  # type: ignore[misc]
            line = "{:5.2f}  {:5.2f}  {:8.3f}  {:5.3f}  {:5.3f}  {:8d}\n"
            sys.stdout.write(line.format(settings.verify.trust, *found))
    except (VmrError, OSError) as wrong:
        parser.exit(getattr(wrong, "exit_code", 2), f"evals.trust: {wrong}\n")


if __name__ == "__main__":
    main()
