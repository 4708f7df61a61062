"""Arithmetic on relevance curves: one value per step of film, ``(T,)`` float32 in [0, 1]."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vmr_agent.types import Shot, Span

Array = NDArray[np.float32]
FAINT = 0.05
"""Relevance below which a stretch is not worth a look."""
BRIEF = 1.0
"""Seconds: few samples, much noise, as with ``ground.glimpse``."""


class Peak(NamedTuple):
    """The stretch around a peak of a curve."""

    span: Span
    step: int
    height: float


def logistic(x: NDArray[np.floating], middle: float, slope: float) -> Array:
    """1 / (1 + exp(-slope (x - middle))): 0.5 at ``middle``."""
    return np.asarray(1 / (1 + np.exp(-slope * (x - middle))), np.float32)


def steps(duration: float, step: float) -> int:
    """How many steps cover the duration; at least one."""
    return max(1, int(np.ceil(duration / step - 1e-9)))


def sample(times: NDArray[np.float64], values: Array, count: int, step: float) -> Array:
    """Values at irregular times (N,) on the grid: of what is on screen in each step's middle."""
    middles = (np.arange(count) + 0.5) * step
    held = np.searchsorted(times, middles, side="right") - 1
    return values[np.clip(held, 0, len(times) - 1)]


def paint(curve: Array, span: Span, value: float, step: float) -> None:
    """Raise the curve to ``value`` wherever the span touches it, in place."""
    first, last = int(span.start / step + 1e-6), int(np.ceil(span.end / step - 1e-6))
    curve[first:last] = np.maximum(curve[first:last], value)


def smooth(curve: Array, shots: Iterable[Shot], radius: float, step: float) -> Array:
    """Moving average over ``radius`` seconds to each side, never across a cut."""
    here, reach = np.arange(len(curve)), round(radius / step)
    first, last = here.copy(), here + 1
    for shot in shots:
        # A step that straddles a cut belongs to the shot that holds its middle.
        start, end = (math.ceil(edge / step - 0.5) for edge in (shot.span.start, shot.span.end))
        first[start:end], last[start:end] = start, min(end, len(curve))
    low, high = np.maximum(here - reach, first), np.minimum(here + reach + 1, last)
    total = np.concatenate([[0.0], np.cumsum(curve, dtype=np.float64)])
    return np.asarray((total[high] - total[low]) / (high - low), np.float32)


def region(curve: Array, peak: int, level: float, gap: int) -> tuple[int, int]:
    """The stretch ``[first, last)`` around a peak above ``level``, over dips of ``gap`` steps."""
    high = np.flatnonzero(curve >= level)
    at = int(np.searchsorted(high, peak))
    breaks = np.diff(high) > gap + 1
    before = np.flatnonzero(breaks[:at])
    after = np.flatnonzero(breaks[at:])
    first = high[before[-1] + 1] if len(before) else high[0]
    last = high[at + after[0]] if len(after) else high[-1]
    return int(first), int(last) + 1


def peaks(curve: Array, step: float, duration: float, fall: float, bridge: float) -> Iterator[Peak]:
    """The highest first: each ends ``fall`` of the way down to what is usual in this film.

    Dips of ``bridge`` seconds do not end it.
    """
    usual, left, gap = background(curve), curve.copy(), round(bridge / step)
    while (height := float(left.max(initial=0))) > 0:
        peak = int(left.argmax())
        level = usual + fall * max(0.0, height - usual)
        first, last = region(left, peak, min(level, height), gap)
        left[first:last] = 0
        yield Peak(Span(start=first * step, end=min(last * step, duration)), peak, height)


def stretches(curve: Array, level: float, step: float, duration: float) -> tuple[Span, ...]:
    """Where the curve is at ``level`` or above, rising."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], curve >= level, [False]])))
    pairs = (
        (a * step, min(b * step, duration)) for a, b in zip(edges[::2], edges[1::2], strict=True)
    )
    return tuple(Span(start=float(a), end=float(b)) for a, b in pairs if a < b)


def height(curve: Array, span: Span, step: float) -> float:
    """Mean of the curve inside; what is ``BRIEF`` counts half of what it is."""
    inside = curve[int(span.start / step + 1e-6) : int(np.ceil(span.end / step - 1e-6))]
    return float(inside.mean()) * span.length / (span.length + BRIEF)


def covered(spans: Iterable[Span], count: int, step: float) -> NDArray[np.bool_]:
    """Which steps (T,) have their middle in one of the spans."""
    middles = (np.arange(count) + 0.5) * step
    inside = np.zeros(count, bool)
    for span in spans:
        inside |= (middles >= span.start) & (middles < span.end)
    return inside


def background(curve: Array) -> float:
    """What is usual in this film: the curve's median."""
    return float(np.median(curve))


def snap(span: Span, cuts: NDArray[np.float64], within: float) -> Span:
    """Each boundary moved to the nearest cut if it is no further than ``within`` seconds."""

    def nearest(time: float) -> float:
        if not len(cuts):
            return time
        cut = float(cuts[np.abs(cuts - time).argmin()])
        return cut if abs(cut - time) <= within else time

    start, end = nearest(span.start), nearest(span.end)
    return Span(start=start, end=end) if start < end else span
