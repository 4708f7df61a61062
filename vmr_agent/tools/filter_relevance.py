"""filter_relevance: which candidates show what was asked for (SMORE: QA filter).

With hysteresis: sure ones stay, hopeless ones go, and those in between need a good rank. Where no
chat model has been asked, the question is put to the scores.
"""

from __future__ import annotations

from collections.abc import Mapping

from vmr_agent.rounds import Sieve
from vmr_agent.settings import FilterSettings
from vmr_agent.types import Candidate, Evidence


def filter_relevance(
    candidates: tuple[Candidate, ...],
    settings: FilterSettings,
    votes: Mapping[int, float] = {},
) -> Sieve:
    """Candidates told apart; both parts keep the order they came in, best first.

    ``votes`` are a chat model's, in [0, 1], by place in ``candidates``.
    """
    passed: list[Candidate] = []
    failed: list[Candidate] = []
    for rank, candidate in enumerate(candidates):
        relevance = votes.get(rank, candidate.score)
        sure = relevance >= settings.keep
        between = relevance >= settings.drop and rank < settings.ranks
        by = "by what a model sees in it" if rank in votes else "by score" if sure else "by rank"
        word = "relevant" if sure or between else "not relevant"
        told = _because(candidate, f"{word} {by}", relevance)
        (passed if sure or between else failed).append(told)
    few = settings.ranks if not passed else 0
    kept = passed or [
        _because(each, "kept though it did not pass", each.score) for each in failed[:few]
    ]
    return Sieve(kept=tuple(kept), dropped=tuple(failed[few:]), passing=bool(passed))


def _because(candidate: Candidate, note: str, score: float) -> Candidate:
    reason = Evidence(source="relevance", note=note, score=score, span=candidate.span)
    return candidate.because(reason)
