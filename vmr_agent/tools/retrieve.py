"""retrieve: relevance curves, and the stretches of film worth a look.

One curve per channel (IMG: which channel matters is decided per query), and the highest stretches
of the best of them as candidates, under a budget that the staircase raises (SpotVMR).
"""

from __future__ import annotations

import numpy as np

from vmr_agent import channels, curves
from vmr_agent.artefacts import Curves
from vmr_agent.film import Film
from vmr_agent.protocols import Array, Arrays, Encoder, Sentences
from vmr_agent.rounds import Retrieval
from vmr_agent.settings import RetrieveSettings
from vmr_agent.types import Candidate, Channel, Evidence, Query, Span

FAINT = 0.05  # relevance below which a stretch is not worth a look in any round …
NOTHING = 1e-6  # … save the very best one, so that a refusal can say what came nearest
LIKELY = 0.5  # relevance from which the picture may be said to show it


def relevance(
    query: Query,
    film: Film,
    turn: int,
    encoder: Encoder,
    sentences: Sentences,
    settings: RetrieveSettings,
) -> tuple[Curves, Arrays]:
    """Array ``curves`` (C, T): relevance in [0, 1] of every step of the film, by channel.

    ``turn`` counts the rounds from 1: later ones look for what is briefer.
    """
    count = curves.steps(film.video.duration, settings.step)
    rows: dict[Channel, Array] = {}
    notes: list[channels.Note] = []
    named = bool(query.spoken or query.written)
    if len(film.times) and not named:
        rows["picture"] = channels.picture(query, film, turn, encoder, settings, count)
    if film.utterances and (query.spoken or not named):
        rows["speech"], said = channels.speech(query, film, sentences, settings, count)
        notes += said
    if film.texts and (query.written or not named):
        rows["text"], read = channels.text(query, film, sentences, settings, count)
        notes += read
    heard = channels.sound(query, film, settings, count)
    if heard is not None:
        rows["sound"] = heard
    stacked = np.stack(list(rows.values())) if rows else np.zeros((0, count), np.float32)
    found = Curves(step=settings.step, channels=tuple(rows), notes=tuple(notes))
    return found, {"curves": stacked}


def retrieve(
    name: str, made: tuple[Curves, Arrays], duration: float, turn: int, settings: RetrieveSettings
) -> Retrieval:
    """The best stretches, best first; twice as many in every later round."""
    found, rows = made[0], made[1]["curves"]
    fused = rows.max(axis=0, initial=0)
    usual = curves.background(fused)
    left = fused.copy()
    candidates: list[Candidate] = []
    budget = settings.top_k * 2 ** (turn - 1)
    while len(candidates) < budget and left.max() >= (FAINT if candidates else NOTHING):
        peak = int(left.argmax())
        level = usual + settings.fall * max(0.0, float(fused[peak]) - usual)
        gap = round(settings.bridge / found.step)
        first, last = curves.region(left, peak, min(level, float(fused[peak])), gap)
        left[first:last] = 0
        span = Span(start=first * found.step, end=min(last * found.step, duration))
        candidates.append(_candidate(span, peak, found, rows))
    return Retrieval(curves=name, candidates=tuple(candidates))


def _candidate(span: Span, peak: int, found: Curves, rows: Array) -> Candidate:
    evidence = [
        Evidence(
            source=channel,
            note=_note(channel, span, found, float(row[peak])),
            score=float(row[peak]),
            span=span,
        )
        for channel, row in zip(found.channels, rows, strict=True)
        if row[peak] >= min(FAINT, rows[:, peak].max())
    ]
    evidence.sort(key=lambda reason: -reason.score)
    return Candidate(span=span, score=float(rows[:, peak].max()), evidence=tuple(evidence))


def _note(channel: Channel, span: Span, found: Curves, score: float) -> str:
    said = [text for kind, where, text in found.notes if kind == channel and where.overlap(span)]
    quote = " … ".join(dict.fromkeys(said))[:200]
    match channel:
        case "picture":
            return "looks like it" if score >= LIKELY else "looks a little like it"
        case "speech":
            return f"heard: “{quote}”" if quote else "is spoken about"
        case "text":
            return f"on screen: “{quote}”" if quote else "is written about"
        case "sound":
            return "sounds like it"
