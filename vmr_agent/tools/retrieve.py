"""retrieve: the stretches of film worth a look.

The highest stretches of the relevance curves as candidates, under a budget that the staircase
raises (SpotVMR); where a chat model looks, also places that nobody has looked at yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import islice, takewhile

from vmr_agent import curves
from vmr_agent.artefacts import Curves
from vmr_agent.curves import FAINT, Peak
from vmr_agent.intervals import Spans
from vmr_agent.protocols import Array, Arrays
from vmr_agent.relevance import LIKELY
from vmr_agent.rounds import Retrieval
from vmr_agent.settings import RetrieveSettings
from vmr_agent.types import COUNTS, Candidate, Channel, Evidence, Span

NOTHING = 1e-6  # relevance from which the very best stretch is worth a look, faint or not, so that
# a refusal can say what came nearest, unless somebody looks at places of which nothing is known


def retrieve(
    name: str,
    made: tuple[Curves, Arrays],
    duration: float,
    turn: int,
    settings: RetrieveSettings,
    looked: Spans = (),
    unseen: Spans = (),
    occurrence: int = 0,
) -> Retrieval:
    """The best stretches, best first; twice as many in every later round.

    What the curves leave free of the budget goes to ``unseen`` stretches, evenly over the film,
    and only then to those where somebody has ``looked`` in vain. Where one ``occurrence`` is asked
    for, they are those nearest to that end of the film at which counting begins.
    """
    found, rows = made[0], made[1]["curves"]
    fused = rows.max(axis=0, initial=0)
    budget = settings.top_k * 2 ** (turn - 1) + max(0, abs(occurrence) - 1)
    bounds = partial(curves.peaks, fused, found.step, duration, settings.fall, settings.bridge)
    likely = takewhile(lambda peak: peak.height >= LIKELY, bounds() if occurrence else ())
    best = _counted(likely, occurrence, budget) or [*islice(bounds(), 2 * budget)]
    worth = [p for n, p in enumerate(best) if p.height >= (FAINT if n or unseen else NOTHING)]
    again = [peak for peak in worth if _mostly_in(peak.span, looked)]
    new = [_candidate(peak, found, rows) for peak in worth if peak not in again][:budget]
    free = [part for part in unseen if not any(part.overlap(each.span) for each in new)]
    new += _unlooked(free, budget - len(new), fused, found.step)
    new += [_candidate(peak, found, rows) for peak in again[: budget - len(new)]]
    return Retrieval(curves=name, candidates=tuple(new))


def _counted(likely: Iterable[Peak], occurrence: int, budget: int) -> list[Peak]:
    """Those by which one counts up to the one that is asked for, the highest first.

    Some more than that: a few may turn out to be something else.
    """
    in_order = sorted(likely, key=lambda each: each.span.start, reverse=occurrence < 0)
    return sorted(in_order[:budget], key=lambda each: -each.height)


def _mostly_in(span: Span, spans: Spans) -> bool:
    return sum(map(span.overlap, spans)) > span.length / 2


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


def _candidate(peak: Peak, found: Curves, rows: Array) -> Candidate:
    span, heights = peak.span, rows[:, peak.step]
    evidence = [
        Evidence(
            source=channel,
            note=_note(channel, span, found, float(height)),
            score=float(height),
            span=span,
        )
        for channel, height in zip(found.channels, heights, strict=True)
        if height >= min(FAINT, heights.max())
    ]
    evidence.sort(key=lambda reason: -reason.score)
    evidence += [_related(what, spans, span) for what, spans in found.others]
    if found.importance is not None:
        evidence.append(_counts(found.importance))
    return Candidate(span=span, score=peak.height, evidence=tuple(evidence))


def _related(what: str, spans: Spans, span: Span) -> Evidence:
    """What was found of the other thing that the question speaks of."""
    nearest = min(spans, key=lambda each: abs(each.middle - span.middle), default=None)
    where = f"found at {nearest.start:.1f} s" if nearest else "which was found nowhere"
    score = float(nearest is not None)
    return Evidence(source="retrieval", note=f"{what}, {where}", score=score, span=nearest)


def _counts(importance: float) -> Evidence:
    note = f"{COUNTS} {importance:.2f}, what is seen {1 - importance:.2f}"
    return Evidence(source="retrieval", note=note, score=importance)


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
