"""Boundaries: where the curve falls, where the cuts are, where the words are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from shelved import film, span

from vmr_agent.artefacts import Curves
from vmr_agent.channels import MEANT, VERBATIM
from vmr_agent.film import Film
from vmr_agent.protocols import Array, Bounded, GroundReply
from vmr_agent.settings import GroundSettings
from vmr_agent.tools import ground, placed
from vmr_agent.types import Channel, Clip, Evidence, Proposal, Span

STEP = 0.5
# Given, not the defaults: those are calibrated now and then.
SETTINGS = GroundSettings(
    fall=0.5, bridge=1.5, snap=1.0, stretch=1.6, glimpse=0.5, faint=0.5, min_length=0.5
)


def curve(*bumps: tuple[float, float, float], count: int = 40, step: float = STEP) -> Array:
    out = np.zeros(count, np.float32)
    for start, end, height in bumps:
        out[round(start / step) : round(end / step)] = height
    return out


def grounded(
    where: Span,
    *rows: Array,
    channels: tuple[Channel, ...] = ("picture", "speech"),
    shelved: Film | None = None,
    step: float = STEP,
    evidence: tuple[Evidence, ...] = (),
    notes: tuple[tuple[Channel, Span, str], ...] = (),
) -> tuple[Proposal, ...]:
    clip = Clip(span=where, score=0.5, evidence=evidence)
    found = Curves(step=step, channels=channels[: len(rows)], notes=notes)
    return ground(clip, shelved or film(20), found, np.stack(rows), SETTINGS)


def test_a_proposal_ends_where_the_curve_has_fallen_half_way() -> None:
    slope = curve((4, 5, 0.3), (5, 9, 0.9), (9, 10, 0.5), (10, 12, 0.4))
    (only,) = grounded(span(2, 14), slope)
    assert only.span == span(5, 10)
    assert only.evidence[-1].source == "grounding"
    assert only.evidence[-1].note == "boundaries from the picture curve"


def test_a_clip_can_hold_several() -> None:
    found = grounded(span(0, 20), curve((2, 4, 0.8), (8, 11, 0.9), (15, 16, 0.3)))
    assert [each.span for each in found] == [span(8, 11), span(2, 4)]


def test_without_a_curve_there_is_no_boundary() -> None:
    """Words are asked for in a film that has none: a model looked all the same."""
    clip = Clip(span=span(2, 9), score=0.5)
    found = Curves(step=STEP, channels=())
    assert ground(clip, film(20), found, np.zeros((0, 40), np.float32), SETTINGS) == ()
    why = Evidence(source="relevance", note="relevant", score=0.9, span=span(3, 8))
    (only,) = ground(clip.because(why), film(20), found, np.zeros((0, 40), np.float32), SETTINGS)
    assert only.span == span(3, 8)


def test_what_lies_outside_the_clip_does_not_count() -> None:
    rows = curve((2, 9, 0.6), (15, 18, 0.9))
    (only,) = grounded(span(4, 8), rows)
    assert only.span == span(4, 8)
    assert grounded(span(10, 14), rows) == ()


def test_ends_of_what_is_seen_move_to_cuts_that_are_near() -> None:
    shelved = film(20, cuts=(4.4, 9.7, 14))
    (only,) = grounded(span(2, 16), curve((5, 9, 0.9)), shelved=shelved)
    assert only.span == span(4.4, 9.7)
    (only,) = grounded(span(2, 16), curve((6, 8, 0.9)), shelved=shelved)
    assert only.span == span(6, 8)


def test_a_mention_grows_to_its_shots_unless_they_are_much_longer() -> None:
    silent = np.zeros(40, np.float32)
    told = curve((5, 9, 0.8))
    (only,) = grounded(span(2, 16), silent, told, shelved=film(20, cuts=(4, 7, 10)))
    assert only.span == span(4, 10)
    (only,) = grounded(span(2, 16), silent, told, shelved=film(20, cuts=(1, 15)))
    assert only.span == span(5, 9)


def test_a_quotation_keeps_its_own_times() -> None:
    silent = np.zeros(40, np.float32)
    told = curve((5, 9, VERBATIM))
    (only,) = grounded(span(2, 16), silent, told, shelved=film(20, cuts=(4.5, 9.5)))
    assert only.span == span(5, 9)
    assert only.evidence[-1].note == "boundaries of the words"
    (only,) = grounded(span(2, 16), silent, curve((5, 9, MEANT)))
    assert only.evidence[-1].note == "boundaries from the speech curve"
    (only,) = grounded(span(2, 16), curve((5, 9, 0.99)), channels=("text",))
    assert only.evidence[-1].note == "boundaries of the words"
    (only,) = grounded(span(2, 16), curve((5, 9, 0.99)))
    assert only.evidence[-1].note == "boundaries from the picture curve"


def test_a_quotation_has_its_times_to_the_word_not_to_the_step() -> None:
    notes: tuple[tuple[Channel, Span, str], ...] = (
        ("text", span(5.1, 8.7), "FIRST AID"),
        ("text", span(0, 20), "LIVE"),
        ("speech", span(5.3, 8), "first aid"),
    )
    written = curve((5, 9, VERBATIM), (9, 12, MEANT))
    shelved = film(20, cuts=(4.5, 9.2))
    (only,) = grounded(span(2, 16), written, channels=("text",), shelved=shelved, notes=notes)
    assert only.span == span(5.1, 8.7)
    assert only.evidence[-1].note == "boundaries of the words"


def test_the_score_is_the_mean_inside_and_a_glimpse_counts_less() -> None:
    silent = np.zeros(40, np.float32)
    (heard,) = grounded(span(0, 20), silent, curve((5, 6, 0.8)))
    assert heard.score == pytest.approx(0.8)
    (brief,) = grounded(span(0, 20), curve((5, 6, 0.8)))
    (lasting,) = grounded(span(0, 20), curve((5, 15, 0.8)))
    assert brief.score == pytest.approx(0.8 * 1 / 1.5)
    assert lasting.score == pytest.approx(0.8 * 10 / 10.5)


@given(st.integers(0, 90), st.integers(8, 90), st.sampled_from([0.1, 0.2, 0.3, 0.7]))
def test_a_score_is_of_whole_steps_whatever_rounding_does(
    first: int, length: int, step: float
) -> None:
    """3 * 0.1 / 0.1 is more than 3, and one silent step too many would water the mean down."""
    rows = np.zeros((1, 200), np.float32)
    rows[0, first : first + length] = 0.9
    shelved = film(200 * step, cuts=(199 * step,))
    clip = Clip(span=span(0, 200 * step), score=0.9)
    found = Curves(step=step, channels=("speech",))
    settings = SETTINGS.model_copy(update={"bridge": 0.0})
    (only,) = ground(clip, shelved, found, rows, settings)
    assert only.score == pytest.approx(0.9)


def test_a_blink_is_no_moment() -> None:
    rows = curve((5, 5.2, 0.9), count=100, step=0.2)
    assert grounded(span(0, 20), rows, step=0.2) == ()


def test_a_film_that_is_relevant_throughout_is_one_proposal() -> None:
    (only,) = grounded(span(0, 20), np.full(40, 0.9, np.float32))
    assert only.span == span(0, 20)


def test_only_evidence_from_there_comes_along() -> None:
    here = Evidence(source="picture", note="here", score=0.9, span=span(5, 9))
    there = Evidence(source="picture", note="there", score=0.9, span=span(15, 18))
    general = Evidence(source="caption", note="general", score=0.9)
    (only,) = grounded(span(2, 19), curve((5, 9, 0.9)), evidence=(here, there, general))
    assert [reason.note for reason in only.evidence[:-1]] == ["here", "general"]


def test_what_a_model_has_seen_is_not_lost_beside_what_the_curves_know() -> None:
    def confirmed(start: float, end: float) -> Evidence:
        return Evidence(source="relevance", note="relevant", score=0.9, span=span(start, end))

    row = curve((4, 6, 0.9), (13, 14, 0.3))
    both = (confirmed(3, 7), confirmed(12, 16))
    found = grounded(span(2, 18), row, evidence=both)
    assert [each.span for each in found] == [span(12, 16), span(4, 6)]
    assert found[0].evidence[:-1] == both[1:]
    assert found[0].evidence[-1].note == "boundaries as looked at"
    (only,) = grounded(span(2, 18), row, evidence=both[:1])
    assert only.span == span(4, 6)
    (only,) = grounded(span(8, 18), row, evidence=both[1:])
    assert only.span == span(12, 16)


def proposal(start: float, end: float, score: float, note: str = "") -> Proposal:
    """What the hand rules would propose, its boundaries from the picture unless said otherwise."""
    note = note or "boundaries from the picture curve"
    why = Evidence(source="grounding", note=note, score=score, span=span(start, end))
    return Proposal(span=span(start, end), score=score, evidence=(why,))


def reply(
    *moments: tuple[float, float, float],
    present: float = 0.9,
    number: tuple[float, ...] = (),
    saw: bool = True,
) -> GroundReply:
    found = tuple(Bounded(span(a, b), c) for a, b, c in moments)
    return GroundReply(found, present, number, saw=saw)


CLIPS = (Clip(span=span(0, 20), score=0.5), Clip(span=span(30, 50), score=0.4))


def test_a_grounders_moments_take_the_place_of_what_rules_propose() -> None:
    ruled = (proposal(2, 9, 0.8), proposal(33, 36, 0.6))
    found = placed(CLIPS, ruled, reply((3, 8, 0.7), (32, 40, 0.6)))
    assert [each.span for each in found] == [span(3, 8), span(32, 40)]
    model, there = found[0].evidence[-2:]
    assert (model.source, model.note, model.score) == (
        *("grounding", "boundaries from the grounding model"),
        0.7,
    )
    assert (there.note, there.score) == ("how likely there is any", 0.9)


def test_one_that_has_seen_nothing_moves_what_rules_propose_and_judges_nothing() -> None:
    ruled = (proposal(2, 9, 0.8), proposal(33, 36, 0.9), proposal(46, 48, 0.3))
    found = placed(CLIPS, ruled, reply((3, 8, 0.7), (32, 37, 0.1), (12, 18, 0.9), saw=False))
    told = {each.span: each.score for each in found}
    assert told == {span(3, 8): 0.8, span(32, 37): 0.9, span(46, 48): 0.3}
    moved = next(each for each in found if each.span == span(3, 8))
    assert [why.note for why in moved.evidence] == [
        "boundaries from the picture curve",
        "boundaries from the grounding model",
    ]


def test_no_two_proposals_are_moved_to_the_same_place() -> None:
    ruled = (proposal(2, 9, 0.8), proposal(3, 10, 0.7))
    found = placed(CLIPS, ruled, reply((3, 8, 0.7), saw=False))
    assert sorted((each.span.start, each.span.end) for each in found) == [(3, 8), (3, 10)]


def test_where_a_grounder_has_nothing_to_say_rules_do() -> None:
    ruled = (proposal(2, 9, 0.8),)
    assert placed(CLIPS, ruled, reply(present=0.0)) == ruled


@pytest.mark.parametrize("note", ["boundaries of the words", "boundaries as looked at"])
def test_what_was_quoted_or_seen_keeps_its_times_and_its_score(note: str) -> None:
    own = proposal(4, 6, 0.95, note)
    found = placed(CLIPS, (own, proposal(32, 40, 0.7)), reply((3, 8, 0.7), (33, 40, 0.6)))
    assert [each.span for each in found] == [span(4, 6), span(33, 40)]
    assert found[0] == own


def test_words_within_something_seen_do_not_stand_for_it() -> None:
    """ "A cup of coffee stands on the table", says somebody; it stands there for much longer."""
    own, seen = proposal(4, 6, 0.95, "boundaries of the words"), proposal(2, 14, 0.7)
    found = placed(CLIPS, (own, seen), reply((2, 13, 0.7)))
    assert [each.span for each in found] == [span(4, 6), span(2, 13)]


def test_only_evidence_from_there_comes_with_a_grounders_moment() -> None:
    here = Evidence(source="picture", note="here", score=0.9, span=span(32, 36))
    there = Evidence(source="picture", note="there", score=0.9, span=span(44, 46))
    clips = (CLIPS[0], CLIPS[1].because(here, there))
    (only,) = placed(clips, (), reply((31, 37, 0.8)))
    assert [why.note for why in only.evidence[:-2]] == ["here"]


def test_a_moment_is_as_likely_as_that_there_are_so_many() -> None:
    moments = ((3, 8, 0.6), (10, 14, 0.6), (32, 40, 0.3))
    number = (0.1, 0.2, 0.5, 0.2)
    scores = [each.score for each in placed(CLIPS, (), reply(*moments, number=number))]
    assert scores == pytest.approx([0.9, 0.7, 0.2])
    few = (0.1, 0.0, 0.0, 0.9)
    scores = [each.score for each in placed(CLIPS, (), reply(*moments, number=few))]
    assert scores == pytest.approx([0.9, 0.9, 0.45])


def test_where_nobody_has_counted_each_goes_by_its_own_chance() -> None:
    scores = [each.score for each in placed(CLIPS, (), reply((3, 8, 0.95), (32, 40, 0.3)))]
    assert scores == pytest.approx([0.9, 0.3])


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=9).map(lambda each: sorted(each)[::-1]),
    st.lists(st.floats(0, 1), min_size=2, max_size=7).filter(any),
)
def test_likelihoods_are_probabilities_and_fall(chances: list[float], masses: list[float]) -> None:
    number = tuple(mass / sum(masses) for mass in masses)
    moments = [(n, n + 0.5, chance) for n, chance in enumerate(chances)]
    found = placed(CLIPS, (), reply(*moments, present=1 - number[0], number=number))
    scores = [each.score for each in found]
    assert all(0 <= score <= 1 for score in scores)
    assert scores == sorted(scores, reverse=True)


@given(
    arrays(
        np.float32, st.tuples(st.integers(1, 2), st.just(40)), elements=st.floats(0, 1, width=32)
    ),
    st.integers(0, 35),
    st.integers(2, 40),
)
def test_any_curve_is_grounded_within_the_film(rows: Array, first: int, length: int) -> None:
    duration = 19.8
    where = span(first * STEP, min(duration, (first + length) * STEP))
    found = grounded(where, *rows, shelved=film(duration, cuts=(3.3, 7.1, 16)))
    for each in found:
        assert 0 <= each.span.start < each.span.end <= duration
        assert 0 <= each.score <= 1
        assert each.span.length >= SETTINGS.min_length
        assert each.evidence[-1].source == "grounding"
