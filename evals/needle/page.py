"""The README's table of needle films, of clips that nothing was chosen by.

    python -m evals.needle.page    # writes it anew, after evals/results/needle.json

A test compares the two, so that the README cannot claim what was not measured.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evals.needle.rooms import ROOMS

RESULTS = Path(__file__).parents[1] / "results" / "needle.json"
README = Path(__file__).parents[2] / "README.md"
START, END = "<!-- needle:start -->\n", "<!-- needle:end -->\n"
KINDS = ("single", "repeated", "cut", "within", "ordered", "heard", "read")
"""Of queries about something."""
COMPARED = ("R1@0.5", "rejection")
Told = Mapping[str, Any]


def page(told: Told) -> str:
    """The tables, in Markdown; figures are percentages."""
    systems = [*told["kinds"]]
    head = ["", "queries", *(f"`{name}`" for name in systems)]
    lines = [_row(head), "|---" * len(head) + "|"]
    ours = told["kinds"][systems[0]]
    for kind in (*(kind for kind in KINDS if kind in ours), "all"):
        queries = ours[kind]["queries"] - (ours["absent"]["queries"] if kind == "all" else 0)
        name = "**all, R1@0.5**" if kind == "all" else f"{kind}, R1@0.5"
        lines.append(_row([name, f"{queries:g}", *_each(told["kinds"], kind, "R1@0.5")]))
    for figure in ("R1@0.7", "mAP", "mR@3"):
        lines.append(_row([f"all, {figure}", "", *_each(told["kinds"], "all", figure)]))
    refused = [f"{100 - told['kinds'][name]['absent']['false alarms']:.1f}" for name in systems]
    lines.append(_row(["**absent, refused**", f"{ours['absent']['queries']:g}", *refused]))
    for name in told["lengths"][systems[0]]:
        lines.append(_row([f"films {name}, R1@0.5", *_length(told["lengths"], name)]))
    return "\n".join([*lines, "", *_less(told["less"]), "", _rooms(told["rooms"]), ""])


def _each(runs: Told, kind: str, figure: str) -> list[str]:
    figures = (run[kind].get(figure) for run in runs.values())
    return ["" if each is None else f"{each:.1f}" for each in figures]


def _length(runs: Told, name: str) -> list[str]:
    first = next(iter(runs.values()))
    return [f"{first[name]['queries']:g}, absent too", *_each(runs, name, "R1@0.5")]


def _less(less: Told) -> list[str]:
    """A line for each baseline: by how much ours is better, and how sure that is."""
    return [
        f"- `{name}` less `{other}`: {', '.join(_change(figures, figure) for figure in COMPARED)}"
        for name, others in less.items()
        for other, figures in others.items()
    ]


def _change(figures: Told, figure: str) -> str:
    change, low, high = figures[figure]["change"]
    return f"{change:+.1f} ({low:+.1f} to {high:+.1f}) in {figure}"


def _rooms(rooms: Told) -> str:
    shares = ", ".join(f"`{room}` {100 * rooms[room]:.0f} %" for room in ROOMS)
    return f"Of the queries about something the right answer was still there after {shares}."


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Write the tables into the README."""
    told = json.loads(RESULTS.read_text(encoding="utf-8"))
    text = README.read_text(encoding="utf-8")
    if not text.count(START) == text.count(END) == 1:
        sys.exit(f"{README} does not say where the table goes: {START.strip()} and {END.strip()}")
    head, _, rest = text.partition(START)
    tail = rest.partition(END)[2]
    README.write_text(f"{head}{START}{page(told)}{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
