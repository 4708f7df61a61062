"""What an audio gate is worth: the same searches, with sound weighed and without.

    python -m evals.weigh ROUNDS.jsonl … --gate FOLDER --out FILE
    python -m evals.weigh --simulated 1000 --seed 1 --gate FOLDER

Rounds are what `python -m evals.needle gather` keeps of needle films; simulated questions are those
of `evals.hearing`, with another seed than lessons. Of either the curves go through the agent's own
rooms again, boundaries by hand, so that both columns differ in the gate alone. Only questions of
which something is seen and something is heard are told of: the gate is asked of no others.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evals import hearing, rehearsal
from evals.bench_record import commit, machine
from evals.columns import lines
from evals.join import write
from evals.needle.gather import read
from evals.needle.score import Figures, Given, figures
from evals.playlist import JoinError
from vmr_agent import Settings, VmrError, sides, tools
from vmr_agent.adapters.gate import AudioGate, shipped
from vmr_agent.artefacts import Curves
from vmr_agent.metrics.qvhighlights import percent
from vmr_agent.protocols import Gate, GateRequest
from vmr_agent.types import Channel, Span

Floats = NDArray[np.float32]
HALF = 0.5
"""Share of a moment that a candidate must cover to have found it."""
NARROW = 0.7
"""IoU from which an answer is right."""


class Round(NamedTuple):
    """One round of one search."""

    query: str
    kind: str
    """Of the question; in simulated ones, which side is right."""
    moments: Sequence[tuple[float, float]]
    """The truth in seconds."""
    turn: int
    step: float
    channels: tuple[Channel, ...]
    rows: Floats
    """(C, T) relevance."""
    cuts: Sequence[float]
    """Seconds at which shots begin."""

    @property
    def found(self) -> Curves:
        """What the rows are."""
        return Curves(step=self.step, channels=self.channels)

    @property
    def request(self) -> GateRequest | None:
        """What a gate is asked, if it is."""
        query = tools.understand(self.query)
        duration, settings = self.rows.shape[1] * self.step, Settings().retrieve
        return sides.request(query, self.found, self.rows, duration, settings)


Search = Sequence[Round]
"""Rounds of one question."""


class Outcome(NamedTuple):
    """What came of a search."""

    given: Given
    recalled: Sequence[bool]
    """Of each true moment, whether the first round's candidates have it."""
    importance: float
    """What sound counted in the first round."""

    @property
    def right(self) -> bool:
        """Whether the first window is a moment (IoU .7), or nothing is found of nothing."""
        windows, moments = self.given.windows, self.given.moments
        if not (windows and moments):
            return not (windows or moments)
        first = Span(start=windows[0][0], end=windows[0][1])
        return any(first.iou(Span(start=start, end=end)) >= NARROW for start, end in moments)


def gathered(path: Path) -> Iterator[Search]:
    """The searches of a file that was gathered. Raises JoinError."""
    searches: dict[tuple[str, str], list[Round]] = {}
    told = read(path)
    with np.load(path.with_suffix(".npz")) as arrays:
        for each in told:
            about = (each.query, each.kind, each.moments, each.turn, each.step)
            made = Round(*about, tuple(each.channels), arrays[each.curves], arrays[each.cuts])
            searches.setdefault((each.film, each.query), []).append(made)
    yield from searches.values()


def simulated(number: int, seed: int) -> Iterator[Search]:
    """So many questions of one round."""
    dice = np.random.default_rng(seed)
    for _ in range(number):
        made = hearing.heard(dice)
        moments = [(float(a), float(b)) for a, b in made.moments]
        about = ("something", made.right, moments, 1, hearing.FINE)
        yield [Round(*about, made.channels, made.rows, made.cuts.tolist())]


def outcome(search: Search, gate: Gate | None, settings: Settings) -> Outcome:
    """The first round that accepts something ends it."""
    first, windows, recalled, counts = search[0], [], list[bool](), 0.5
    for each in search:
        rows, importance = _weighed(each, gate)
        told = rehearsal.searched((each.found, rows), each.cuts, each.turn, settings)
        windows = [(m.span.start, m.span.end, m.score) for m in told.moments]
        if each is first:
            counts = importance
            recalled = [_has([c.span for c in told.candidates], true) for true in first.moments]
        if windows:
            break
    best = max((score for _, _, score in windows), default=0.0)
    given = Given("", first.query, first.kind, first.moments, windows, best)
    return Outcome(given, recalled, counts)


