"""Frames are shared among shots by relevance, and never more than there may be."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vmr_agent.looks import looks
from vmr_agent.types import Shot, Span


def span(start: float, end: float) -> Span:
    return Span(start=start, end=end)


def shots(*cuts: float) -> list[Shot]:
    return [Shot(span=span(a, b)) for a, b in pairwise(cuts)]


def test_every_shot_has_one_and_the_rest_go_to_the_relevant() -> None:
    (one, other) = looks([span(0, 10), span(20, 30)], [0.9, 0.1], shots(0, 4, 10, 20, 30), 9)
    assert len(one) == 8
    assert other == (25.0,)
    assert sum(time < 4 for time in one) == sum(time > 4 for time in one) == 4


def test_neighbouring_shots_share_when_there_are_too_many() -> None:
    (times,) = looks([span(0, 10)], [0.5], shots(*range(11)), 4)
    assert len(times) == 4


def test_the_best_are_looked_at_when_there_are_too_many_places() -> None:
    places = [span(n, n + 1) for n in range(6)]
    found = looks(places, [0.1, 0.9, 0.2, 0.8, 0.3, 0.7], shots(0, 6), 3)
    assert [len(each) for each in found] == [0, 1, 0, 1, 0, 1]


def test_where_only_sound_goes_on_there_is_nothing_to_see() -> None:
    found = looks([span(0, 4), span(8, 9)], [0.5, 0.9], shots(0, 5), 6)
    assert [len(each) for each in found] == [6, 0]
    assert looks([span(0, 4)], [0.5], [], 6) == [()]


SPANS = st.lists(
    st.tuples(st.floats(0, 90), st.floats(0.5, 30), st.floats(0, 1)), min_size=1, max_size=15
)


@given(SPANS, st.lists(st.floats(0.1, 119), unique=True, max_size=30), st.integers(1, 40))
def test_the_budget_holds(
    found: list[tuple[float, float, float]], cuts: list[float], most: int
) -> None:
    places = [span(start, start + length) for start, length, _ in found]
    times = looks(places, [score for _, _, score in found], shots(0, *sorted(cuts), 120), most)
    assert len(times) == len(places)
    assert sum(map(len, times)) == most
    for place, seen in zip(places, times, strict=True):
        assert list(seen) == sorted(seen)
        assert all(place.start <= time < place.end for time in seen)
    if most >= len(places):
        assert all(times)
