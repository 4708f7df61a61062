"""verify: proposals become moments, or the answer that it is not in there (FlashMMR: verification).

Duplicates are suppressed, neighbours that are one are merged, and what does not reach the
probability asked for is turned down. Where a chat model has judged, its word and the local score
are weighed together, and it can refuse.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from vmr_agent.intervals import chosen
from vmr_agent.questions import Judgement
from vmr_agent.rounds import Verdict
from vmr_agent.settings import VerifySettings
from vmr_agent.types import QUOTED, Candidate, Evidence, Moment, Proposal, Span

INSIDE = 0.8  # share of a moment within another from which it is part of it
MOSTLY = 0.5  # share from which the two are one and reach as far as both
UNSURE = 0.02  # probability that is never gone below, nor above its opposite
REFUSED = 0.9  # share of what must be reached that a refused proposal has at most
DROPPED = 0.8  # the same of a candidate that did not pass
ALIKE = 0.8  # ratio of scores from which two neighbours count as one moment


def verify(
    proposals: tuple[Proposal, ...],
    dropped: tuple[Candidate, ...],
    settings: VerifySettings,
    occurrence: int = 0,
    judgements: Mapping[int, Judgement | None] = {},
    counted: Sequence[Moment] = (),
) -> Verdict:
    """Moments, best first, and what was turned down, best first (``dropped`` included).

    ``occurrence`` is the one that is asked for: 1 the first, -1 the last, 0 for all.
    ``judgements`` are a chat model's, by place in ``proposals``: None where it did not answer, and
    nothing of what it was not asked about. ``counted`` is what held in earlier rounds.
    """
    judged = [
        _judge(each, settings, judgements.get(n))
        if n in judgements or not judgements
        else _unheard(each, settings)
        for n, each in enumerate(proposals)
    ]
    whole = _merge(_suppress([*counted, *judged], settings), settings)
    accepted = [moment for moment in whole if moment.score >= settings.accept]
    rejected = [moment for moment in whole if moment.score < settings.accept]
    rejected += [_dropped(candidate, settings) for candidate in dropped]
    in_order = tuple(sorted(accepted, key=lambda moment: moment.span.start))
    asked = chosen(in_order, occurrence)
    missed = () if asked else in_order
    return Verdict(
        moments=_best(asked)[: settings.most],
        rejected=_best([*rejected, *missed])[: settings.most],
        counted=missed,
    )


def _judge(
    scored: Proposal | Candidate, settings: VerifySettings, judgement: Judgement | None = None
) -> Moment:
    probability = min(1.0, max(0.0, scored.score))
    said = ""
    if judgement is not None:
        probability = _together(judgement.chance, probability, settings.trust)
        said = f", a model sees it at {judgement.chance:.0%}"
        if judgement.chance - judgement.rival < settings.margin:
            probability = min(probability, REFUSED * settings.accept)
            said += f" and something else at {judgement.rival:.0%}"
    verdict = "verified" if probability >= settings.accept else "turned down"
    reason = Evidence(source="verification", note=f"{verdict}{said}", score=probability)
    return Moment(span=scored.span, score=probability, evidence=(*scored.evidence, reason))


def _unheard(proposal: Proposal, settings: VerifySettings) -> Moment:
    """What a model was not asked about, beside so many others, is no moment by its score alone."""
    return _at_most(REFUSED, proposal, settings)


def _dropped(candidate: Candidate, settings: VerifySettings) -> Moment:
    """What did not even become a proposal is less likely than what is turned down."""
    return _at_most(DROPPED, candidate, settings)


def _at_most(share: float, scored: Proposal | Candidate, settings: VerifySettings) -> Moment:
    most = share * settings.accept
    return _judge(scored.model_copy(update={"score": min(scored.score, most)}), settings)


def _together(chance: float, local: float, trust: float) -> float:
    """The two probabilities' log-odds, weighed; neither is ever quite certain."""

    def odds(share: float) -> float:
        share = min(1 - UNSURE, max(UNSURE, share))
        return math.log(share / (1 - share))

    return 1 / (1 + math.exp(-(trust * odds(chance) + (1 - trust) * odds(local))))


def _suppress(moments: list[Moment], settings: VerifySettings) -> list[Moment]:
    """Duplicates out, best first. What lies mostly inside another accepted moment supports it.

    So a thing that is seen for ten seconds and named for two is one moment of ten seconds; but
    where words alone were asked for, they are there as long as they are.
    """
    kept: list[Moment] = []
    for moment in sorted(
        moments, key=lambda each: (-each.span.length, -each.score, each.span.start)
    ):
        host = next((i for i, each in enumerate(kept) if _inside(moment, each, settings)), None)
        if host is None:
            kept.append(moment)
        else:
            kept[host] = _joined(kept[host], moment, _reach(kept[host], moment, settings))
    distinct: list[Moment] = []
    for moment in _best(kept):
        if all(moment.span.iou(other.span) <= settings.overlap for other in distinct):
            distinct.append(moment)
    return distinct


def _reach(host: Moment, moment: Moment, settings: VerifySettings) -> Span:
    """As far as both, if both are sure; words have times of their own where nothing is seen."""
    if moment.score < settings.accept:
        return host.span
    if _is_quoted(moment) and not (_is_quoted(host) or _is_seen(host)):
        return moment.span
    return host.span.union(moment.span)


def _is_seen(moment: Moment) -> bool:
    return any(why.source == "picture" for why in moment.evidence)


def _is_quoted(moment: Moment) -> bool:
    return any(why.note == QUOTED and why.span == moment.span for why in moment.evidence)


def _inside(moment: Moment, host: Moment, settings: VerifySettings) -> bool:
    """Doubles, alike in both ends, are not meant: of those the better stays."""
    share = moment.span.overlap(host.span) / moment.span.length
    apart = moment.span.iou(host.span) <= settings.overlap
    return host.score >= settings.accept and (share >= INSIDE or (share >= MOSTLY and apart))


def _joined(left: Moment, right: Moment, span: Span) -> Moment:
    """One moment of two: the better score, all evidence once, the better one's first."""
    better, other = (left, right) if left.score >= right.score else (right, left)
    evidence = better.evidence + tuple(e for e in other.evidence if e not in better.evidence)
    return Moment(span=span, score=better.score, evidence=evidence)


def _merge(moments: list[Moment], settings: VerifySettings) -> list[Moment]:
    """Neighbours with hardly a gap and hardly a difference in score made one."""
    merged: list[Moment] = []
    for moment in sorted(moments, key=lambda each: each.span.start):
        last = merged[-1] if merged else None
        if last is None or not _one(last, moment, settings):
            merged.append(moment)
            continue
        merged[-1] = _joined(last, moment, last.span.union(moment.span))
    return merged


def _one(left: Moment, right: Moment, settings: VerifySettings) -> bool:
    near = right.span.start - left.span.end <= settings.merge
    low, high = sorted((left.score, right.score))
    return near and low >= ALIKE * high and (low >= settings.accept) == (high >= settings.accept)


def _best(moments: Sequence[Moment]) -> tuple[Moment, ...]:
    """Of those that are as likely the more important first (SMORE: ``S_q``)."""
    return tuple(sorted(moments, key=lambda m: (-m.score, -m.importance, m.span.start)))
