"""ground: boundaries from the relevance curves, several per clip (FlashMMR: adjustment).

A moment reaches from its peak to where the curve has fallen half-way to the film's background, and
its ends move to cuts that are near.
"""

from __future__ import annotations

import numpy as np

from vmr_agent import curves
from vmr_agent.artefacts import Curves
from vmr_agent.channels import VERBATIM
from vmr_agent.film import Film
from vmr_agent.protocols import Array
from vmr_agent.relevance import LIKELY
from vmr_agent.settings import GroundSettings
from vmr_agent.types import Channel, Clip, Evidence, Proposal, Span


def ground(
    clip: Clip, film: Film, found: Curves, rows: Array, settings: GroundSettings
) -> tuple[Proposal, ...]:
    """Proposals inside one clip, best first; ``rows`` (C, T) are the relevance curves."""
    step = found.step
    fused = rows.max(axis=0, initial=0)
    outside = np.ones(rows.shape[1], bool)
    outside[int(clip.span.start / step + 1e-6) : int(np.ceil(clip.span.end / step - 1e-6))] = False
    left = np.where(outside, 0, fused)
    faint = settings.faint * float(left.max())
    proposals: list[Proposal] = []
    while (height := float(left.max())) >= faint and height > 0:
        peak = int(left.argmax())
        lead = int(rows[:, peak].argmax())
        curve = np.where(outside, 0, rows[lead])
        usual = min(curves.background(rows[lead]), height)
        level = usual + settings.fall * (height - usual)
        first, last = curves.region(curve, peak, level, round(settings.bridge / step))
        left[first:last] = 0
        span = Span(start=first * step, end=min(last * step, film.video.duration))
        span = _settle(span, found.channels[lead], height, film, settings)
        if span.length >= settings.min_length:
            score = _score(span, found.channels[lead], fused, step, settings)
            proposals.append(_proposal(clip, span, score, found.channels[lead]))
    seen = _as_seen(clip, fused, step)
    sure = (each for each in proposals if not seen or _height(each.span, fused, step) >= LIKELY)
    return (*seen, *sure)


def _as_seen(clip: Clip, fused: Array, step: float) -> tuple[Proposal, ...]:
    """The stretches in which a chat model has seen it, where the curves would not say so."""
    spans = {
        why.span: why.score
        for why in clip.evidence
        if why.source == "relevance" and why.span and why.score >= LIKELY
        if _height(why.span, fused, step) < LIKELY
    }
    return tuple(
        Proposal(span=span, score=score, evidence=_reasons(clip, span)).because(
            Evidence(source="grounding", note="boundaries as looked at", score=score, span=span)
        )
        for span, score in spans.items()
    )


def _settle(span: Span, lead: Channel, height: float, film: Film, settings: GroundSettings) -> Span:
    """Ends moved to cuts where that helps; words that were quoted keep their own times."""
    if lead == "speech":
        # Curves are float32, in which .95 is a little less.
        return span if height >= np.float32(VERBATIM) else _shots_around(span, film, settings)
    return curves.snap(span, film.cuts, settings.snap)


def _shots_around(span: Span, film: Film, settings: GroundSettings) -> Span:
    """The shots in which something is talked about, unless that makes it much longer."""
    around = [shot.span for shot in film.shots if shot.span.overlap(span) > settings.snap]
    if not around or span.end > film.seen:
        return span
    hull = around[0].union(around[-1])
    return hull if hull.length <= settings.stretch * span.length else span


def _height(span: Span, fused: Array, step: float) -> float:
    """The highest relevance inside."""
    return float(_inside(span, fused, step).max(initial=0))


def _inside(span: Span, fused: Array, step: float) -> Array:
    return fused[int(span.start / step + 1e-6) : int(np.ceil(span.end / step - 1e-6))]


def _score(span: Span, lead: Channel, fused: Array, step: float, settings: GroundSettings) -> float:
    """Mean relevance inside; a glimpse of a picture counts for less than a long look."""
    inside = _inside(span, fused, step)
    mean = float(inside.mean()) if len(inside) else 0.0
    return mean * span.length / (span.length + settings.glimpse) if lead == "picture" else mean


def _proposal(clip: Clip, span: Span, score: float, lead: Channel) -> Proposal:
    note = f"boundaries from the {lead} curve"
    return Proposal(span=span, score=score, evidence=_reasons(clip, span)).because(
        Evidence(source="grounding", note=note, score=score, span=span)
    )


def _reasons(clip: Clip, span: Span) -> tuple[Evidence, ...]:
    """What the clip has of evidence from there."""
    return tuple(why for why in clip.evidence if why.span is None or why.span.overlap(span))
