"""Where points and ticks of a plot lie, in percent of its width and height; y grows downwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import floor, isfinite, log10
from typing import NamedTuple

from evals.reporting.intervals import Estimate
from evals.reporting.spending import Spent
from evals.reporting.trust import Trust

TICKS = 5
"""Steps of an axis, about."""
WIDE = 20.0
"""Largest over smallest from which an axis is logarithmic."""
ROOM = 0.08
"""Share of an axis beside its outermost points."""


class Tick(NamedTuple):
    """A line across the plot."""

    at: float
    says: str


class Point(NamedTuple):
    """Something measured."""

    x: float
    y: float
    low: float
    """Where its interval ends, below; the point itself where there is none."""
    high: float
    says: str
    name: str
    """Short, drawn beside it."""


class Plot(NamedTuple):
    """Points between axes."""

    points: list[Point]
    across: list[Tick]
    up: list[Tick]


def costs(spent: Sequence[Spent], of: Callable[[Spent], float | None], unit: str) -> Plot | None:
    """The main figure against what a query costs; None where nothing, or less than two, is known.

    Numbered as in ``spent``.
    """
    known = [(n, of(each), each) for n, each in enumerate(spent, 1)]
    drawn = [(n, x, s) for n, x, s in known if x is not None and isfinite(s.figure.value)]
    if len(drawn) < 2 or not any(x for _, x, _ in drawn):
        return None
    place, across = _axis([x for _, x, _ in drawn], unit)
    points = [
        _costing(place(x), each.figure, f"{each.name}: {x:.3g} {unit}", n) for n, x, each in drawn
    ]
    return Plot(points, across, _percent())


def reliability(held: Trust) -> Plot:
    """How often moments are right, against how sure they are."""
    points = [
        Point(
            _near(100 * b.told),
            *(_near(100 - 100 * b.right),) * 3,
            f"{b.moments} moments: on average {b.told:.1%} sure, {b.right:.1%} right",
            str(b.moments),
        )
        for b in held.bins
    ]
    across = [Tick(at, f"{at} %") for at in range(0, 101, 25)]
    return Plot(points, across, _percent())


def _costing(x: float, found: Estimate, says: str, number: int) -> Point:
    low, high = (found.low, found.high) if isfinite(found.low) else (found.value, found.value)
    told = f"{says}, {found.value:.1f} %"
    y, least, most = (_near(100 - value) for value in (found.value, low, high))
    return Point(x, y, least, most, told, str(number))


def _percent() -> list[Tick]:
    return [Tick(100 - at, f"{at} %") for at in range(0, 101, 25)]


def _axis(values: Sequence[float], unit: str) -> tuple[Callable[[float], float], list[Tick]]:
    """Where a value lies, and ticks: from zero; in powers of ten if values are far apart."""
    least, most = min(values), max(values)
    if least > 0 and most / least > WIDE:
        low, high = floor(log10(least)), floor(log10(most)) + 1
        decades = [10.0**n for n in range(low, high + 1)]
        return (lambda x: _near(100 * (log10(x) - low) / (high - low))), [
            Tick(_near(100 * n / (high - low)), f"{value:g} {unit}")
            for n, value in enumerate(decades)
        ]
    top = most * (1 + ROOM)
    step = _step(top / TICKS)
    steps = range(int(top / step) + 1)
    ticks = [Tick(_near(100 * n * step / top), f"{n * step:g} {unit}") for n in steps]
    return (lambda x: _near(100 * x / top)), ticks


def _step(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is no less."""
    power = 10.0 ** floor(log10(least))
    return next(power * digit for digit in (1, 2, 5, 10) if power * digit >= least * (1 - 1e-9))


def _near(value: float) -> float:
    return round(value, 2)
