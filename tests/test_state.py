"""The tray's log: rooms of the front half are visited again and again, and told once."""

from __future__ import annotations

import operator
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelved import video

from vmr_agent.report import Step
from vmr_agent.room import UNTOLD
from vmr_agent.state import FRONT, Door, Heard, State, Update, Watched, logged


def step(room: str, seconds: float = 1.0, made: str = "") -> Step:
    return Step(room=room, seconds=seconds, made=made)


def brief(log: tuple[Step, ...]) -> list[tuple[str, float, str]]:
    return [(each.room, each.seconds, each.made) for each in log]


def test_visits_to_a_room_of_the_front_half_add_up_where_the_first_was() -> None:
    log = (step("detect_shots", 1), step("listen", 2))
    log = logged(log, (step("detect_shots", 4, "footage"),))
    assert brief(log) == [("detect_shots", 5, "footage"), ("listen", 2, "")]


def test_what_was_made_is_not_forgotten() -> None:
    log = logged((step("listen", 1, "sounds"),), (step("listen", 1, ""),))
    assert brief(log) == [("listen", 2, "sounds")]


@pytest.mark.parametrize("room", ["retrieve", "widen"])
def test_every_visit_to_a_room_of_the_back_half_is_a_line(room: str) -> None:
    log = logged((step(room, 1, "1"),), (step(room, 2, "2"),))
    assert brief(log) == [(room, 1, "1"), (room, 2, "2")]


def test_a_wing_hands_on_all_its_rooms_at_once() -> None:
    """And one room may be in there twice."""
    wing = (step("listen", 1), step("transcribe", 5), step("listen", 2, "sounds"))
    assert brief(logged((), wing)) == [("listen", 3, "sounds"), ("transcribe", 5, "")]
    once_more = logged(logged((), wing), wing)
    assert brief(once_more) == [("listen", 6, "sounds"), ("transcribe", 10, "")]


def test_nothing_is_changed_in_place() -> None:
    log, new = (step("listen", 1),), (step("listen", 2),)
    logged(log, new)
    assert (brief(log), brief(new)) == ([("listen", 1, "")], [("listen", 2, "")])
    assert logged(log, ()) == log


some = st.builds(step, st.sampled_from([*FRONT, "retrieve", "verify"]), st.integers(0, 9))


@given(st.lists(st.lists(some, max_size=4).map(tuple), max_size=6))
def test_no_second_is_lost_and_no_front_room_told_twice(visits: list[tuple[Step, ...]]) -> None:
    log = reduce(logged, visits, ())
    told = reduce(operator.add, visits, ())
    assert sum(each.seconds for each in log) == sum(each.seconds for each in told)
    rooms = [each.room for each in log]
    assert all(rooms.count(room) == 1 for room in FRONT if room in rooms)
    assert [r for r in rooms if r not in FRONT] == [s.room for s in told if s.room not in FRONT]


def test_the_wings_and_their_door_are_parts_of_the_tray() -> None:
    fields = set(State.model_fields)
    assert set(Door.__annotations__) | set(Watched.__annotations__) <= fields
    assert set(Heard.__annotations__) <= fields
    assert set(Update.__annotations__) == fields - {"video", "request"}
    assert set(UNTOLD) <= fields
    assert set(Watched.__annotations__) & set(Heard.__annotations__) == {"steps"}, (
        "two wings at once may not write the same key"
    )


def test_a_new_tray_has_nothing_done() -> None:
    tray = State(video=video())
    assert (tray.reel, tray.block, tray.reels_done, tray.blocks_done) == (-1, -1, False, False)
    assert tray.steps == tray.faults == ()
