"""``vmr eval``: the evaluations, which lie beside this package in a checkout, not in a wheel."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from vmr_agent.cli.streams import leave
from vmr_agent.errors import MachineError

BESIDE = Path(__file__).parents[2]
"""The checkout, if this is one."""

What = Annotated[
    Literal["run", "report", "needle", "papers", "ask"],
    typer.Argument(
        metavar="WHAT",
        help="run: published benchmarks. report: tables and a page of runs. needle: films whose "
        "every answer is known. papers: what each paper's part is worth. ask: a film's questions.",
    ),
]
Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="WORDS", help="What it takes: vmr eval run --help says."),
]


def evaluate(what: What, words: Words = None) -> None:
    """Evaluate on benchmarks, or on films whose answers are known.

    The same as python -m evals.WHAT in the checkout that this needs.

    Examples:

    vmr eval run --help
    vmr eval ask film.mp4 film.json
    vmr eval report --help
    """
    if not (BESIDE / "evals" / "run.py").is_file():
        raise MachineError(
            "the evaluations are not in the wheel: clone the project's repository, install it with "
            "`pip install -e '.[packaged,dev]'`, and run vmr eval there"
        )
    sys.path.insert(0, str(BESIDE))
    sys.argv = [f"evals.{what}", *(words or ())]
    runpy.run_module(f"evals.{what}", run_name="__main__", alter_sys=True)
    leave(0)
