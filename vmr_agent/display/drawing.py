"""Where everything lies on the timeline, in percent of the film; heights grow downwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from vmr_agent.panorama import Curve, Panorama
from vmr_agent.report import RunReport
from vmr_agent.show import clock
from vmr_agent.types import Span

LEAST = 0.25
"""Percent of the film: bars are no narrower, and those nearer to each other are one."""
TICKS = 7
"""Of the axis, at most."""
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
"""Seconds between ticks that people count in."""
NUMBERED = 2.5
"""Percent of the film from which a bar has room for its number."""
HIGH = 100
"""Units of a curve's height."""


class Bar(NamedTuple):
    """A stretch of the film."""

    left: float
    width: float
    says: str
    number: str = ""


class Tick(NamedTuple):
    """An instant."""

    at: float
    says: str


class Lane(NamedTuple):
    """A row of the timeline."""

    name: str
    kind: Literal["curve", "bars", "moments", "turned", "ticks"]
    says: str
    """For who cannot see it."""
    path: str = ""
    """SVG path of a curve, in a box 1000 wide and ``HIGH`` high."""
    bars: tuple[Bar, ...] = ()
    ticks: tuple[Tick, ...] = ()


class Timeline(NamedTuple):
    """All rows, and what goes through all of them."""

    lanes: tuple[Lane, ...]
    bands: tuple[Bar, ...]
    """The moments, or what came nearest."""
    axis: tuple[Tick, ...]
    length: float
    """Seconds of film."""


def timeline(report: RunReport, around: Panorama, most: int) -> Timeline:
    """The timeline of an answer; ``most`` moments are in it."""
    length = report.video.duration or 1.0
    found = [each.span for each in report.moments[:most]]
    nearest = [] if report.moments or not report.rejected else [report.rejected.span]
    bars = tuple(_bar(span, length, str(n)) for n, span in enumerate(found, 1))
    turned = tuple(_bar(span, length) for span in nearest)
    lanes = [Lane("moments", "moments", _listed("moment", bars), bars=bars)] if bars else []
    if turned:
        lanes.append(Lane("turned down", "turned", _listed("turned down", turned), bars=turned))
    lanes += [_curve(each, length) for each in around.curves]
    lanes += _rest(report, around, length)
    return Timeline(tuple(lanes), bars or turned, _axis(length), length)


def _rest(report: RunReport, around: Panorama, length: float) -> Iterable[Lane]:
    words = (
        ("words said", [each.span for each in around.utterances]),
        ("words on screen", [each.span for each in around.texts]),
        ("looked at closely", report.coverage.closely),
    )
    if len(around.shots) > 1:
        cuts = _apart([100 * shot.span.start / length for shot in around.shots[1:]])
        ticks = tuple(Tick(_near(at), "") for at in cuts)
        yield Lane("shots", "ticks", f"{len(around.shots)} shots", ticks=ticks)
    for name, spans in words:
        if spans:
            bars = tuple(_joined(spans, length))
            yield Lane(name, "bars", f"{name}: {len(spans)}", bars=bars)


def _curve(curve: Curve, length: float) -> Lane:
    """A staircase of steps, filled down to nothing."""
    path, before = [f"M0 {HIGH}"], -1.0
    for number, value in enumerate(curve.values):
        if value != before:
            path.append(f"H{_across(number * curve.step, length)}V{_near(HIGH * (1 - value))}")
        before = value
    path.append(f"H{_across(len(curve.values) * curve.step, length)}V{HIGH}Z")
    highest = max(curve.values, default=0.0)
    at = curve.values.index(highest) * curve.step if curve.values else 0.0
    says = f"{curve.channel}: at most {highest:.2f}, at {clock(at)}"
    return Lane(curve.channel, "curve", says, path="".join(path))


def _across(seconds: float, length: float) -> float:
    return _near(1000 * min(1.0, seconds / length))


def _bar(span: Span, length: float, number: str = "") -> Bar:
    left = min(100 - LEAST, 100 * span.start / length)
    width = max(LEAST, min(100 - left, 100 * span.length / length))
    says = f"{number + ': ' if number else ''}{clock(span.start)} – {clock(span.end)}"
    return Bar(_near(left), _near(width), says, number if width >= NUMBERED else "")


def _joined(spans: Iterable[Span], length: float) -> Iterable[Bar]:
    """One bar where they are nearer than can be seen."""
    before: Span | None = None
    for span in sorted(spans, key=lambda each: each.start):
        if before is not None and 100 * (span.start - before.end) / length < LEAST:
            before = before.union(span)
            continue
        if before is not None:
            yield _bar(before, length)
        before = span
    if before is not None:
        yield _bar(before, length)


def _apart(places: Sequence[float]) -> Iterable[float]:
    before = -LEAST
    for at in places:
        if at - before >= LEAST:
            yield at
            before = at


def _listed(what: str, bars: Sequence[Bar]) -> str:
    return "; ".join(f"{what} {bar.says}" for bar in bars[:20])


def _axis(length: float) -> tuple[Tick, ...]:
    step = next((each for each in STEPS if length / each <= TICKS), STEPS[-1])
    while length / step > TICKS:
        step *= 2
    places = range(0, int(length) + 1, step)
    return tuple(Tick(_near(100 * at / length), clock(at).partition(".")[0]) for at in places)


def _near(value: float) -> float:
    return round(value, 2)
