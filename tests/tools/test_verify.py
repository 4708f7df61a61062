"""Verdicts: doubles out, neighbours joined, the unlikely turned down."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelved import candidate, span

from vmr_agent.questions import Judgement
from vmr_agent.rounds import Verdict
from vmr_agent.settings import VerifySettings
from vmr_agent.tools import verify
from vmr_agent.types import QUOTED, Evidence, Proposal

SETTINGS = VerifySettings(accept=0.5, overlap=0.5, merge=1.0, most=5)


def proposed(start: float, end: float, score: float, note: str = "") -> Proposal:
    why = Evidence(source="grounding", note=note or f"{start}-{end}", score=score)
    return Proposal(span=span(start, end), score=score, evidence=(why,))


def judged(*proposals: Proposal, settings: VerifySettings = SETTINGS) -> Verdict:
    return verify(proposals, (), settings)


def brief(verdict: Verdict) -> list[tuple[float, float, float]]:
    return [(m.span.start, m.span.end, m.score) for m in verdict.moments]


def test_moments_come_best_first_and_say_that_they_were_verified() -> None:
    verdict = judged(proposed(0, 5, 0.6), proposed(20, 25, 0.9))
    assert brief(verdict) == [(20, 25, 0.9), (0, 5, 0.6)]
    last = verdict.moments[0].evidence[-1]
    assert (last.source, last.note, last.score) == ("verification", "verified", 0.9)


def test_of_equals_the_more_important_comes_first() -> None:
    def weighed(start: float, importance: float) -> Proposal:
        why = Evidence(source="caption", note="importance", score=importance)
        return proposed(start, start + 5, 0.8).because(why)

    assert [m[0] for m in brief(judged(weighed(0, 0.2), weighed(20, 0.9)))] == [20, 0]
    assert [m[0] for m in brief(judged(weighed(0, 0.9), weighed(20, 0.2)))] == [0, 20]


def test_the_unlikely_is_turned_down_and_kept_as_rejected() -> None:
    verdict = verify((proposed(0, 5, 0.49),), (candidate(8, 9, 0.2),), SETTINGS)
    assert verdict.moments == ()
    assert [m.score for m in verdict.rejected] == [0.49, 0.2]
    assert {m.evidence[-1].note for m in verdict.rejected} == {"turned down"}


def test_what_was_dropped_earlier_is_never_a_moment_again() -> None:
    verdict = verify((), (candidate(8, 9, 0.2), candidate(0, 3, 0.3)), SETTINGS)
    assert verdict.moments == ()
    assert [m.span for m in verdict.rejected] == [span(0, 3), span(8, 9)]


def test_of_two_doubles_the_better_stays() -> None:
    verdict = judged(proposed(0, 10, 0.6), proposed(2.5, 12.5, 0.9))
    assert brief(verdict) == [(2.5, 12.5, 0.9)]
    assert verdict.rejected == ()


def test_what_lies_inside_another_supports_it() -> None:
    verdict = judged(proposed(0, 10, 0.6, "seen"), proposed(4, 6, 0.9, "named"))
    assert brief(verdict) == [(0, 10, 0.9)]
    notes = [why.note for why in verdict.moments[0].evidence]
    assert notes.index("named") < notes.index("seen")


def test_words_that_were_asked_for_keep_their_own_times() -> None:
    why = Evidence(source="grounding", note=QUOTED, score=0.95, span=span(4, 6))
    words = Proposal(span=span(4, 6), score=0.95, evidence=(why,))
    assert brief(judged(proposed(0, 10, 0.6), words)) == [(4, 6, 0.95)]
    seen = Evidence(source="picture", note="looks like it", score=0.6)
    assert brief(judged(proposed(0, 10, 0.6).because(seen), words)) == [(0, 10, 0.95)]
    longer = words.model_copy(update={"span": span(1, 9)})  # no longer the words' times
    assert brief(judged(proposed(0, 10, 0.6), longer)) == [(0, 10, 0.95)]


def test_what_lies_mostly_inside_another_makes_it_longer_if_it_is_sure_itself() -> None:
    sure = judged(proposed(10, 22, 0.8), proposed(8, 13, 0.9))
    assert brief(sure) == [(8, 22, 0.9)]
    unsure = judged(proposed(10, 22, 0.8), proposed(8, 13, 0.4))
    assert brief(unsure) == [(10, 22, 0.8)]


def test_what_is_turned_down_supports_nobody_and_swallows_nobody() -> None:
    verdict = judged(proposed(0, 10, 0.3), proposed(4, 6, 0.9))
    assert brief(verdict) == [(4, 6, 0.9)]
    assert [m.span for m in verdict.rejected] == [span(0, 10)]


def test_neighbours_alike_are_one() -> None:
    verdict = judged(proposed(0, 4, 0.8, "left"), proposed(4.9, 8, 0.7, "right"))
    assert brief(verdict) == [(0, 8, 0.8)]
    assert {"left", "right"} <= {why.note for why in verdict.moments[0].evidence}


@pytest.mark.parametrize(
    ("start", "score"), [(5.1, 0.8), (4.5, 0.6)], ids=["too far", "too unlike"]
)
def test_neighbours_that_are_not_one(start: float, score: float) -> None:
    assert len(judged(proposed(0, 4, 0.8), proposed(start, 8, score)).moments) == 2


def test_a_verdict_divides_neighbours() -> None:
    verdict = judged(proposed(0, 4, 0.52), proposed(4.5, 8, 0.48))
    assert brief(verdict) == [(0, 4, 0.52)]
    assert [m.span for m in verdict.rejected] == [span(4.5, 8)]


def test_no_evidence_is_told_twice() -> None:
    same = Evidence(source="speech", note="said", score=0.7)
    one, other = (proposed(*at, 0.8).because(same) for at in ((0, 4), (4.5, 8)))
    (moment,) = judged(one, other).moments
    assert moment.evidence.count(same) == 1


def test_an_answer_has_an_end() -> None:
    many = [proposed(10 * n, 10 * n + 5, 0.9 - n / 100) for n in range(9)]
    assert len(judged(*many).moments) == 5
    assert brief(judged(*many))[0] == (0, 5, 0.9)


def test_scores_beyond_probability_are_brought_back() -> None:
    assert judged(proposed(0, 5, 1.7)).moments[0].score == 1
    assert judged(proposed(0, 5, -0.7)).rejected[0].score == 0


some = st.builds(
    lambda start, length, score: proposed(start, start + length, score),
    st.integers(0, 60),
    st.integers(1, 20),
    st.floats(0, 1),
)


@given(st.lists(some, max_size=10))
def test_any_proposals_get_a_fair_verdict(proposals: list[Proposal]) -> None:
    verdict = judged(*proposals)
    assert all(m.score >= 0.5 for m in verdict.moments)
    assert all(m.score < 0.5 for m in verdict.rejected)
    assert bool(verdict.moments) == any(p.score >= 0.5 for p in proposals)
    best = max((p.score for p in proposals), default=0)
    if verdict.moments:
        assert verdict.moments[0].score == best
    starts = {p.span.start for p in proposals}
    ends = {p.span.end for p in proposals}
    for moment in verdict.moments:
        assert moment.span.start in starts
        assert moment.span.end in ends


def test_who_was_not_asked_about_beside_others_is_no_moment() -> None:
    """Where a model has judged; what it gave no answer to goes by its score."""
    found = (proposed(0, 5, 0.9), proposed(10, 15, 0.9), proposed(20, 25, 0.9))
    told = verify(found, (), SETTINGS, judgements={0: Judgement(0.9, 0.1), 1: None})
    assert {m.span.start for m in told.moments} == {0, 10}
    assert [m.span.start for m in told.rejected] == [20]
    assert len(verify(found, (), SETTINGS).moments) == 3


def test_a_rival_that_is_as_likely_refuses_it() -> None:
    found = (proposed(0, 5, 0.9),)
    assert not verify(found, (), SETTINGS, judgements={0: Judgement(0.9, 0.9)}).moments
    assert verify(found, (), SETTINGS, judgements={0: Judgement(0.9, 0.1)}).moments


def test_what_held_in_earlier_rounds_is_counted() -> None:
    """The first of three is no longer among the proposals: the next is the second."""
    first = verify((proposed(0, 5, 0.6),), (), SETTINGS, 2)
    assert (first.moments, len(first.counted)) == ((), 1)
    later = (proposed(10, 15, 0.7), proposed(20, 25, 0.8))
    second = verify(later, (), SETTINGS, 2, counted=first.counted)
    assert [m.span.start for m in second.moments] == [10]
    assert second.counted == ()


@pytest.mark.parametrize(("occurrence", "start"), [(1, 0), (2, 10), (-1, 20), (4, None)])
def test_one_time_of_several_is_asked_for(occurrence: int, start: float | None) -> None:
    found = (proposed(10, 15, 0.7), proposed(20, 25, 0.8), proposed(0, 5, 0.6))
    told = verify(found, (), SETTINGS, occurrence)
    assert [m.span.start for m in told.moments] == ([] if start is None else [start])
    assert told.moments or told.rejected
