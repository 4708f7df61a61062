"""Which part of a film an answer rests on, and why not on the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vmr_agent.intervals import Spans, both, joined, rest
from vmr_agent.report import Coverage, Fault, PassedOver, Status
from vmr_agent.types import Moment, Span, Video

UNREADABLE = "it cannot be read"
SPENT = "the budget was spent"
ALONE = "the chat model could not be asked"
UNLIKE = "it resembles the question less"
SEEN = 0.95
"""Share of the film below which "it is not in there" would claim too much."""


def coverage(
    video: Video, heard: float, read: bool, looked: Iterable[Span], faults: Sequence[Fault]
) -> Coverage:
    """Of a film with ``heard`` seconds listened to, and its text ``read`` or not.

    ``looked`` are the spans that anybody looked at closely, in any order.
    """
    closely, seen = joined(looked), video.coverage if video.has_picture else 0.0
    return Coverage(
        picture=seen,
        speech=min(1.0, heard / video.duration) if video.duration else 0.0,
        text=seen if read else 0.0,
        closely=closely,
        passed_over=_passed_over(rest(closely, video.duration), video, faults),
    )


def _passed_over(left: Spans, video: Video, faults: Sequence[Fault]) -> tuple[PassedOver, ...]:
    kinds = {fault.kind for fault in faults}
    unread = "unreadable" if video.has_picture else "unheard"
    why = SPENT if "budget" in kinds else ALONE if "chat" in kinds else UNLIKE
    dark = joined(each.span for each in faults if each.kind == unread and each.span)
    sets = (
        (both(left, dark), UNREADABLE),
        (both(left, rest(dark, video.duration)), why),
    )
    parts = [PassedOver(span=span, why=why) for spans, why in sets for span in spans]
    return tuple(sorted(parts, key=lambda part: part.span.start))


def status(moments: Sequence[Moment], video: Video, faults: Sequence[Fault]) -> Status:
    """Whether it was found, is not in there, or could not be looked for everywhere."""
    if any(fault.kind in ("budget", "chat") for fault in faults):
        return "partial"
    if moments:
        return "found"
    return "partial" if video.coverage < SEEN else "not_found"
