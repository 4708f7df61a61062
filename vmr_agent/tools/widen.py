"""widen: look again after a search in vain, more finely and at more places (SpotVMR: rounds)."""

from __future__ import annotations

from vmr_agent.rounds import Horizon, Retrieval, Verdict
from vmr_agent.types import Moment


def widen(horizon: Horizon, retrieval: Retrieval, verdict: Verdict | None) -> Horizon:
    """The next round; remembers the best that was turned down so far."""
    candidates = [
        Moment(span=each.span, score=min(1.0, each.score), evidence=each.evidence)
        for each in retrieval.candidates
    ]
    known = [horizon.rejected, *(verdict.rejected if verdict else candidates)]
    best = max((m for m in known if m), key=lambda moment: moment.score, default=None)
    return Horizon(round=horizon.round + 1, rejected=best)
