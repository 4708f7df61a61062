"""Run files made on the spot: real headers, samples and reports of films that nobody has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evals.logbook import Dataset, Header, Metrics, Sample, Trouble, Window, writing
from vmr_agent.report import Cost, Coverage, Fault, RunReport, Step
from vmr_agent.types import Evidence, Moment, Span, Video

ROOMS = ("understand", "retrieve", "filter_relevance", "caption", "trim", "ground", "verify")
KINDS = ("single", "repeated", "cut", "within", "heard", "absent", "read")
THINGS = ("a dog runs over wet sand", "somebody pours tea", "a red tram turns", "rain on a roof")
SETTINGS = {"without": [], "retrieve": {"top_k": 40}, "verify": {"accept": 0.5}}


def header(name: str = "needle", dataset: dict[str, Any] | None = None, **more: Any) -> Header:
    """Of a run; what is given is laid over what is said here."""
    about = {"name": name, "split": "val", "file": "truth.json", "sha256": "ab" * 32, "queries": 60}
    plain: dict[str, Any] = {
        "commit": "0123abc",
        "versions": {"vmr_agent": "0.1.0", "numpy": "2.4.6"},
        "settings": SETTINGS,
        "models": {"encoder": "clip", "whisper": "base"},
        "prompts": {"caption": "v1 00ff"},
        "machine": {"cpu": "a machine", "cores": 2},
        "command": f"python -m evals.run --dataset {name}",
        "began": "2026-01-02T03:04:05+00:00",
    }
    return Header(dataset=Dataset(**{**about, **(dataset or {})}), **(plain | more))


def moment(start: float, end: float, score: float, *notes: str) -> Moment:
    """A moment with evidence."""
    told = ("frames are near to the words", *notes)
    why = tuple(Evidence(source="picture", note=note, score=score) for note in told)
    return Moment(span=Span(start=start, end=end), score=score, evidence=why)


def report(query: str, moments: Sequence[Moment], number: int = 0, **more: Any) -> RunReport:
    """An answer, after all rooms; what it took differs by number."""
    money = 0.001 * (1 + number % 4)
    cost = Cost(calls=2, tokens_in=900, tokens_out=40, images=4, seconds=0.2, money=money)
    steps = [
        Step(room=r, seconds=0.1 + n * (1 + number % 5) / 9, made="") for n, r in enumerate(ROOMS)
    ]
    steps[3] = steps[3].model_copy(update={"cost": cost})
    plain: dict[str, Any] = {
        "status": "found" if moments else "not_found",
        "query": query,
        "video": Video(
            path="/film.mp4", fingerprint="f", duration=300, has_picture=True, has_audio=True
        ),
        "moments": tuple(moments),
        "rejected": None if moments else moment(1, 9, 0.31, "nothing like it"),
        "rounds": 1,
        "steps": tuple(steps),
        "coverage": Coverage(picture=1, speech=1, text=1),
        "models": {},
        "settings": SETTINGS,
        "version": "0.1.0",
    }
    return RunReport(**(plain | more))


def sample(number: int, seed: int = 0, skill: float = 0.6, **more: Any) -> Sample:
    """A query about one of twelve films: the same whatever the seed, answered by the skill."""
    kind, duration = KINDS[number % len(KINDS)], (300.0, 3600.0, 40_000.0)[number % 3]
    truth = _truth(kind, duration, np.random.default_rng([number, 1]))
    dice = np.random.default_rng([number, 2, seed])
    query = f"{THINGS[number % len(THINGS)]}, number {number}"
    moments = _answer(truth, duration, dice, skill)
    fault = Fault(room="transcribe", kind="no_audio", message="there is no sound in the film")
    shown = report(query, moments, number, faults=(fault,) if number % 5 == 0 else ())
    told: dict[str, Any] = {
        "id": f"q{number}",
        "video": f"film-{number % 12:02d}",
        "query": query,
        "group": kind,
        "duration": duration,
        "truth": truth,
        "report": shown,
        "seconds": sum(step.seconds for step in shown.steps) * (1 + number % 7),
        "lost": "" if moments or not truth else ROOMS[int(dice.integers(1, 7))],
    }
    return Sample(**(told | more))


def samples(count: int = 60, seed: int = 0, skill: float = 0.6, **more: Any) -> list[Sample]:
    """So many."""
    return [sample(number, seed, skill, **more) for number in range(count)]


def failed(number: int) -> Sample:
    """A sample without a report."""
    error = Trouble(kind="ChatBusyError", message="the endpoint has too much to do")
    return sample(number, report=None, lost="", error=error, id=f"failed{number}")


def write(path: Path, some: Sequence[Sample], about: Header | None = None, **figures: Any) -> Path:
    """A run file."""
    lost = sum(each.report is None for each in some)
    with writing(path) as book:
        for line in (about or header(), *some):
            book.add(line)
        book.add(Metrics(scored=len(some) - lost, failed=lost, figures=figures))
    return path


def _truth(kind: str, duration: float, dice: np.random.Generator) -> tuple[Window, ...]:
    times = {"absent": 0, "repeated": int(dice.integers(2, 5))}.get(kind, 1)
    starts = np.sort(dice.choice(int(duration / 60), times, replace=False)) * 60.0
    return tuple((float(start), float(start + dice.choice([4, 18, 45]))) for start in starts)


def _answer(
    truth: Sequence[Window], duration: float, dice: np.random.Generator, skill: float
) -> list[Moment]:
    """Each true moment with a chance of ``skill``, and with the rest of it one that is wrong."""
    found = []
    for start, end in truth:
        off, sure = dice.normal(0, 3 - 2 * skill, 2), float(dice.uniform(0.55, 0.99))
        if dice.random() < skill:
            begins = float(np.clip(start + off[0], 0, duration - 1))
            ends = max(begins + 0.5, float(end + off[1]))
            found.append(moment(begins, ends, sure, "it is there"))
    if dice.random() > skill:
        begins, sure = float(dice.uniform(0, duration - 20)), float(dice.uniform(0.5, 0.9))
        found.append(moment(begins, begins + 9, sure, "it looks like it"))
    return sorted(found, key=lambda each: -each.score)
