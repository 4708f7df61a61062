"""filter_relevance: which candidates show what was asked for (SMORE: QA filter).

Without a chat model the question is put to the scores, with hysteresis: sure ones stay, hopeless
ones go, and those in between need a good rank.
"""

from __future__ import annotations

from vmr_agent.rounds import Sieve
from vmr_agent.settings import FilterSettings
from vmr_agent.types import Candidate, Evidence


def filter_relevance(candidates: tuple[Candidate, ...], settings: FilterSettings) -> Sieve:
    """Candidates told apart; both parts keep the order they came in, best first."""
    kept: list[Candidate] = []
    dropped: list[Candidate] = []
    for rank, candidate in enumerate(candidates):
        between = candidate.score >= settings.drop and rank < settings.ranks
        if candidate.score >= settings.keep or between:
            note = "relevant by score" if candidate.score >= settings.keep else "relevant by rank"
            reason = Evidence(
                source="relevance", note=note, score=candidate.score, span=candidate.span
            )
            kept.append(candidate.because(reason))
        else:
            dropped.append(candidate)
    return Sieve(kept=tuple(kept), dropped=tuple(dropped))
