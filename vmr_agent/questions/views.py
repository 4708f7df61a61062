"""Stretches of film as a chat model gets to see them: some frames with their times, and words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from vmr_agent.counsel import Shown
from vmr_agent.film import Film
from vmr_agent.gallery import Gallery
from vmr_agent.looks import looks
from vmr_agent.types import Span

Alive = Callable[[], None]
SILENT = -50.0  # dBFS
TAGGED = 0.3  # probability from which a class of sound is told (SMART)
TAGS = 3  # of them at most
MEANWHILE = 300  # characters of speech, or of text on screen, that go with a stretch


@dataclass(frozen=True, slots=True)
class View:
    """A stretch of film, to be asked about by its id."""

    id: str
    span: Span
    facts: dict[str, Any]
    """When, what is said, what is written."""
    pictures: tuple[Shown, ...]


def views(
    spans: Sequence[Span],
    scores: Sequence[float],
    film: Film,
    gallery: Gallery,
    most: int,
    side: int,
    alive: Alive,
    inside: Sequence[Span] = (),
) -> list[View]:
    """The stretches with ``most`` frames in all. ``inside`` are the proposals they surround."""
    times = looks(spans, scores, film.shots, most)
    pictures = iter(gallery.jpegs([t for each in times for t in each], side, alive))
    found = []
    for number, (span, seen) in enumerate(zip(spans, times, strict=True), 1):
        name = f"c{number}"
        marked = inside[number - 1] if inside else None
        shown = [Shown(f"{name}, {_when(t, marked)}:", next(pictures)) for t in seen]
        found.append(View(name, span, _facts(name, marked or span, film), tuple(shown)))
    return found


def _when(time: float, marked: Span | None) -> str:
    if marked is None:
        return f"{time:.1f} s"
    side = "before" if time < marked.start else "inside" if time < marked.end else "after"
    return f"{time:.1f} s, {side}"


def _facts(name: str, span: Span, film: Film) -> dict[str, Any]:
    said = (u for u in film.utterances if u.span.overlap(span) > 0)
    words = (w.text.strip() for u in said for w in u.words or () if w.span.overlap(span) > 0)
    whole = " ".join(words) or " ".join(
        u.text.strip() for u in film.utterances if not u.words and u.span.overlap(span) > 0
    )
    heard = _sounds(film, span)
    read = " / ".join(line.text for line in film.texts if line.span.overlap(span) > 0)
    facts = {"id": name, "start": round(span.start, 1), "end": round(span.end, 1)}
    return (
        facts
        | ({"said": whole[:MEANWHILE]} if whole else {})
        | ({"heard": heard} if heard else {})
        | ({"written": read[:MEANWHILE]} if read else {})
    )


def _sounds(film: Film, span: Span) -> str:
    """What a tagger hears in it, or that it is silent."""
    levels = film.levels[int(span.start) : max(int(span.start) + 1, math.ceil(span.end))]
    if not len(levels):
        return ""
    if levels[:, 0].max() < SILENT:
        return "silence"
    likely = levels[:, 2:].max(axis=0, initial=0)
    best = sorted(range(len(film.classes)), key=lambda n: -likely[n])[:TAGS]
    return ", ".join(film.classes[n] for n in best if likely[n] >= TAGGED)
