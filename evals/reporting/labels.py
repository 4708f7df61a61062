"""What to call runs side by side: by what was otherwise in them than in the first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evals.logbook import Header
from evals.reporting.runs import Run

SAID = 3
"""Differences in settings that a label names; it counts what goes beyond."""
WITHOUT = "without"
UNSET = "unset"


def labels(runs: Sequence[Run]) -> list[str]:
    """Of each run, unlike any other: its system, and what differs; files where nothing does."""
    first = runs[0].header
    told = [_base(runs[0]), *(_label(first, run) for run in runs[1:])]
    return [
        f"{label} ({run.path.name})" if told.count(label) > 1 else label
        for label, run in zip(told, runs, strict=True)
    ]


def differing(headers: Sequence[Header]) -> dict[str, list[str]]:
    """Settings that are not the same in all runs: of each the value in every run."""
    flat = [settings(header) for header in headers]
    names = dict.fromkeys(name for each in flat for name in each)
    told = {name: [each.get(name, UNSET) for each in flat] for name in sorted(names)}
    return {name: values for name, values in told.items() if len(set(values)) > 1}


def settings(header: Header) -> dict[str, str]:
    """By path, like ``retrieve.top_k``, as JSON; lists are not taken apart."""
    return dict(flat(header.settings))


def _base(run: Run) -> str:
    without = _rooms(run.header)
    return f"{run.header.system}{', without ' + ', '.join(without) if without else ''}"


def _label(first: Header, run: Run) -> str:
    """How it differs from the first."""
    header, told = run.header, []
    if header.system != first.system:
        told.append(header.system)
    mine, its = set(_rooms(first)), _rooms(header)
    told += [f"without {room}" for room in its if room not in mine]
    told += [f"with {room}" for room in sorted(mine - set(its))]
    changed = differing([first, header])
    changed.pop(WITHOUT, None)
    # Another system has settings of its own: its name says enough.
    if header.system == first.system:
        told += [f"{name} = {values[1]}" for name, values in [*changed.items()][:SAID]]
        told += [f"{len(changed) - SAID} more settings"] if len(changed) > SAID else []
        roles = dict.fromkeys([*first.models, *header.models])
        told += [
            f"{role}: {header.models.get(role, 'none')}"
            for role in roles
            if first.models.get(role) != header.models.get(role)
        ][:SAID]
    if not told and header.commit != first.commit:
        told.append(f"commit {header.commit}")
    return ", ".join(told) or f"{header.system} again"


def _rooms(header: Header) -> list[str]:
    rooms = header.settings.get(WITHOUT) or ()
    return [str(room) for room in rooms] if isinstance(rooms, list | tuple) else [str(rooms)]


def flat(part: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Values of nested mappings by their paths, as JSON."""
    for name, value in part.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", json.dumps(value, ensure_ascii=False, default=str)
