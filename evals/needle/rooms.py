"""In which room the right answer to a query was lost.

Room by room, over all rounds of the search: is a true moment still in what the room passes on?
The first room that has none left has lost it. That is the room to work on; what comes behind it
could not have done better.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from vmr_agent import RunReport, Span
from vmr_agent.events import Visit
from vmr_agent.film import Film

ROOMS = ("index", "retrieve", "filter", "trim", "ground", "verify")
"""In the order of the road. ``index`` is the whole front half."""
ENOUGH = 0.5
"""IoU, or share, from which a stretch is a moment or holds it."""
Medium = Literal["seen", "heard", "read"]
"""How what is asked for comes."""


class Seen(NamedTuple):
    """What the rooms passed on, in all rounds together."""

    candidates: tuple[Span, ...] = ()
    """Of ``retrieve``."""
    kept: tuple[Span, ...] = ()
    """Of ``filter_relevance``."""
    clips: tuple[Span, ...] = ()
    """Of ``trim``."""
    proposals: tuple[Span, ...] = ()
    """Of ``ground``."""


def seen(visits: Iterable[Visit]) -> Seen:
    """From what the rooms put on the tray."""
    made: dict[str, tuple[Span, ...]] = dict.fromkeys(Seen._fields, ())
    for visit in visits:
        for name, spans in _passed_on(visit.made).items():
            made[name] += spans
    return Seen(**made)


def lost(truth: Sequence[Span], shelved: bool, rooms: Seen, report: RunReport) -> str:
    """The room, one of ``ROOMS``; empty where the first moment is right, or where none is true.

    ``shelved`` says whether the front half has anything from a true moment, see ``is_shelved``.
    """
    first = report.moments[0].span if report.moments else None
    if not truth or (first and _is_one(first, truth)):
        return ""
    kept = (
        shelved,
        any(_touches(each, true) for each in rooms.candidates for true in truth),
        any(_touches(each, true) for each in rooms.kept for true in truth),
        any(each.overlap(true) >= ENOUGH * true.length for each in rooms.clips for true in truth),
        any(_is_one(each, truth) for each in rooms.proposals),
    )
    return next((room for room, whole in zip(ROOMS, kept, strict=False) if not whole), ROOMS[-1])


def is_shelved(film: Film, truth: Sequence[Span], medium: Medium) -> bool:
    """Whether the shelf has anything from any true moment: a sample, words, or a line of text."""
    if medium == "seen":
        return any(((film.times >= t.start) & (film.times < t.end)).any() for t in truth)
    lines = film.utterances if medium == "heard" else film.texts
    return any(line.span.overlap(true) > 0 for line in lines for true in truth)


def recalls(losses: Sequence[str]) -> dict[str, float]:
    """By room, the share of queries about something whose right answer it still passed on."""
    left, found = len(losses), {}
    for room in ROOMS:
        left -= losses.count(room)
        found[room] = left / len(losses) if losses else 0.0
    return found


def _passed_on(made: Mapping[str, Any]) -> dict[str, tuple[Span, ...]]:
    """Spans by the name of the field of ``Seen``."""
    found = {
        "candidates": made["retrieval"].candidates if "retrieval" in made else (),
        "kept": made["sieve"].kept if "sieve" in made else (),
        "clips": made.get("clips", ()),
        "proposals": made.get("proposals", ()),
    }
    return {name: tuple(each.span for each in scored) for name, scored in found.items()}


def _touches(span: Span, true: Span) -> bool:
    """Whether one of the two lies at least half in the other."""
    return span.overlap(true) >= ENOUGH * min(span.length, true.length)


def _is_one(span: Span, truth: Sequence[Span]) -> bool:
    return any(span.iou(true) >= ENOUGH for true in truth)
