"""Moments of one sample drawn along its film: where things lie, in percent of the width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from evals.logbook import Sample, Window
from vmr_agent.show import clock
from vmr_agent.types import Moment

NEAR = 0.4
"""Share of the film that is worth a closer view, if everything lies within."""
AROUND = 0.25
"""Of what lies there, shown on either side besides."""
LEAST = 0.5
"""Percent of the width that anything takes, or it could not be seen."""
DRAWN = 20
"""Windows of a row at most."""


class Bar(NamedTuple):
    """A window."""

    left: float
    width: float
    says: str
    """When, and how sure."""
    sure: float
    """0 to 1."""


class Strip(NamedTuple):
    """Truth and answers one above the other, in a part of the film."""

    start: str
    end: str
    """Of the part that is shown."""
    film: Bar
    """Which part of the film that is."""
    near: bool
    """Whether it is not the whole."""
    rows: tuple[tuple[str, tuple[Bar, ...]], ...]
    """What a row is, and its windows."""


def strip(sample: Sample, answers: Sequence[tuple[str, Sequence[Moment]]]) -> Strip:
    """Of a sample, with rows of answers by name."""
    given = [(name, [_window(m) for m in moments[:DRAWN]]) for name, moments in answers]
    true = [(*window, 1.0) for window in sample.truth[:DRAWN]]
    drawn = [*true, *(window for _, windows in given for window in windows)]
    whole = max([sample.duration, 1e-3, *(end for _, end, _ in drawn)])
    start, end = _part(drawn, whole) if true and len(drawn) > len(true) else (0.0, whole)
    rows = [("truth", true), *given]
    return Strip(
        clock(start),
        clock(end),
        _bar((start, end, 1.0), 0, whole, f"{clock(start)} – {clock(end)} of {clock(whole)}"),
        (start, end) != (0.0, whole),
        tuple((name, tuple(_bars(name, windows, start, end))) for name, windows in rows),
    )


def _bars(
    name: str, windows: Iterable[tuple[float, float, float]], start: float, end: float
) -> Iterable[Bar]:
    for window in windows:
        when = f"{clock(window[0])} – {clock(window[1])}"
        says = f"{name}: {when}" if name == "truth" else f"{name}: {when}, {window[2]:.0%}"
        yield _bar(window, start, end, says)


def _part(drawn: Sequence[tuple[float, float, float]], whole: float) -> tuple[float, float]:
    """Of the film, in which everything lies; the whole if that is not much more."""
    low, high = min(each[0] for each in drawn), max(each[1] for each in drawn)
    beside = max(AROUND * (high - low), 2.0)
    start, end = max(0.0, low - beside), min(whole, high + beside)
    return (start, end) if 0 < end - start < NEAR * whole else (0.0, whole)


def _bar(window: tuple[float, float, float], start: float, end: float, says: str) -> Bar:
    scale = 100 / (end - start)
    width = min(100.0, max(LEAST, (window[1] - window[0]) * scale))
    left = min(100 - width, max(0.0, (window[0] - start) * scale))
    return Bar(round(left, 2), round(width, 2), says, window[2])


def _window(moment: Moment) -> tuple[float, float, float]:
    return moment.span.start, moment.span.end, moment.score


def times(windows: Sequence[Window]) -> list[str]:
    """For a person, the first ones."""
    told = [f"{clock(start)} – {clock(end)}" for start, end in windows[:DRAWN]]
    more = len(windows) - DRAWN
    return [*told, f"and {more} more"] if more > 0 else told
