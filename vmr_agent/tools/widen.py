"""widen: look again after a search in vain, more finely and at more places (SpotVMR: rounds)."""

from __future__ import annotations

from vmr_agent.intervals import joined
from vmr_agent.rounds import Horizon, Retrieval, Verdict
from vmr_agent.types import Moment, Query


def widen(
    horizon: Horizon, retrieval: Retrieval, verdict: Verdict, query: Query | None = None
) -> Horizon:
    """The next round; remembers the best that was turned down so far, and where it was looked.

    ``query`` is the question in other words, if there are any.
    """
    best = max(nearest(horizon, verdict), key=lambda each: each.score, default=None)
    looked = joined([*horizon.looked, *(each.span for each in retrieval.candidates)])
    return Horizon(
        round=horizon.round + 1,
        rejected=best,
        counted=verdict.counted,
        query=query,
        looked=looked,
    )


def nearest(horizon: Horizon, verdict: Verdict) -> list[Moment]:
    """What was turned down in this round, and the best of those before it."""
    known = [horizon.rejected, *verdict.rejected]
    return [each for each in known if each is not None]
