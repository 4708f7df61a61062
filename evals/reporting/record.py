"""A report for programs: plain values, NaN as None."""

from __future__ import annotations

from math import isfinite
from typing import Any

from evals.reporting.content import Content

UNTOLD = ("worst", "differing", "settings")
"""What is for people alone."""


def record(told: Content) -> dict[str, Any]:
    """What JSON has of a report: its fields by their names, without single samples."""
    whole: dict[str, Any] = plain(told)
    return {name: value for name, value in whole.items() if name not in UNTOLD}


def plain(value: Any) -> Any:
    """What JSON can say of it."""
    if hasattr(value, "_asdict"):
        return {name: plain(each) for name, each in value._asdict().items()}
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value
