"""Two grounders as one: what the small network and the large model say, fused where both speak.

    JoinedGrounder(network, VisionGrounder("models/Qwen3-VL-4B-Instruct", "cuda"), fusion)

The large model judges the small one's windows besides naming its own. Windows of either that are
the other's as well, by their overlap, become one, with the boundaries of whoever is surer of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from vmr_agent.grounding.fusion import Fusion
from vmr_agent.protocols import Bounded, Grounder, GroundReply, GroundRequest
from vmr_agent.types import Span

SAME = 0.5
"""IoU from which two windows are one: from there a ``chance`` counts a window as right."""
JUDGED = 8
"""Windows of the small one that the large one judges, best first: each takes it a look."""


@runtime_checkable
class Judge(Grounder, Protocol):
    """A grounder that has a word on others' windows too."""

    def judge(
        self, request: GroundRequest, windows: Sequence[Span]
    ) -> tuple[GroundReply, tuple[float | None, ...]]:
        """What ``ground`` replies, and the probability of each window, where it can tell."""
        ...


class JoinedGrounder:
    """A ``Grounder``. ``fusion`` is for windows, and for ``present`` too unless that has its own.

    Raises what either raises: no answer of one is passed off as that of both.
    """

    def __init__(
        self, small: Grounder, large: Grounder, fusion: Fusion, present: Fusion | None = None
    ) -> None:
        self._small, self._large = small, large
        self._fusion, self._present = fusion, present or fusion

    @property
    def name(self) -> str:
        """Both, and how much each counts."""
        used = (self._fusion, self._present)
        weights = ", ".join(f"{f.bias:.4g} {f.small:.4g} {f.large:.4g}" for f in used)
        return f"{self._small.name} + {self._large.name} ({weights})"

    def ground(self, request: GroundRequest) -> GroundReply:
        """The windows of both, best first, and one probability that there are any."""
        if not request.clips:
            return self._small.ground(request)
        few = self._small.ground(request)
        asked = few.moments[:JUDGED]
        if isinstance(self._large, Judge):
            many, told = self._large.judge(request, [each.span for each in asked])
        else:
            many, told = self._large.ground(request), (None,) * len(asked)
        verdicts = (*told, *(None for _ in few.moments[JUDGED:]))
        moments = self._united(few.moments, verdicts, many.moments)
        present = self._present.fused(few.present, many.present)
        return GroundReply(
            moments, present, _numbered(few.number or many.number, present), saw=True
        )

    def _united(
        self,
        few: Sequence[Bounded],
        verdicts: Sequence[float | None],
        many: Sequence[Bounded],
    ) -> tuple[Bounded, ...]:
        """Each window of either once, with what both say of it."""
        partners = _partners(few, many)
        found = []
        for here, (mine, verdict) in enumerate(zip(few, verdicts, strict=True)):
            if (theirs := partners.get(here)) is None:
                found.append(Bounded(mine.span, self._fusion.fused(mine.chance, verdict)))
                continue
            yours = many[theirs]
            surer = mine if mine.chance >= yours.chance else yours
            found.append(Bounded(surer.span, self._fusion.fused(mine.chance, yours.chance)))
        met = set(partners.values())
        found += [each for place, each in enumerate(many) if place not in met]
        return tuple(sorted(found, key=lambda each: -each.chance))


def _partners(few: Sequence[Bounded], many: Sequence[Bounded]) -> dict[int, int]:
    """Which of the many each of the few is: the nearest pairs first, nobody twice."""
    pairs = [
        (-mine.span.iou(yours.span), here, there)
        for here, mine in enumerate(few)
        for there, yours in enumerate(many)
        if mine.span.iou(yours.span) >= SAME
    ]
    found: dict[int, int] = {}
    for _, here, there in sorted(pairs):
        if here not in found and there not in found.values():
            found[here] = there
    return found


def _numbered(number: tuple[float, ...], present: float) -> tuple[float, ...]:
    """The same numbers of moments, none of them as likely as ``present`` leaves it."""
    some = sum(number[1:])
    if not number or not some:
        return ()
    return (1 - present, *(present * each / some for each in number[1:]))
