"""The threshold keeps its promise, whatever the scores are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vmr_agent.conformal import threshold

RATES = st.floats(0.02, 0.5)


def alarms(scores: list[float], rate: float) -> int:
    """How many of them reach what the others say, each being the new one in its turn."""
    return sum(
        score >= threshold(scores[:n] + scores[n + 1 :], rate) for n, score in enumerate(scores)
    )


@given(st.lists(st.floats(0, 1), min_size=2, max_size=120, unique=True), RATES)
def test_exactly_the_share_that_was_asked_reaches_it(scores: list[float], rate: float) -> None:
    most = math.floor(rate * len(scores))
    assume(most >= 1)
    assert alarms(scores, rate) == most


@given(st.lists(st.sampled_from([0.0, 0.2, 0.2 + 1e-16, 0.9, 1.0]), min_size=2, max_size=99), RATES)
def test_never_more_where_scores_are_equal(scores: list[float], rate: float) -> None:
    assume(rate * len(scores) >= 1)
    assert alarms(scores, rate) <= rate * len(scores)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.05, 0.1]))
def test_the_realised_rate_is_near_the_asked_one(seed: int, rate: float) -> None:
    """Scores that are mostly nothing, as a film's are; four deviations of chance allowed."""
    dice = np.random.default_rng(seed)
    known, new = dice.beta(0.3, 1.5, 1500), dice.beta(0.3, 1.5, 1500)
    allowed = 4 * math.sqrt(2 * rate * (1 - rate) / 1500)
    assert abs(float((new >= threshold(known.tolist(), rate)).mean()) - rate) < allowed


def test_a_higher_rate_accepts_more() -> None:
    scores = np.linspace(0, 1, 101).tolist()
    assert threshold(scores, 0.01) > threshold(scores, 0.1) > threshold(scores, 0.5)


def test_too_few_scores_say_nothing() -> None:
    with pytest.raises(ValueError, match="18 scores do not tell what one in 20 reaches"):
        threshold([0.5] * 18, 0.05)
    assert threshold([0.5] * 19, 0.05) > 0.5
