"""Tables for people."""

from __future__ import annotations

from collections.abc import Mapping

Figures = Mapping[str, float]


def lines(runs: Mapping[str, Figures]) -> str:
    """A line for each run and a column for each figure, empty where a run has none such."""
    names = list(dict.fromkeys(name for found in runs.values() for name in found))
    body = [
        [title, *(f"{found[name]:g}" if name in found else "" for name in names)]
        for title, found in runs.items()
    ]
    rows = [["", *names], *body]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
