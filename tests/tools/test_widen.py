"""The staircase: one round more, and the best of what was turned down is remembered."""

from __future__ import annotations

from shelved import candidate, span

from vmr_agent.rounds import Horizon, Retrieval, Verdict
from vmr_agent.tools import widen
from vmr_agent.types import Moment


def moment(score: float) -> Moment:
    return Moment(span=span(0, 1), score=score)


NOTHING = Retrieval(curves="c", candidates=())
IN_VAIN = Verdict(moments=(), rejected=())


def test_every_climb_is_one_round() -> None:
    once = widen(Horizon(), NOTHING, IN_VAIN)
    assert once == Horizon(round=2, rejected=None)
    assert widen(once, NOTHING, IN_VAIN).round == 3


def test_the_best_of_all_rounds_is_remembered() -> None:
    verdict = Verdict(moments=(), rejected=(moment(0.3), moment(0.1)))
    better, worse = Horizon(round=2, rejected=moment(0.4)), Horizon(rejected=moment(0.2))
    assert widen(better, NOTHING, verdict).rejected == moment(0.4)
    assert widen(worse, NOTHING, verdict).rejected == moment(0.3)


def test_what_held_is_counted_on_from() -> None:
    verdict = Verdict(moments=(), rejected=(moment(0.9),), counted=(moment(0.9),))
    assert widen(Horizon(), NOTHING, verdict).counted == (moment(0.9),)


def test_it_is_remembered_where_it_was_looked() -> None:
    found = Retrieval(curves="c", candidates=(candidate(4, 6, 0.4), candidate(8, 9, 0.2)))
    assert widen(Horizon(looked=(span(5, 8),)), found, IN_VAIN).looked == (span(4, 9),)
