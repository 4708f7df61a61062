"""Intervals of figures, and of differences between two runs."""

from __future__ import annotations

import numpy as np
import pytest
from world import made

from vmr_agent.metrics.bootstrap import Tally, differences, draws, intervals
from vmr_agent.metrics.scoring import against, sureness, videos
from vmr_agent.metrics.strict import NAMES, tally


def of(values: np.ndarray) -> Tally:
    return Tally(("a",), values[:, None], np.ones((len(values), 1), bool), (0,))


def test_a_mean_is_as_sure_as_theory_has_it() -> None:
    """Of 400 tosses: the mean plus and minus 1.96 sqrt(.25 / 400)."""
    tossed = np.random.default_rng(0).integers(0, 2, 400).astype(float)
    found = intervals(of(tossed), [str(n) for n in range(400)])["a"]
    assert found.value == pytest.approx(100 * tossed.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * 2.5, rel=0.1)


def test_queries_of_a_video_that_are_alike_make_less_sure() -> None:
    tossed = np.repeat(np.random.default_rng(1).integers(0, 2, 100), 4).astype(float)
    apart = intervals(of(tossed), [str(n) for n in range(400)])["a"]
    together = intervals(of(tossed), [str(n // 4) for n in range(400)])["a"]
    assert together.high - together.low > 1.6 * (apart.high - apart.low)


def test_what_is_hard_for_both_cancels_out() -> None:
    hard = np.random.default_rng(2).uniform(0, 0.9, 200)
    names = [str(n) for n in range(200)]
    found = differences(of(hard), of(hard + 0.05), names)["a"]
    assert found.change == pytest.approx((5, 5, 5))
    assert found.second - found.first == pytest.approx(5)


def test_a_figure_of_no_query_is_none() -> None:
    nothing = Tally(("a",), np.ones((3, 1)), np.zeros((3, 1), bool), (0,))
    assert all(np.isnan(each) for each in intervals(nothing, ["x", "y", "z"])["a"])


def test_the_same_seed_draws_the_same() -> None:
    assert (draws([*"abcd"], 5, 3) == draws([*"abcd"], 5, 3)).all()
    assert (draws([*"abcd"], 50, 3) != draws([*"abcd"], 50, 4)).any()


def test_a_submission_beside_itself() -> None:
    rows, truth = made()
    assert len(set(videos(truth))) == len(truth) / 2
    assert tuple(sureness("qvhighlights", rows, truth)) == NAMES
    found = against("qvm2", rows, rows, truth)
    assert {each.change for each in found.values()} == {(0.0, 0.0, 0.0)}
    assert tally(rows, truth).figures(np.ones((1, len(truth)))).shape == (1, len(NAMES))
