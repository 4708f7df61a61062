"""Where in a film something can be, when it is asked for in relation to something else."""

from __future__ import annotations

from functools import reduce

from vmr_agent.intervals import Spans, after, before, both, joined, rest
from vmr_agent.types import Relation, Span


def allowed(sets: list[tuple[Relation, Spans]], slack: float, duration: float) -> Spans:
    """Where all relations hold; each comes with the spans in which the other thing was found.

    ``slack`` are the seconds by which what is at the same time may be off.
    """
    places = [_where(relation, spans, slack, duration) for relation, spans in sets]
    return reduce(both, places, (Span(start=0, end=duration),))


def _where(relation: Relation, spans: Spans, slack: float, duration: float) -> Spans:
    match relation.kind:
        case "after":
            return after(spans, duration)
        case "before":
            return before(spans)
        case "while":
            return joined(span.pad(slack).clamp(duration) for span in spans)
        case "without":
            return rest(spans, duration)
