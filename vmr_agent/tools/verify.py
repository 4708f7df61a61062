"""verify: proposals become moments, or the answer that it is not in there (FlashMMR: verification).

Duplicates are suppressed, neighbours that are one are merged, and what does not reach the
probability asked for is turned down.
"""

from __future__ import annotations

from vmr_agent.settings import VerifySettings
from vmr_agent.types import Candidate, Evidence, Moment, Proposal, Verdict

ALIKE = 0.8  # ratio of scores from which two neighbours count as one moment


def verify(
    proposals: tuple[Proposal, ...], dropped: tuple[Candidate, ...], settings: VerifySettings
) -> Verdict:
    """Moments, best first, and what was turned down, best first (``dropped`` included)."""
    moments: list[Moment] = []
    for proposal in sorted(proposals, key=lambda each: -each.score):
        if all(proposal.span.iou(kept.span) <= settings.overlap for kept in moments):
            moments.append(_judge(proposal, settings))
    whole = _merge(moments, settings)
    accepted = [moment for moment in whole if moment.score >= settings.accept]
    rejected = [moment for moment in whole if moment.score < settings.accept]
    rejected += [_judge(candidate, settings) for candidate in dropped]
    return Verdict(
        moments=_best(accepted)[: settings.most], rejected=_best(rejected)[: settings.most]
    )


def _judge(scored: Proposal | Candidate, settings: VerifySettings) -> Moment:
    probability = min(1.0, max(0.0, scored.score))
    verdict = "verified" if probability >= settings.accept else "turned down"
    reason = Evidence(source="verification", note=verdict, score=probability)
    return Moment(span=scored.span, score=probability, evidence=(*scored.evidence, reason))


def _merge(moments: list[Moment], settings: VerifySettings) -> list[Moment]:
    """Neighbours with hardly a gap and hardly a difference in score made one."""
    merged: list[Moment] = []
    for moment in sorted(moments, key=lambda each: each.span.start):
        last = merged[-1] if merged else None
        if last is None or not _one(last, moment, settings):
            merged.append(moment)
            continue
        better, other = (last, moment) if last.score >= moment.score else (moment, last)
        evidence = better.evidence + tuple(e for e in other.evidence if e not in better.evidence)
        span = last.span.union(moment.span)
        merged[-1] = Moment(span=span, score=better.score, evidence=evidence)
    return merged


def _one(left: Moment, right: Moment, settings: VerifySettings) -> bool:
    near = right.span.start - left.span.end <= settings.merge
    low, high = sorted((left.score, right.score))
    return near and low >= ALIKE * high and (low >= settings.accept) == (high >= settings.accept)


def _best(moments: list[Moment]) -> tuple[Moment, ...]:
    return tuple(sorted(moments, key=lambda moment: (-moment.score, moment.span.start)))
