"""Asking the agent every query of needle films."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from evals.needle.film import Asked, load
from evals.needle.score import Given
from evals.playlist import JoinError
from vmr_agent import RunReport, VMRAgent
from vmr_agent.types import Moment


class Asking(NamedTuple):
    """What came of it."""

    given: list[Given]
    models: dict[str, str]
    settings: dict[str, Any]
    version: str


def run(films: Sequence[Path], agent: VMRAgent, tell: Callable[[str], None]) -> Asking:
    """Every query of every film. ``tell`` hears of each film. Raises JoinError, VmrError."""
    asked = {film: load(film) for film in films}
    given: list[Given] = []
    report: RunReport | None = None
    for film, queries in asked.items():
        tell(f"{film}: looking at it")
        agent.index(film)
        tell(f"{film}: {len(queries)} queries")
        for query in queries:
            began = time.monotonic()
            report = agent.run(film, query["query"])
            given.append(_given(film, query, report, time.monotonic() - began))
    if report is None:
        raise JoinError("no film has a query")
    return Asking(given, report.models, report.settings, report.version)


def _given(film: Path, query: Asked, report: RunReport, seconds: float) -> Given:
    seen = [*report.moments, *([report.rejected] if report.rejected else [])]
    return Given(
        film.stem,
        query["query"],
        query["kind"],
        [(moment["start"], moment["end"]) for moment in query["moments"]],
        [_window(moment) for moment in report.moments],
        max((moment.score for moment in seen), default=0.0),
        round(seconds, 4),
    )


def _window(moment: Moment) -> tuple[float, float, float]:
    return moment.span.start, moment.span.end, moment.score
