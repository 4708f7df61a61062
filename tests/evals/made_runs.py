"""Run files made on the spot: real headers, samples and reports of films that nobody has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evals.logbook import Dataset, Header, Metrics, Sample, Trouble, writing
from vmr_agent.report import Cost, Coverage, Fault, RunReport, Step
from vmr_agent.types import Evidence, Moment, Span, Video

ROOMS = ("understand", "retrieve", "filter_relevance", "caption", "trim", "ground", "verify")
KINDS = ("single", "repeated", "cut", "within", "heard", "absent")
THINGS = ("a dog runs over wet sand", "somebody pours tea", "a red tram turns", "rain on a roof")


def header(name: str = "needle", **more: Any) -> Header:
    """Of a run; ``more`` is laid over what is said here."""
    about = {"name": name, "split": "val", "file": "truth.json", "sha256": "ab" * 32}
    dataset = Dataset(**(about | {"queries": 60} | more.pop("dataset", {})))
    plain: dict[str, Any] = {
        "commit": "0123abc",
        "versions": {"vmr_agent": "0.1.0", "numpy": "2.4.6"},
        "settings": {"without": [], "retrieve": {"top_k": 40}, "verify": {"accept": 0.5}},
        "models": {"encoder": "clip", "whisper": "base"},
        "prompts": {"caption": "v1 00ff"},
        "machine": {"cpu": "a machine", "cores": 2},
        "command": "python -m evals.run --dataset needle",
        "began": "2026-01-02T03:04:05+00:00",
    }
    return Header(dataset=dataset, **(plain | more))


def moment(start: float, end: float, score: float, *notes: str) -> Moment:
    """A moment with evidence."""
    why = [
        Evidence(source="picture", note=f"frames are near to the words ({score:.2f})", score=score)
    ]
    why += [Evidence(source="caption", note=note, score=score) for note in notes]
    return Moment(span=Span(start=start, end=end), score=score, evidence=tuple(why))


def report(
    query: str,
    moments: Sequence[Moment],
    *,
    duration: float = 300.0,
    seconds: float = 1.0,
    money: float | None = 0.0,
    **more: Any,
) -> RunReport:
    """An answer, after all rooms."""
    cost = Cost(calls=2, tokens_in=900, tokens_out=40, images=4, seconds=0.2, money=money)
    steps = [Step(room=room, seconds=seconds / len(ROOMS), made="something") for room in ROOMS]
    steps[-1] = steps[-1].model_copy(update={"cost": cost})
    return RunReport(
        status="found" if moments else "not_found",
        query=query,
        video=Video(
            path="/film.mp4", fingerprint="f", duration=duration, has_picture=True, has_audio=True
        ),
        moments=tuple(moments),
        rounds=1,
        steps=tuple(steps),
        coverage=Coverage(picture=1, speech=1, text=1),
        models={},
        settings={"retrieve": {"top_k": 40}},
        version="0.1.0",
        **more,
    )


def sample(number: int, dice: np.random.Generator, skill: float, **more: Any) -> Sample:
    """A query of one of six kinds about one of twelve films, answered the better the skill."""
    kind = KINDS[number % len(KINDS)]
    film, duration = number % 12, (300.0, 3600.0, 40_000.0)[number % 3]
    times = {"absent": 0, "repeated": 2 + number % 3}.get(kind, 1)
    starts = np.sort(dice.choice(int(duration / 60), times, replace=False)) * 60.0
    truth = tuple((float(s), float(s + dice.choice([4, 18, 45]))) for s in starts)
    query = f"{THINGS[number % len(THINGS)]}, number {number}"
    moments = _answer(truth, duration, dice, skill)
    fault = Fault(room="transcribe", kind="no_audio", message="there is no sound in the film")
    lost = "" if moments or not truth else ROOMS[int(dice.integers(1, 7))]
    told: dict[str, Any] = {
        "id": f"q{number}",
        "video": f"film-{film:02d}",
        "query": query,
        "group": kind,
        "duration": duration,
        "truth": truth,
        "report": report(
            query,
            moments,
            duration=duration,
            seconds=1 + number % 5,
            money=0.001 * (1 + number % 4),
            rejected=None if moments else moment(1, 9, 0.31, "nothing like it"),
            faults=(fault,) if number % 7 == 0 else (),
        ),
        "seconds": 1.0 + number % 5,
        "lost": lost,
    }
    return Sample(**(told | more))


def failed(number: int) -> Sample:
    """A sample without a report."""
    return Sample(
        id=f"failed{number}",
        video="film-00",
        query="what nobody answered",
        duration=300,
        truth=((1.0, 2.0),),
        error=Trouble(kind="ChatBusyError", message="the endpoint has too much to do"),
    )


def write(
    path: Path, samples: Sequence[Sample], about: Header | None = None, **figures: Any
) -> Path:
    """A run file."""
    with writing(path) as book:
        book.add(about or header())
        for each in samples:
            book.add(each)
        lost = sum(each.report is None for each in samples)
        book.add(Metrics(scored=len(samples) - lost, failed=lost, figures=figures))
    return path


def samples(count: int = 60, seed: int = 0, skill: float = 0.6) -> list[Sample]:
    """So many; the same truth for every seed of the answers."""
    told = []
    for number in range(count):
        dice = np.random.default_rng([number, 1])
        true = sample(number, dice, 0)
        again = sample(number, np.random.default_rng([number, 1]), 0)
        dice = np.random.default_rng([number, 2, seed])
        moments = _answer(true.truth, true.duration, dice, skill)
        assert again.truth == true.truth
        lost = "" if moments or not true.truth else ROOMS[int(dice.integers(1, 7))]
        shown = report(
            true.query,
            moments,
            duration=true.duration,
            seconds=true.seconds,
            money=0.001 * (1 + number % 4),
            rejected=None if moments else moment(1, 9, 0.31, "nothing like it"),
            faults=true.report.faults if true.report else (),
        )
        told.append(true.model_copy(update={"report": shown, "lost": lost}))
    return told


def _answer(
    truth: Sequence[tuple[float, float]], duration: float, dice: np.random.Generator, skill: float
) -> list[Moment]:
    found = []
    for start, end in truth:
        if dice.random() < skill:
            off = dice.normal(0, 2 * (1 - skill) + 0.1, 2)
            begins = float(np.clip(start + off[0], 0, duration - 1))
            found.append(moment(begins, max(begins + 0.5, float(end + off[1])), 0.7, "it is there"))
    if dice.random() > skill:
        begins = float(dice.uniform(0, duration - 20))
        found.append(moment(begins, begins + 9, float(dice.uniform(0.5, 0.99)), "it looks like it"))
    sure = [
        m.model_copy(update={"score": float(np.clip(m.score + dice.normal(0, 0.1), 0, 1))})
        for m in found
    ]
    return sorted(sure, key=lambda each: -each.score)
