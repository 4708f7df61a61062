"""ground: boundaries from the relevance curves, several per clip (FlashMMR: adjustment).

By hand, a moment reaches from its peak to where the curve has fallen half-way to the film's
background, and its ends move to cuts that are near. Where there is a grounder, it says where they
are: of all but what was quoted, or was seen by a chat model, which have times of their own. How
likely they are is the curves' to say, unless the grounder has looked at frames
(evals/results/grounding.json compares them).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from vmr_agent import curves
from vmr_agent.artefacts import Curves
from vmr_agent.channels import MEANT
from vmr_agent.film import Film
from vmr_agent.protocols import Array, Bounded, GroundReply
from vmr_agent.relevance import LIKELY
from vmr_agent.settings import GroundSettings
from vmr_agent.types import QUOTED, Channel, Clip, Evidence, Proposal, Span

SEEN = "boundaries as looked at"
"""What the evidence says of times that a chat model saw; no grounder moves them, nor ``QUOTED``."""
MODEL = "boundaries from the grounding model"
SURE = float(np.float32(MEANT))  # curves are float32, in which .94 is a little less
NEAR = 0.3  # IoU of a proposal and a grounder's moment from which they are one
SAME = 0.5  # share of the shorter of two windows from which they are about the same thing


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
        quoted = _is_quoted(found.channels[lead], height)
        level = max(usual + settings.fall * (height - usual), SURE if quoted else 0.0)
        first, last = curves.region(curve, peak, level, round(settings.bridge / step))
        left[first:last] = 0
        span = Span(start=first * step, end=min(last * step, film.video.duration))
        if quoted:
            span = _line(span, found) if found.channels[lead] == "text" else span
        else:
            span = _settle(span, found.channels[lead], film, settings)
        if span.length >= settings.min_length:
            score = _score(span, found.channels[lead], fused, step, settings)
            proposals.append(_proposal(clip, span, score, _how(found.channels[lead], quoted)))
    seen = _as_seen(clip, fused, step)
    sure = (each for each in proposals if not seen or _height(each.span, fused, step) >= LIKELY)
    return (*seen, *sure)


def placed(
    clips: Sequence[Clip], ruled: Sequence[Proposal], reply: GroundReply
) -> tuple[Proposal, ...]:
    """What the hand rules propose where a grounder says; its own moments if it saw them.

    What has times of its own stays, and stands for moments that are about nothing else. Where the
    grounder has nothing to say the hand rules do.
    """
    if not reply.moments:
        return tuple(ruled)
    own = [each for each in ruled if each.evidence[-1].note in (QUOTED, SEEN)]
    others = [each for each in ruled if each not in own]
    if not reply.saw:
        return (*own, *_moved(others, reply.moments))
    made = [
        _as_placed(clips, moment, score, reply.present)
        for moment, score in zip(reply.moments, _likely(reply), strict=True)
        if not _among(own, moment.span) or _among(others, moment.span)
    ]
    return (*own, *made)


def _moved(proposals: Sequence[Proposal], moments: Sequence[Bounded]) -> list[Proposal]:
    """The best proposal to the best of the moments that it resembles, and so on."""
    left, found = [*moments], []
    for each in sorted(proposals, key=lambda each: -each.score):
        near = next((m for m in left if m.span.iou(each.span) >= NEAR), None)
        if near is not None:
            left.remove(near)
            why = Evidence(source="grounding", note=MODEL, score=near.chance, span=near.span)
            each = each.model_copy(update={"span": near.span}).because(why)
        found.append(each)
    return found


def _likely(reply: GroundReply) -> list[float]:
    """Probability of each moment, best first: that there are so many at all.

    Those that are less sure of their place than the first are less likely than that. Where nobody
    has counted, each goes by its own chance.
    """
    if not reply.number:
        return [min(reply.present, each.chance) for each in reply.moments]
    so_many = np.cumsum(reply.number[::-1])[::-1]  # of n and more
    first = max(1e-9, *(each.chance for each in reply.moments))
    return [
        min(reply.present, float(so_many[min(n, len(so_many) - 1)]), reply.present * chance / first)
        for n, (_, chance) in enumerate(reply.moments, 1)
    ]


def _among(proposals: Sequence[Proposal], span: Span) -> bool:
    """Whether one of them is about the same."""
    return any(
        span.overlap(each.span) >= SAME * min(span.length, each.span.length) for each in proposals
    )


def _as_placed(clips: Sequence[Clip], moment: Bounded, score: float, present: float) -> Proposal:
    span, clip = moment.span, max(clips, key=lambda each: each.span.overlap(moment.span))
    return Proposal(span=span, score=score, evidence=_reasons(clip, span)).because(
        Evidence(source="grounding", note=MODEL, score=moment.chance, span=span),
        Evidence(source="grounding", note="how likely there is any", score=present),
    )


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
            Evidence(source="grounding", note=SEEN, score=score, span=span)
        )
        for span, score in spans.items()
    )


def _is_quoted(lead: Channel, height: float) -> bool:
    """Only what is quoted reaches so high in speech and text."""
    return lead in ("speech", "text") and height > SURE


def _line(span: Span, found: Curves) -> Span:
    """The written line's own times, which the curve knows to the step only; words that are said
    have none that are more exact than that."""
    around = span.pad(found.step)
    inside = [
        where
        for channel, where, _ in found.notes
        if channel == "text" and around.start <= where.start and where.end <= around.end
    ]
    return reduce(Span.union, inside) if inside else span


def _settle(span: Span, lead: Channel, film: Film, settings: GroundSettings) -> Span:
    """Ends moved to cuts where that helps; of what is talked about, to the shots around."""
    if lead == "speech":
        return _shots_around(span, film, settings)
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


def _how(lead: Channel, quoted: bool) -> str:
    """Where the boundaries come from."""
    return QUOTED if quoted else f"boundaries from the {lead} curve"


def _proposal(clip: Clip, span: Span, score: float, note: str) -> Proposal:
    return Proposal(span=span, score=score, evidence=_reasons(clip, span)).because(
        Evidence(source="grounding", note=note, score=score, span=span)
    )


def _reasons(clip: Clip, span: Span) -> tuple[Evidence, ...]:
    """What the clip has of evidence from there."""
    return tuple(why for why in clip.evidence if why.span is None or why.span.overlap(span))
