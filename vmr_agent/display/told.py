"""What a page says of an answer, in words and numbers; how it looks is the templates' own."""

from __future__ import annotations

import base64
import json
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vmr_agent.intervals import joined
from vmr_agent.panorama import EVENLY, Panorama, Thumbnail
from vmr_agent.report import RunReport
from vmr_agent.show import bill, clock, when, why
from vmr_agent.types import Moment, Span

REASONS = 30
"""Reasons told of one moment."""
PASSED = 12
"""Stretches told of that nobody looked at closely."""


class Reason(NamedTuple):
    """One piece of evidence."""

    source: str
    score: str
    note: str
    start: float | None
    """Where, if it says so."""
    when: str


class Card(NamedTuple):
    """A moment."""

    number: int
    start: float
    end: float
    when: str
    sure: float
    """Probability in percent."""
    why: str
    picture: str
    """A data URI; empty where there is no picture."""
    reasons: tuple[Reason, ...]
    left_out: int
    """Earlier reasons that are not told."""


class Line(NamedTuple):
    """Something said or written."""

    start: float
    end: float
    when: str
    text: str
    inside: bool
    """Whether it is in one of the moments."""


class Picture(NamedTuple):
    """A thumbnail."""

    time: float
    when: str
    source: str
    """A data URI."""


class Fact(NamedTuple):
    """A name and a value."""

    name: str
    value: str


class Step(NamedTuple):
    """A room that was visited."""

    room: str
    seconds: float
    made: str


class Told(NamedTuple):
    """Everything in words."""

    verdict: str
    lead: str
    status: str
    cards: tuple[Card, ...]
    nearest: Card | None
    said: tuple[Line, ...]
    written: tuple[Line, ...]
    pictures: tuple[Picture, ...]
    faults: tuple[str, ...]
    coverage: tuple[tuple[str, float], ...]
    """What share of the film was seen, heard and read, in percent."""
    passed_over: tuple[Fact, ...]
    passed_more: int
    steps: tuple[Step, ...]
    facts: tuple[Fact, ...]
    settings: tuple[Fact, ...]
    left_out: tuple[str, ...]
    """What there was no room for."""


def told(report: RunReport, around: Panorama, most: int, pictures: bool) -> Told:
    """Of every list ``most`` entries, the first ones; with ``pictures`` or without."""
    moments = report.moments[:most]
    thumbs = around.thumbnails if pictures else ()
    spans = joined(moment.span for moment in report.moments)
    said = [_line(each.span, each.text, spans) for each in around.utterances]
    written = [_line(each.span, each.text, spans) for each in around.texts]
    closely = report.coverage.passed_over
    nearest = None if moments else report.rejected
    return Told(
        verdict=verdict(report),
        lead=_lead(report),
        status=report.status,
        cards=tuple(_card(n, each, thumbs) for n, each in enumerate(moments, 1)),
        nearest=_card(1, nearest, thumbs) if nearest else None,
        said=_chosen(said, most),
        written=_chosen(written, most),
        pictures=tuple(_picture(each) for each in _strip(thumbs, report.video.duration)),
        faults=tuple(f"{each.room}: {each.message}" for each in report.faults[:most]),
        coverage=_coverage(report),
        passed_over=tuple(Fact(_clocks(each.span), each.why) for each in closely[:PASSED]),
        passed_more=max(0, len(closely) - PASSED),
        steps=tuple(Step(each.room, each.seconds, each.made) for each in report.steps[:most]),
        facts=_facts(report),
        settings=_flat(report.settings)[: 4 * most],
        left_out=tuple(
            f"{number} {what}"
            for number, what in (
                (len(report.moments) - len(moments), "less likely moments"),
                (max(0, len(said) - most), "things said"),
                (max(0, len(written) - most), "things written"),
                (max(0, len(report.faults) - most), "notes"),
                (len(around.thumbnails) - len(thumbs), "pictures"),
            )
            if number > 0
        ),
    )


def verdict(report: RunReport) -> str:
    """In a few words: how often it was found."""
    count = len(report.moments)
    if count:
        return f"{count} moment{'s' if count > 1 else ''}"
    return "Not found"


