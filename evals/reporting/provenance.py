"""Under what runs were made: what is the same in all of them, and what is not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from evals.logbook import Header
from evals.reporting import labels
from evals.reporting.runs import Run, trouble

LISTED = 40
"""Missing videos and failed samples that are named; the rest is counted."""
ROWS = 250
"""Rows of a table at most; the house has half as many settings."""


class Fact(NamedTuple):
    """A line: one value where all runs have the same, else one of each run."""

    name: str
    told: tuple[str, ...]


class Sheet(NamedTuple):
    """Facts of one sort."""

    name: str
    facts: tuple[Fact, ...]
    left_out: int


class Failure(NamedTuple):
    """Samples that failed for the same reason, by its kind."""

    kind: str
    samples: int
    examples: tuple[tuple[str, str], ...]
    """Of the first ones the name and the message."""


def sheets(runs: Sequence[Run]) -> list[Sheet]:
    """All that headers say."""
    parts: list[tuple[str, Callable[[Run], Mapping[str, Any]]]] = [
        ("Run", _run),
        ("Dataset", _dataset),
        ("Models", lambda run: run.header.models),
        ("Prompts", lambda run: run.header.prompts),
        ("Machine", lambda run: run.header.machine),
        ("Versions", lambda run: run.header.versions),
    ]
    found = [_sheet(name, [tell(run) for run in runs]) for name, tell in parts]
    return [sheet for sheet in found if sheet.facts]


def differences(headers: Sequence[Header]) -> Sheet:
    """The settings that are not the same in all runs."""
    told = labels.differing(headers)
    facts = [Fact(name, tuple(values)) for name, values in told.items()]
    return Sheet("Settings that differ", tuple(facts[:ROWS]), max(0, len(facts) - ROWS))


def settings(header: Header) -> Sheet:
    """All settings of one run."""
    facts = [Fact(name, (value,)) for name, value in labels.settings(header).items()]
    return Sheet("Settings", tuple(facts[:ROWS]), max(0, len(facts) - ROWS))


def missing(header: Header) -> tuple[tuple[str, ...], int]:
    """The first videos that were not there, and how many more."""
    names = header.dataset.missing
    return names[:LISTED], max(0, len(names) - LISTED)


def failures(run: Run) -> list[Failure]:
    """Why samples have no report, the most frequent first."""
    kinds = Counter(trouble(sample).kind for sample in run.failed)
    told = []
    for kind, samples in kinds.most_common(LISTED):
        mine = [s for s in run.failed if trouble(s).kind == kind][: max(2, LISTED // len(kinds))]
        told.append(Failure(kind, samples, tuple((s.id, trouble(s).message) for s in mine)))
    return told


def written(run: Run) -> Sheet:
    """The figures that the run wrote down itself."""
    figures = run.metrics.figures if run.metrics else {}
    flat = dict(labels.flat(figures))
    facts = [Fact(name, (value,)) for name, value in flat.items()]
    return Sheet("As the run wrote it", tuple(facts[:ROWS]), max(0, len(facts) - ROWS))


def _run(run: Run) -> Mapping[str, Any]:
    header = run.header
    return {
        "file": run.path.name,
        "system": header.system,
        "commit": header.commit,
        "began": header.began,
        "command": header.command,
    }


def _dataset(run: Run) -> Mapping[str, Any]:
    about = run.header.dataset
    return {
        "name": about.name,
        "split": about.split,
        "annotations": about.file,
        "SHA-256": about.sha256,
        "queries": about.queries,
        "missing videos": len(about.missing),
        "scored": len(run.samples),
        "failed": len(run.failed),
        "without labels": run.unlabelled,
    }


def _sheet(name: str, told: Sequence[Mapping[str, Any]]) -> Sheet:
    names = dict.fromkeys(key for each in told for key in each)
    facts = []
    for key in names:
        values = tuple(_shown(each.get(key, "")) for each in told)
        facts.append(Fact(key, values if len(set(values)) > 1 else values[:1]))
    kept = [fact for fact in facts if any(fact.told)]
    return Sheet(name, tuple(kept[:ROWS]), max(0, len(kept) - ROWS))


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
