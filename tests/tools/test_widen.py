"""The staircase: one round more, and the best of what was turned down is remembered."""

from __future__ import annotations

from shelved import candidate, span

from vmr_agent.rounds import Horizon, Retrieval, Verdict
from vmr_agent.tools import widen
from vmr_agent.types import Moment


def moment(score: float) -> Moment:
    return Moment(span=span(0, 1), score=score)


NOTHING = Retrieval(curves="c", candidates=())


def test_every_climb_is_one_round() -> None:
    once = widen(Horizon(), NOTHING, None)
    assert once == Horizon(round=2, rejected=None)
    assert widen(once, NOTHING, None).round == 3


def test_without_a_verdict_the_best_candidate_is_remembered() -> None:
    found = Retrieval(curves="c", candidates=(candidate(4, 6, 0.4), candidate(8, 9, 0.2)))
    best = widen(Horizon(), found, None).rejected
    assert best is not None
    assert (best.span, best.score) == (span(4, 6), 0.4)


def test_the_best_of_all_rounds_is_remembered() -> None:
    verdict = Verdict(moments=(), rejected=(moment(0.3), moment(0.1)))
    better, worse = Horizon(round=2, rejected=moment(0.4)), Horizon(rejected=moment(0.2))
    assert widen(better, NOTHING, verdict).rejected == moment(0.4)
    assert widen(worse, NOTHING, verdict).rejected == moment(0.3)


def test_a_score_is_no_probability_yet() -> None:
    best = widen(Horizon(), Retrieval(curves="c", candidates=(candidate(4, 6, 1.4),)), None)
    assert best.rejected is not None
    assert best.rejected.score == 1
