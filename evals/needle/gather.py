"""What `ground` is given and makes of it, for every query of a needle film, to work on offline.

The real back half runs, told to accept nothing, so that every round of the search is seen. A film
is looked at once; from then on a query takes some hundredths of a second.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evals.needle.film import Asked, load
from evals.needle.score import Given
from evals.playlist import JoinError
from vmr_agent import Settings, VMRAgent, tools
from vmr_agent.artefacts import Curves
from vmr_agent.graph import Compiled, build_answer_graph
from vmr_agent.rounds import Sieve
from vmr_agent.state import State
from vmr_agent.toolbox import Toolbox
from vmr_agent.types import Channel, Query, Scored

Windows = list[tuple[float, float, float]]
"""Start, end and score of each, best first; seconds."""


class Round(NamedTuple):
    """One query in one round of the search, at the door of `ground` and behind it."""

    film: str
    duration: float
    query: str
    kind: str
    spoken: bool
    moments: list[tuple[float, float]]
    """The truth: every moment, in seconds; none for what is absent."""
    turn: int
    """Which round; a later one is only reached when nothing was accepted in those before."""
    turns: int
    """How many there were for this query."""
    passing: bool
    """Whether any candidate passed the filter; if none did, this is the last round."""
    step: float
    """Seconds between values of the curves."""
    channels: tuple[Channel, ...]
    """What each curve is."""
    clips: Windows
    """Where moments may lie, in order of time."""
    proposals: Windows
    """What `ground` made of it, best first."""
    answer: Windows
    """What `verify` accepted of those, best first."""
    curves: str
    """Name of the array (C, T) in the other file."""
    cuts: str
    """Name of the array (S,) of seconds at which shots begin."""
    notes: Sequence[str] = ()
    """Where the boundaries of each proposal come from: those of quoted words are not moved."""
    occurrence: int = 0
    """Which time is asked for, as `understand` says it: 1 the first, -1 the last, 0 all."""

    @property
    def score(self) -> float:
        """The highest score that `verify` compares with what it accepts."""
        return max((score for _, _, score in self.proposals), default=0.0)


Arrays = dict[str, NDArray[Any]]


def gather(
    films: Sequence[Path], box: Toolbox, tell: Callable[[str], None]
) -> tuple[list[Round], Arrays]:
    """Every query of every film, round by round. ``tell`` hears of each film."""
    asked = {film: load(film) for film in films}
    settings, verify = box.settings, box.settings.verify.model_copy(update={"accept": 1.0})
    box = replace(box, settings=settings.model_copy(update={"verify": verify}))
    agent, graph = VMRAgent(toolbox=box), build_answer_graph()
    rounds: list[Round] = []
    arrays: Arrays = {}
    for film, queries in asked.items():
        tell(f"{film}: looking at it")
        agent.index(film)
        tell(f"{film}: {len(queries)} queries")
        for number, query in enumerate(queries):
            name = f"{film.stem}/{number}"
            found = _asked(graph, box, film, query, name, arrays)
            rounds += [_answered(each, made, settings) for each, made in found]
    return rounds, arrays


def _asked(
    graph: Compiled, box: Toolbox, film: Path, asked: Asked, name: str, arrays: Arrays
) -> Iterator[tuple[Round, Mapping[str, Any]]]:
    """One query, round by round, and what the rooms made; its curves go into ``arrays``."""
    tray = State(video=box.probe(film.absolute()), request=asked["query"])
    running = box.running()
    turns: list[dict[str, Any]] = [{}]
    config: Any = {"recursion_limit": 100}
    try:
        for event in graph.stream(tray, config, context=running, stream_mode="updates"):
            for room, update in event.items():
                turns += [{}] if room == "widen" else []
                turns[-1] |= update
    finally:
        running.showing.close()
    query = turns[0]["query"]
    assert isinstance(query, Query)
    for turn, made in enumerate(turns, 1):
        if "proposals" in made:
            about = (turn, len(turns))
            told = _round(box, tray, asked, f"{name}/{turn}", about, made, arrays)
            yield told._replace(occurrence=query.occurrence), made


def _round(
    box: Toolbox,
    tray: State,
    asked: Asked,
    name: str,
    turn: tuple[int, int],
    made: Mapping[str, Any],
    arrays: Arrays,
) -> Round:
    found, rows = box.shelf.get(made["retrieval"].curves, Curves)
    film, sieve = box.film(tray), made["sieve"]
    assert isinstance(sieve, Sieve)
    cuts = f"{Path(tray.video.path).stem}/cuts"
    ranked = sorted(made["proposals"], key=lambda each: -each.score)
    arrays[name], arrays[cuts] = rows["curves"], film.cuts
    return Round(
        film=Path(tray.video.path).stem,
        duration=film.video.duration,
        query=asked["query"],
        kind=asked["kind"],
        spoken=asked["spoken"],
        moments=[(moment["start"], moment["end"]) for moment in asked["moments"]],
        turn=turn[0],
        turns=turn[1],
        passing=sieve.passing,
        step=found.step,
        channels=tuple(found.channels),
        clips=sorted(_windows(made["clips"])),
        proposals=_windows(ranked),
        answer=[],
        curves=name,
        cuts=cuts,
        notes=[each.evidence[-1].note if each.evidence else "" for each in ranked],
    )


def _answered(each: Round, made: Mapping[str, Any], settings: Settings) -> Round:
    """With what `verify` says under the settings that were asked for."""
    verdict = tools.verify(made["proposals"], (), settings.verify, each.occurrence)
    return each._replace(answer=_windows(verdict.moments))


def _windows(found: Sequence[Scored]) -> Windows:
    return [(each.span.start, each.span.end, each.score) for each in found]


def save(path: Path, rounds: Sequence[Round], arrays: Arrays) -> None:
    """Rows into ``path`` (JSONL), arrays into an .npz beside it."""
    named: dict[str, Any] = {**arrays}
    with path.with_suffix(".npz").open("wb") as out:
        np.savez_compressed(out, **named)
    lines = (json.dumps(each._asdict()) + "\n" for each in rounds)
    path.write_text("".join(lines), encoding="utf-8")


def read(path: Path) -> list[Round]:
    """The rows of a file that `save` wrote. Raises JoinError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [Round(**json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError) as error:
        raise JoinError(f"{path} is not what gather writes: {error!r}") from error


def given(rounds: Sequence[Round]) -> list[Given]:
    """What the whole search answers: the first round that accepts something ends it."""
    queries: dict[tuple[str, str], list[Round]] = {}
    for each in rounds:
        queries.setdefault((each.film, each.query), []).append(each)
    found = []
    for (film, query), turns in queries.items():
        answer = next((each.answer for each in turns if each.answer), [])
        best = max(each.score for each in turns)
        found.append(Given(film, query, turns[0].kind, turns[0].moments, answer, best))
    return found
