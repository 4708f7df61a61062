"""Sets of spans: what "after", "before", "while" and "without" mean.

A set is a tuple of spans that rise and do not touch.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from vmr_agent.types import Span

T = TypeVar("T")
Spans = tuple[Span, ...]


def joined(spans: Iterable[Span]) -> Spans:
    """The set that covers what any of the spans covers."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda each: each.start):
        if found and span.start <= found[-1].end:
            found[-1] = found[-1].union(span)
        else:
            found.append(span)
    return tuple(found)


def rest(spans: Spans, duration: float) -> Spans:
    """The set that covers what these do not, between 0 and ``duration``."""
    edges = [0.0, *(edge for span in spans for edge in (span.start, span.end)), duration]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return tuple(Span(start=a, end=min(b, duration)) for a, b in pairs if a < min(b, duration))


def both(one: Spans, other: Spans) -> Spans:
    """The set that covers what both cover."""
    shared = ((max(a.start, b.start), min(a.end, b.end)) for a in one for b in other)
    return joined(Span(start=start, end=end) for start, end in shared if start < end)


def chosen(found: tuple[T, ...], occurrence: int) -> tuple[T, ...]:
    """Of what rises in time the one that is asked for: 1 the first, -1 the last, all for 0.

    Nothing if it does not come so often.
    """
    if not occurrence:
        return found
    place = occurrence - 1 if occurrence > 0 else len(found) + occurrence
    return found[place : place + 1] if place >= 0 else ()


def after(spans: Spans, duration: float) -> Spans:
    """All that begins once one of them has ended."""
    first = min((span.end for span in spans), default=duration)
    return (Span(start=first, end=duration),) if first < duration else ()


def before(spans: Spans) -> Spans:
    """All that ends before one of them begins."""
    last = max((span.start for span in spans), default=0.0)
    return (Span(start=0.0, end=last),) if last > 0 else ()
