"""The order of clips, and sound handed out in any length: no media needed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from evals.playlist import spread
from evals.voices import Tap


def test_a_tap_gives_any_length_and_then_silence():
    tap = Tap(np.full(n, 1, np.float32) for n in (3, 0, 4))
    assert [tap.take(2).sum() for _ in range(5)] == [2, 2, 2, 1, 0]
    assert (tap.given, tap.dry) == (7, True)


@pytest.mark.parametrize(
    ("counts", "last"),
    [
        ({"a": 1, "b": 1, "c": 1}, "a"),
        ({"a": 3, "b": 2}, ""),
        ({"a": 4, "b": 1, "c": 1, "d": 1}, ""),
        ({"a": 3, "b": 3, "c": 3}, "c"),
    ],
)
def test_no_clip_follows_itself_where_that_can_be(counts, last):
    order = spread(list(counts), counts, last)
    assert {name: order.count(name) for name in counts} == counts
    assert all(a != b for a, b in pairwise([last, *order]))


def test_one_clip_alone_may_follow_itself():
    assert spread(["a"], {"a": 3}) == ["a", "a", "a"]
