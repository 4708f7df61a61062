"""retrieve: the stretches of film worth a look.

The highest stretches of the relevance curves as candidates, under a budget that the staircase
raises (SpotVMR); where a chat model looks, also places that nobody has looked at yet.
"""

from __future__ import annotations

from collections.abc import Sequence

from vmr_agent import curves
from vmr_agent.artefacts import Curves
from vmr_agent.intervals import Spans
from vmr_agent.protocols import Array, Arrays
from vmr_agent.relevance import LIKELY
from vmr_agent.rounds import Retrieval
from vmr_agent.settings import RetrieveSettings
from vmr_agent.types import Candidate, Channel, Evidence, Span

FAINT = 0.05  # relevance below which a stretch is not worth a look in any round …
NOTHING = 1e-6  # … save the very best one, so that a refusal can say what came nearest,
# unless there is somebody who looks at places of which nothing is known


def retrieve(
    name: str,
    made: tuple[Curves, Arrays],
    duration: float,
    turn: int,
    settings: RetrieveSettings,
    unseen: Spans = (),
) -> Retrieval:
    """The best stretches, best first; twice as many in every later round.

    What the curves leave free of the budget goes to ``unseen`` stretches, evenly over the film.
    """
    found, rows = made[0], made[1]["curves"]
    fused = rows.max(axis=0, initial=0)
    usual = curves.background(fused)
    left = fused.copy()
    candidates: list[Candidate] = []
    budget = settings.top_k * 2 ** (turn - 1)
    least = FAINT if unseen else NOTHING
    while len(candidates) < budget and left.max() >= (FAINT if candidates else least):
        peak = int(left.argmax())
        level = usual + settings.fall * max(0.0, float(fused[peak]) - usual)
        gap = round(settings.bridge / found.step)
        first, last = curves.region(left, peak, min(level, float(fused[peak])), gap)
        left[first:last] = 0
        span = Span(start=first * found.step, end=min(last * found.step, duration))
        candidates.append(_candidate(span, peak, found, rows))
    chosen = [each.span for each in candidates]
    free = [part for part in unseen if not any(part.overlap(each) for each in chosen)]
    candidates += _unlooked(free, budget - len(candidates), fused, found.step)
    return Retrieval(curves=name, candidates=tuple(candidates))


def _unlooked(unseen: Sequence[Span], most: int, fused: Array, step: float) -> list[Candidate]:
    """Some of the stretches that were not looked at, evenly over the film, best first."""
    if most <= 0 or not unseen:
        return []
    chosen = [unseen[int((k + 0.5) * len(unseen) / most)] for k in range(min(most, len(unseen)))]
    if len(unseen) <= most:
        chosen = [*unseen]
    found = []
    for span in chosen:
        inside = fused[round(span.start / step) : round(span.end / step)]
        score = float(inside.max(initial=0))
        reason = Evidence(source="retrieval", note="not looked at before", score=score, span=span)
        found.append(Candidate(span=span, score=score, evidence=(reason,)))
    return sorted(found, key=lambda each: -each.score)


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
    evidence += [_related(what, spans, span) for what, spans in found.others]
    return Candidate(span=span, score=float(rows[:, peak].max()), evidence=tuple(evidence))


def _related(what: str, spans: Spans, span: Span) -> Evidence:
    """What was found of the other thing that the question speaks of."""
    nearest = min(spans, key=lambda each: abs(each.middle - span.middle), default=None)
    where = f"found at {nearest.start:.1f} s" if nearest else "which was found nowhere"
    score = float(nearest is not None)
    return Evidence(source="retrieval", note=f"{what}, {where}", score=score, span=nearest)


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
