"""trim: coarse clips, padded and merged, worth the expensive look (SpotVMR: clip trimming)."""

from __future__ import annotations

from vmr_agent.settings import TrimSettings
from vmr_agent.types import Candidate, Clip


def trim(
    candidates: tuple[Candidate, ...], duration: float, settings: TrimSettings
) -> tuple[Clip, ...]:
    """Candidates with some context at each side; those that then touch become one clip.

    A clip keeps the evidence of all its candidates and the score of the best; best first.
    """
    clips: list[Clip] = []
    for candidate in sorted(candidates, key=lambda each: each.span.start):
        span = candidate.span.pad(settings.pad).clamp(duration)
        if clips and span.start <= clips[-1].span.end:
            last = clips[-1]
            better, other = (
                (last, candidate) if last.score >= candidate.score else (candidate, last)
            )
            clips[-1] = Clip(
                span=last.span.union(span),
                score=better.score,
                evidence=better.evidence + other.evidence,
            )
        else:
            clips.append(Clip(span=span, score=candidate.score, evidence=candidate.evidence))
    return tuple(sorted(clips, key=lambda clip: -clip.score))
