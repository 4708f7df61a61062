"""What a part is worth: figures without it, with it, and how sure the difference is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vmr_agent.metrics.bootstrap import Tally, differences

Worth = dict[str, Any]
"""A part in words, and its ``figures``: of each ``off``, ``on``, ``worth``, ``low``, ``high``."""
EARLY = ("R1@0.5", "R1@0.7", "mAP", "rejection")
"""Figures that have a column in tables; all are in the file."""


def worth(off: Tally, on: Tally, drawn: Sequence[str]) -> dict[str, dict[str, float]]:
    """By figure, in percent, where there is a query for it.

    ``drawn`` (Q,) says which queries stand or fall together.
    """
    return {
        name: {
            key: round(value, 2)
            for key, value in zip(
                ("off", "on", "worth", "low", "high"),
                (each.first, each.second, *each.change),
                strict=True,
            )
        }
        for name, each in differences(off, on, drawn).items()
        if not math.isnan(each.first)
    }


def lines(parts: Iterable[Worth]) -> str:
    """One line for each part."""
    rows = [["part", "paper", *_named(parts := list(parts))]]
    for each in parts:
        shown = (_shown(each["figures"].get(name)) for name in rows[0][2:])
        rows.append([each["name"], each["paper"], *shown])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _named(parts: Sequence[Worth]) -> list[str]:
    return [name for name in EARLY if any(name in each["figures"] for each in parts)]


def _shown(told: Mapping[str, float] | None) -> str:
    if told is None:
        return ""
    low, high = told["low"], told["high"]
    return f"{told['off']:.1f} → {told['on']:.1f}: {told['worth']:+.1f} ({low:+.1f} to {high:+.1f})"
