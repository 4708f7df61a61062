"""From measurements to figures: what one run gave, medians and spreads of several, a table."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from evals.bench_process import Measured

MB = 1e6
STRIP = "footage"
"""The artefact that holds the strip."""
ASKED = "curves"
"""The artefact that questions leave."""
TARGETS = {"full": 7.0, "balanced": 12.0, "lean": 25.0}
"""How many times real time each profile is to reach on two cores."""
GROWTH = 1.15
"""What twelve hours may take of memory, one hour being 1."""
HOUR = 3600.0


Figures = dict[str, float]


class Limit(NamedTuple):
    """The most that a figure may be."""

    name: str
    key: str
    most: float
    unit: str


LIMITS = (
    Limit("memory at once", "index.rss_mb", 2500, "MB"),
    Limit("stored per hour, no strip", "stored.without_strip", 8, "MB"),
    Limit("stored per hour", "stored.with_strip", 60, "MB"),
    Limit("a later answer (p50)", "answers.later_p50", 0.060, "s"),
    Limit("a new process's first answer", "answers.first", 4, "s"),
)


class Spread(NamedTuple):
    """A figure of several runs."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        if self.low == self.high:
            return _brief(self.median)
        return f"{_brief(self.median)} ({_brief(self.low)}–{_brief(self.high)})"


def work(done: Measured, film: float, decode: float, end: float | None = None) -> Figures:
    """Figures of a process that dealt with so many seconds of film, until ``end`` or its own end.

    ``decode`` is how many seconds plain PyAV took for the same film.
    """
    used = done.between(done.began, end or done.began + done.seconds)
    return {
        **_paced(used.seconds, film, decode),
        "cores": used.cores,
        "pss_mb": done.peak_pss / MB,
        "rss_mb": done.peak_rss / MB,
    }


def rooms(
    done: Measured,
    busy: Mapping[str, float],
    at: Mapping[str, Sequence[float]],
    film: float,
    decode: float,
) -> dict[str, Figures]:
    """Figures of each room, which was ``busy`` for so many seconds, from ``at`` until then.

    Rooms work at the same time: cores and memory are those of the whole process meanwhile.
    """
    found = {}
    for room, seconds in busy.items():
        used = done.between(*at[room]) if room in at else None
        meanwhile = {"cores": used.cores, "pss_mb": used.pss / MB} if used else {}
        found[room] = {**_paced(seconds, film, decode), **meanwhile}
    return found


def _paced(seconds: float, film: float, decode: float) -> Figures:
    return {
        "seconds": seconds,
        "times_real": film / max(seconds, 1e-3),
        "times_decode": seconds / decode,
    }


def stored(home: Path, film: float) -> Figures:
    """Megabytes on disk for each hour of film: by artefact, and in all, the index included."""
    sizes: Counter[str] = Counter()
    for path in (home / "shelf").rglob("*"):
        owner, *names = path.relative_to(home / "shelf").parts
        # What encoders know is made once, not for each film.
        if owner != "encoders" and path.is_file():
            sizes[names[0].partition("-")[0]] += path.stat().st_size
    del sizes[ASKED]
    index = (path for path in (home / "chroma").rglob("*") if path.is_file())
    sizes["index"] = sum(path.stat().st_size for path in index)
    hours = film / HOUR * MB
    return {
        "without_strip": (sizes.total() - sizes[STRIP]) / hours,
        "with_strip": sizes.total() / hours,
        **{f"of_{name}": size / hours for name, size in sorted(sizes.items())},
    }


def answers(first: Sequence[float], later: Sequence[float]) -> dict[str, Any]:
    """Seconds of answers: each first one of a process, and later ones."""
    return {
        "first": list(first),
        "later_p50": statistics.median(later),
        "later_p95": statistics.quantiles(later, n=20, method="inclusive")[-1],
    }


def summary(runs: Sequence[Mapping[str, Any]]) -> dict[str, Spread]:
    """Every figure of several runs, named by its path: "index.seconds"."""
    found: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        for name, value in _flat(run):
            found[name].append(value)
    return {n: Spread(statistics.median(v), min(v), max(v)) for n, v in found.items()}


def table(profile: str, figures: Mapping[str, Spread]) -> str:
    """The figures of one profile for a person."""
    heads = ["", "seconds", "x real time", "of all cores", "MB (PSS)", "MB (RSS)", "x decode"]
    keys = ["seconds", "times_real", "cores", "pss_mb", "rss_mb", "times_decode"]
    stages = dict.fromkeys(n.rpartition(".")[0] for n in figures if n.endswith(".times_decode"))
    rows = [heads] + [
        [stage.removeprefix("rooms."), *(str(figures.get(f"{stage}.{k}", "")) for k in keys)]
        for stage in stages
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(heads))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    for group, what in (("stored", "MB per hour"), ("answers", "seconds of an answer")):
        mine = [
            f"{n.removeprefix(f'{group}.')} {figures[n]}"
            for n in figures
            if n.startswith(f"{group}.")
        ]
        lines.append(f"{what}: {', '.join(mine)}" if mine else "")
    return "\n".join([f"— {profile} —", *(line.rstrip() for line in lines)]).rstrip() + "\n"


def verdicts(profile: str, figures: Mapping[str, Spread]) -> Iterator[str]:
    """What was promised for an hour of speech in 720p on two cores, and what came of it."""
    if profile in TARGETS:
        got, least = figures["index.times_real"].median, TARGETS[profile]
        yield _verdict("times real time", got, f"{least:g} at least", got >= least)
    for limit in LIMITS:
        if limit.key in figures:
            got = figures[limit.key].median
            yield _verdict(
                limit.name, got, f"{limit.most:g} {limit.unit} at most", got <= limit.most
            )


def growth(peaks: Mapping[float, float]) -> str:
    """How the memory taken by the longest film compares with that of the shortest."""
    short, long = min(peaks), max(peaks)
    ratio = peaks[long] / peaks[short]
    name = f"{long:g} h over {short:g} h"
    return _verdict(name, ratio, f"{GROWTH:g} at most", ratio <= GROWTH)


def _verdict(name: str, got: float, wanted: str, kept: bool) -> str:
    return f"{'kept  ' if kept else 'MISSED'} {name}: {_brief(got)}, wanted {wanted}"


def _flat(part: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, float]]:
    for name, value in part.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{name}.")
        elif isinstance(value, list):
            yield from ((f"{path}{name}", each) for each in value)
        elif isinstance(value, float):
            yield f"{path}{name}", value


def _brief(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