def source(jpeg: bytes) -> str:
    """A picture as a data URI."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _lead(report: RunReport) -> str:
    if report.moments:
        sure = f"{report.moments[0].score:.0%}"
        return f"The best one is {sure} likely to be what was asked for."
    if report.status == "partial":
        return "As far as could be looked, it is not in there; the notes say what was not."
    if report.rejected:
        return "It is not in there. What came nearest was turned down."
    return "It is not in there, and nothing came near."


def _card(number: int, moment: Moment, thumbs: Sequence[Thumbnail]) -> Card:
    inside = [t for t in thumbs if moment.span.start <= t.time < moment.span.end]
    middle = moment.span.middle
    best = min(inside, key=lambda each: abs(each.time - middle), default=None)
    return Card(
        number=number,
        start=moment.span.start,
        end=moment.span.end,
        when=when(moment),
        sure=100 * moment.score,
        why=why(moment),
        picture=source(best.jpeg) if best else "",
        reasons=tuple(
            Reason(
                each.source,
                f"{each.score:.2f}",
                each.note,
                each.span.start if each.span else None,
                _clocks(each.span) if each.span else "",
            )
            for each in moment.evidence[-REASONS:]
        ),
        left_out=max(0, len(moment.evidence) - REASONS),
    )


def _line(span: Span, text: str, moments: Sequence[Span]) -> Line:
    """``moments`` rise and are apart: only the last that begins before its end can touch it."""
    before = bisect_left(moments, span.end, key=lambda each: each.start)
    inside = before > 0 and moments[before - 1].end > span.start
    return Line(span.start, span.end, clock(span.start), text, inside)


def _chosen(lines: Sequence[Line], most: int) -> tuple[Line, ...]:
    """In order of time; those inside moments come first where there are too many."""
    if len(lines) <= most:
        return tuple(lines)
    first = sorted(lines, key=lambda line: (not line.inside, line.start))[:most]
    return tuple(sorted(first, key=lambda line: line.start))


def _strip(thumbs: Sequence[Thumbnail], duration: float) -> Iterator[Thumbnail]:
    """For each part of the film the picture nearest to its middle, so that all lie under it."""
    part = duration / EVENLY
    for middle in ((k + 0.5) * part for k in range(EVENLY)):
        inside = [each for each in thumbs if abs(each.time - middle) <= part / 2]
        if inside:
            yield min(inside, key=lambda each: abs(each.time - middle))


def _picture(thumb: Thumbnail) -> Picture:
    return Picture(thumb.time, clock(thumb.time), source(thumb.jpeg))


def _coverage(report: RunReport) -> tuple[tuple[str, float], ...]:
    told = report.coverage
    named = (("seen", told.picture), ("listened to", told.speech), ("read", told.text))
    return tuple((name, 100 * share) for name, share in named)


def _clocks(span: Span) -> str:
    return f"{clock(span.start)} – {clock(span.end)}"


def _facts(report: RunReport) -> tuple[Fact, ...]:
    film = report.video
    size = f", {film.width} × {film.height}, {film.fps:g} frames a second" if film.width else ""
    facts = [
        Fact("film", f"{film.path}, {clock(film.duration)}{size}"),
        Fact("SHA-256 begins", film.fingerprint),
        Fact("searched", f"{report.rounds} time{'s' if report.rounds > 1 else ''}"),
    ]
    if report.timing_quality:
        facts.append(Fact("word times", report.timing_quality))
    if report.cost.calls:
        facts.append(Fact("chat model", bill(report.cost)))
    facts += [Fact(role, name) for role, name in report.models.items()]
    facts += [Fact(f"prompt {name}", label) for name, label in report.prompts.items()]
    return (*facts, Fact("vmr_agent", report.version))


def _flat(settings: object, name: str = "") -> tuple[Fact, ...]:
    """``room.setting`` and its value."""
    if isinstance(settings, dict) and (settings or not name):
        parts = (_flat(value, f"{name}.{key}" if name else key) for key, value in settings.items())
        return tuple(fact for part in parts for fact in part)
    return (Fact(name, json.dumps(settings, ensure_ascii=False, default=str)),)
