"""Whether false alarms are as rare as was asked: on films and questions that set no threshold."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from evals.needle.gather import gather, given
from evals.needle.score import Given
from evals.playlist import JoinError
from vmr_agent import alarms
from vmr_agent.events import Progress
from vmr_agent.graph import Compiled, build_answer_graph
from vmr_agent.settings import VerifySettings
from vmr_agent.state import State
from vmr_agent.toolbox import Toolbox


class Realised(NamedTuple):
    """What came of one rate, in one film."""

    film: str
    asked: float
    """Share of absent queries that may find something."""
    accept: float
    """The score from which something was found, where the query is about something to be seen."""
    absent: int
    """Queries about nothing."""
    realised: float
    """Share of them that found something."""
    present: int
    """Queries about something."""
    found: float
    """Share of them that found anything."""


def realised(
    films: Sequence[Path], box: Toolbox, rates: Sequence[float], tell: Callable[[str], None]
) -> list[Realised]:
    """Of every film at every rate.

    Raises JoinError where no query is about nothing, pydantic's ValidationError for no such rate.
    """
    told: list[Realised] = []
    graph = build_answer_graph()
    for film in films:
        answers = given(gather([film], box, tell)[0])
        if all(each.moments for each in answers):
            raise JoinError(f"{film} has no query about nothing")
        for rate in rates:
            tell(f"{film}: at {rate:g}")
            needed = [_accept(box, graph, film, each.query, rate) for each in answers]
            told.append(_realised(film, rate, answers, needed))
    return told


def _realised(
    film: Path, rate: float, answers: Sequence[Given], needed: Sequence[float]
) -> Realised:
    hits = [each.best >= accept for each, accept in zip(answers, needed, strict=True)]
    there = [bool(each.moments) for each in answers]
    alarm = [hit for hit, present in zip(hits, there, strict=True) if not present]
    found = [hit for hit, present in zip(hits, there, strict=True) if present]
    usual = float(np.median(needed))
    shares = float(np.mean(alarm)), float(np.mean(found)) if found else 0.0
    return Realised(film.stem, rate, usual, len(alarm), shares[0], len(found), shares[1])


def _accept(box: Toolbox, graph: Compiled, film: Path, query: str, rate: float) -> float:
    """The score that the agent asks of an answer to this query."""
    verify = VerifySettings(**{**box.settings.verify.model_dump(), "false_alarms": rate})
    box = replace(box, settings=box.settings.model_copy(update={"verify": verify}))
    tray, made = State(video=box.probe(film.absolute()), request=query), list[Toolbox]()

    def strict() -> Generator[Progress]:
        made.append((yield from alarms.strict(box, graph, tray, None)))

    for _ in strict():
        pass
    return made[0].settings.verify.accept


def lines(told: Sequence[Realised]) -> str:
    """A table for people, with all films together below."""
    rows = [*told, *_together(told)]
    wide = max(len(each.film) for each in rows)
    head = f"{'':{wide}}  asked  accept  absent  realised  present  found"
    return "\n".join(
        [
            head,
            *(
                f"{r.film:>{wide}}  {r.asked:5.0%}  {r.accept:6.3f}  {r.absent:6}  "
                f"{r.realised:8.1%}  {r.present:7}  {r.found:5.1%}"
                for r in rows
            ),
        ]
    )


def _together(told: Sequence[Realised]) -> list[Realised]:
    found = []
    for rate in dict.fromkeys(each.asked for each in told):
        rows = [each for each in told if each.asked == rate]
        absent, present = sum(r.absent for r in rows), sum(r.present for r in rows)
        alarms_ = sum(r.realised * r.absent for r in rows) / max(1, absent)
        hits = sum(r.found * r.present for r in rows) / max(1, present)
        accept = float(np.median([r.accept for r in rows]))
        found.append(Realised("all", rate, accept, absent, alarms_, present, hits))
    return found
