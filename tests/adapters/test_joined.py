"""Two grounders as one, on grounders that say what they are told to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmr_agent.adapters.joined import JUDGED, SAME, JoinedGrounder, Judge
from vmr_agent.errors import MachineError
from vmr_agent.grounding.fusion import EVEN, Fusion
from vmr_agent.protocols import Bounded, Grounder, GroundReply, GroundRequest
from vmr_agent.types import Span

CLIP = Span(start=0, end=100)
FUSION = Fusion(bias=-0.2, small=0.7, large=0.4, pairs=50, data="by hand")
REQUEST = GroundRequest(
    text="a red car",
    clips=(CLIP,),
    duration=100.0,
    step=0.5,
    channels=(),
    curves=np.zeros((0, 200), np.float32),
    cuts=(),
    candidates=(),
    look=lambda _: (),
)


class Says:
    """A grounder with one answer."""

    def __init__(self, name: str, reply: GroundReply) -> None:
        self.name, self.reply = name, reply

    def ground(self, request: GroundRequest) -> GroundReply:
        assert request is REQUEST
        return self.reply


class Judges(Says):
    """One that has a word on every window that starts in the first half of the film."""

    def judge(
        self, request: GroundRequest, windows: Sequence[Span]
    ) -> tuple[GroundReply, tuple[float | None, ...]]:
        self.asked = windows
        return self.reply, tuple(0.9 if span.start < 50 else None for span in windows)


def windows(*told: tuple[float, float, float]) -> tuple[Bounded, ...]:
    return tuple(Bounded(Span(start=start, end=end), chance) for start, end, chance in told)


def joined(few: GroundReply, many: GroundReply, judges: bool = False) -> GroundReply:
    large = Judges("large", many) if judges else Says("large", many)
    grounder: Grounder = JoinedGrounder(Says("small", few), large, FUSION)
    return grounder.ground(REQUEST)


def test_duplicates_become_one_with_the_surer_ones_boundaries() -> None:
    few = GroundReply(windows((10, 20, 0.8), (40, 50, 0.3)), 0.7)
    many = GroundReply(windows((41, 51, 0.6), (11, 20, 0.5), (70, 75, 0.4)), 0.9)
    reply = joined(few, many)
    assert {moment.span: moment.chance for moment in reply.moments} == {
        Span(start=10, end=20): FUSION.fused(0.8, 0.5),
        Span(start=41, end=51): FUSION.fused(0.3, 0.6),
        Span(start=70, end=75): 0.4,
    }
    chances = [moment.chance for moment in reply.moments]
    assert chances == sorted(chances, reverse=True)
    assert reply.present == FUSION.fused(0.7, 0.9)


def test_the_nearest_pairs_are_the_same_and_nobody_twice() -> None:
    few = GroundReply(windows((10, 20, 0.9), (12, 22, 0.8)), 0.9)
    many = GroundReply(windows((12, 22, 0.7)), 0.9)
    assert joined(few, many).moments == (
        *windows((10, 20, 0.9)),
        Bounded(Span(start=12, end=22), FUSION.fused(0.8, 0.7)),
    )


def test_a_judge_has_a_word_on_what_it_did_not_name() -> None:
    few = GroundReply(windows((10, 20, 0.5), (60, 70, 0.4)), 0.5)
    reply = joined(few, GroundReply((), 0.1), judges=True)
    assert reply.moments == (
        Bounded(Span(start=10, end=20), FUSION.fused(0.5, 0.9)),
        *windows((60, 70, 0.4)),
    )


def test_a_judge_is_asked_about_the_best_alone() -> None:
    told = windows(*((place, place + 2, 0.9 - place / 100) for place in range(0, 40, 3)))
    large = Judges("large", GroundReply((), 0.5))
    reply = JoinedGrounder(Says("small", GroundReply(told, 0.9)), large, FUSION).ground(REQUEST)
    assert list(large.asked) == [each.span for each in told[:JUDGED]]
    assert len(reply.moments) == len(told)
    assert set(told[JUDGED:]) <= set(reply.moments)
    assert isinstance(large, Judge)


def test_numbers_of_moments_are_scaled_to_what_both_hold() -> None:
    few = GroundReply((), 0.4, (0.6, 0.3, 0.1))
    reply = joined(few, GroundReply((), 0.9))
    assert reply.number[0] == pytest.approx(1 - reply.present)
    assert sum(reply.number) == pytest.approx(1)
    assert reply.number[1] == pytest.approx(3 * reply.number[2])
    assert joined(GroundReply((), 0.0, (1.0, 0.0)), GroundReply((), 0.9)).number == ()


def test_presence_may_be_fused_otherwise() -> None:
    small, large = Says("small", GroundReply((), 0.2)), Says("large", GroundReply((), 0.9))
    reply = JoinedGrounder(small, large, FUSION, present=EVEN).ground(REQUEST)
    assert reply.present == EVEN.fused(0.2, 0.9)


def test_its_name_tells_who_and_how_much() -> None:
    small, large = Says("small", GroundReply((), 0)), Says("large", GroundReply((), 0))
    name = JoinedGrounder(small, large, FUSION).name
    assert "small + large" in name
    assert name != JoinedGrounder(small, large, EVEN).name
    assert name != JoinedGrounder(small, large, FUSION, present=EVEN).name


def test_no_answer_of_one_is_passed_off_as_that_of_both() -> None:
    class Fails(Says):
        def ground(self, request: GroundRequest) -> GroundReply:
            raise MachineError("it does not fit")

    nothing = GroundReply((), 0.5)
    for small, large in (
        (Says("small", nothing), Fails("large", nothing)),
        (Fails("small", nothing), Says("large", nothing)),
    ):
        with pytest.raises(MachineError, match="does not fit"):
            JoinedGrounder(small, large, FUSION).ground(REQUEST)


REPLIES = st.lists(
    st.tuples(st.integers(0, 90), st.integers(1, 10), st.floats(0, 1)), max_size=8
).map(lambda told: GroundReply(windows(*((a, a + b, c) for a, b, c in told)), 0.5))


@given(REPLIES, REPLIES, st.booleans())
def test_every_window_is_one_of_theirs_and_none_is_lost(
    few: GroundReply, many: GroundReply, judges: bool
) -> None:
    reply = joined(few, many, judges)
    told = [each.span for each in (*few.moments, *many.moments)]
    spans = [each.span for each in reply.moments]
    assert set(spans) <= set(told)
    assert max(len(few.moments), len(many.moments)) <= len(spans) <= len(told)
    for span in told:
        assert any(span.iou(each) >= SAME for each in spans)
    chances = [each.chance for each in reply.moments]
    assert chances == sorted(chances, reverse=True)
