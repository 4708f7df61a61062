"""Sets of spans obey the algebra of sets."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vmr_agent.intervals import Spans, after, before, both, joined, rest
from vmr_agent.relations import allowed
from vmr_agent.types import Relation, Span

LENGTH = 40
TICKS = np.arange(LENGTH) + 0.5


def span(start: float, end: float) -> Span:
    return Span(start=start, end=end)


@st.composite
def sets(draw: st.DrawFn) -> Spans:
    edges = draw(st.lists(st.tuples(st.integers(0, LENGTH - 1), st.integers(1, 9)), max_size=6))
    return joined(span(start, min(LENGTH, start + length)) for start, length in edges)


def marks(spans: Spans) -> set[int]:
    return {i for i, t in enumerate(TICKS) if any(s.start <= t < s.end for s in spans)}


ALL = set(range(LENGTH))


def is_a_set(spans: Spans) -> bool:
    return all(a.end < b.start for a, b in pairwise(spans))


@given(sets(), sets())
def test_the_algebra_is_that_of_sets(one: Spans, other: Spans) -> None:
    assert is_a_set(one)
    assert is_a_set(both(one, other))
    assert marks(both(one, other)) == marks(one) & marks(other)
    assert marks(joined([*one, *other])) == marks(one) | marks(other)
    assert marks(rest(one, LENGTH)) == ALL - marks(one)
    assert rest(rest(one, LENGTH), LENGTH) == one


@given(sets())
def test_after_and_before_are_seen_from_the_first_and_the_last(spans: Spans) -> None:
    assert marks(after(spans, LENGTH)) == (
        {i for i in ALL if i >= spans[0].end} if spans else set()
    )
    assert marks(before(spans)) == ({i for i in ALL if i < spans[-1].start} if spans else set())


def relation(kind: str) -> Relation:
    return Relation.model_validate({"kind": kind, "scene": "a dog"})


@given(sets(), sets())
def test_relations_hold_together(one: Spans, other: Spans) -> None:
    found = allowed([(relation("after"), one), (relation("without"), other)], 0, LENGTH)
    assert marks(found) == marks(after(one, LENGTH)) - marks(other)


def test_what_is_nowhere_has_no_after() -> None:
    for kind in ("after", "before", "while"):
        assert allowed([(relation(kind), ())], 1, LENGTH) == ()
    assert allowed([(relation("without"), ())], 1, LENGTH) == (span(0, LENGTH),)
    assert allowed([], 1, LENGTH) == (span(0, LENGTH),)


def test_at_the_same_time_may_be_a_little_off() -> None:
    found = allowed([(relation("while"), (span(1, 5), span(39, 40)))], 1.5, LENGTH)
    assert found == (span(0, 6.5), span(37.5, 40))