class Told:
    """A gate that is told which side is right: about what could be won."""

    name = "told"

    def __init__(self, right: str) -> None:
        self._right = right

    def importance(self, request: GateRequest) -> float:  # noqa: ARG002
        """Far from even where one side alone is right."""
        return {"seen": 0.15, "heard": 0.85}.get(self._right, 0.5)


def _weighed(told: Round, gate: Gate | None) -> tuple[Floats, float]:
    request = told.request if gate else None
    if gate is None or request is None:
        return told.rows, 0.5
    importance = gate.importance(request)
    return sides.weighed(told.found, {"curves": told.rows}, importance)[1]["curves"], importance


def _has(spans: Iterable[Span], true: tuple[float, float]) -> bool:
    moment = Span(start=true[0], end=true[1])
    return any(span.overlap(moment) >= HALF * moment.length for span in spans)


def compared(
    searches: Iterable[Search], gate: Gate, settings: Settings
) -> dict[str, dict[str, Figures]]:
    """Figures without and with the gate, by kind of question and of all.

    Of simulated questions also with a gate that is told which side is right.
    """
    asked = [each for each in searches if each[0].request is not None]
    kinds = dict.fromkeys(each[0].kind for each in asked)
    sight = {
        "even": [outcome(each, None, settings) for each in asked],
        "gate": [outcome(each, gate, settings) for each in asked],
    }
    if kinds.keys() <= hearing.RIGHT.keys():
        sight["told"] = [outcome(each, Told(each[0].kind), settings) for each in asked]
    return {kind: _of(kind, sight) for kind in (*kinds, "all")}


def _of(kind: str, sight: Mapping[str, Sequence[Outcome]]) -> dict[str, Figures]:
    """Of one kind of question; and how many are right by that alone, or without it alone."""
    mine = {
        name: [each for each in made if kind in (each.given.kind, "all")]
        for name, made in sight.items()
    }
    even = mine["even"]
    told = {name: _figures(made) for name, made in mine.items()}
    for name in mine.keys() - {"even"}:
        pairs = [*zip(even, mine[name], strict=True)]
        told[name]["won"] = sum(b.right and not a.right for a, b in pairs)
        told[name]["lost"] = sum(a.right and not b.right for a, b in pairs)
    return told


def _figures(outcomes: Sequence[Outcome]) -> Figures:
    told = figures([each.given for each in outcomes])
    told.pop("seconds", None)
    recalled = [has for each in outcomes for has in each.recalled]
    if recalled:
        told["recall"] = percent(float(np.mean(recalled)))
    told["importance"] = round(float(np.mean([each.importance for each in outcomes])), 3)
    return told


def _measured(args: argparse.Namespace) -> Mapping[str, dict[str, dict[str, Figures]]]:
    gate, settings = AudioGate(args.gate), Settings()
    made = {}
    if args.rounds:
        searches = (each for path in args.rounds for each in gathered(path))
        made["needle films"] = compared(searches, gate, settings)
    if args.simulated:
        made["simulated questions"] = compared(simulated(args.simulated, args.seed), gate, settings)
    return made


def _keep(args: argparse.Namespace, made: Mapping[str, Any]) -> None:
    about = {
        "command": "python -m evals.weigh ROUNDS.jsonl … --simulated N --seed S --gate FOLDER",
        "commit": commit(),
        "machine": machine(),
        "gate": AudioGate(args.gate).name,
        "rounds": [path.stem for path in args.rounds],
        "simulated": args.simulated,
        "seed": args.seed,
    }
    write(args.out, json.dumps({**about, **made}, indent=1, ensure_ascii=False) + "\n")


def _parser() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m evals.weigh", description=__doc__, formatter_class=form
    )
    add = parser.add_argument
    add("rounds", type=Path, nargs="*", metavar="ROUNDS.jsonl")
    add("--gate", type=Path, default=shipped(), help="weights; those of the package by default")
    add("--simulated", type=int, default=0, metavar="N", help="so many questions that never were")
    add("--seed", type=int, default=1)
    add("--out", type=Path, help="keep the figures")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and tell."""
    args = _parser().parse_args(argv)
    try:
        if args.gate is None:
            raise JoinError("no weights come with the package: give a folder with --gate")
        made = _measured(args)
        if args.out:
            _keep(args, made)
    except (JoinError, VmrError, OSError) as error:
        print(f"weigh: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    for where, by_kind in made.items():
        named = {
            f"{kind}, {how}": row for kind, rows in by_kind.items() for how, row in rows.items()
        }
        print(f"{where}\n{lines(named)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
