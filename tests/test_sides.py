"""What is seen and what is heard: asked for only where both say something, and never raised."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vmr_agent import sides
from vmr_agent.artefacts import Curves
from vmr_agent.channels import VERBATIM
from vmr_agent.protocols import Array, GateRequest
from vmr_agent.settings import RetrieveSettings
from vmr_agent.tools import understand
from vmr_agent.types import Channel

NAMES: tuple[Channel, ...] = ("picture", "speech", "text", "sound")
FOUND = Curves(step=0.5, channels=NAMES)
relevance = arrays(np.float32, (4, 12), elements=st.floats(0, 1, width=32))
shares = st.floats(0, 1)


def weighed(rows: Array, importance: float) -> Array:
    made, told = sides.weighed(FOUND, {"curves": rows, "order": rows[0]}, importance)
    assert made.importance == importance
    assert told["order"] is rows[0] or (told["order"] == rows[0]).all()
    return np.asarray(told["curves"])


@given(relevance)
def test_even_changes_nothing(rows: Array) -> None:
    np.testing.assert_array_equal(weighed(rows, 0.5), rows)


@given(relevance, shares)
def test_nothing_is_raised_and_one_side_stays(rows: Array, importance: float) -> None:
    told = weighed(rows, importance)
    assert told.dtype == np.float32
    assert ((told >= 0) & (told <= rows + 1e-6)).all()
    stays = [0, 2] if importance <= 0.5 else [1, 3]
    np.testing.assert_allclose(told[stays], rows[stays], atol=1e-6)


@given(relevance, shares)
def test_what_is_quoted_stays(rows: Array, importance: float) -> None:
    quoted = (rows >= np.float32(VERBATIM)) & np.array([[False], [True], [True], [False]])
    np.testing.assert_array_equal(weighed(rows, importance)[quoted], rows[quoted])


@pytest.mark.parametrize(("importance", "left"), [(0.0, 0.0), (0.25, 0.25), (0.4, 0.4)])
def test_odds_are_lowered(importance: float, left: float) -> None:
    """From an even chance to as much as the gate says."""
    rows = np.full((4, 3), 0.5, np.float32)
    assert weighed(rows, importance)[1] == pytest.approx(left)
    assert weighed(rows, 1 - importance)[0] == pytest.approx(left)


def asked(question: str, **heights: float) -> GateRequest | None:
    rows = np.zeros((len(heights), 40), np.float32)
    for row, height in zip(rows, heights.values(), strict=True):
        row[10:16] = height
    names: tuple[Channel, ...] = tuple(name for name in NAMES if name in heights)
    found = Curves(step=0.5, channels=names)
    query = understand(question)
    return sides.request(query, found, rows, 20.0, RetrieveSettings())


def test_the_best_of_either_side_is_told() -> None:
    told = asked("a red thing", picture=0.3, speech=0.2, text=0.6, sound=0.1)
    assert told is not None
    assert (told.seen.max(), told.heard.max()) == (pytest.approx(0.6), pytest.approx(0.2))
    (at,) = told.heard_at
    assert (at.span.start, at.span.end, at.chance) == (5, 8, pytest.approx(0.2))


@pytest.mark.parametrize(
    ("question", "heights"),
    [
        ("a red thing", {"picture": 0.9}),
        ("a red thing", {"picture": 0.9, "text": 0.9}),
        ("a red thing", {"picture": 0.9, "speech": 0.0}),
        ("a red thing", {"picture": 0.9, "speech": 0.04}),
        ("a red thing", {"picture": 0.01, "speech": 0.9}),
        ("a red thing", {"speech": 0.9, "sound": 0.9}),
        ("they talk about red things", {"picture": 0.9, "speech": 0.9}),
        ("a sign that says way out", {"picture": 0.9, "speech": 0.9}),
        ("a loud red thing", {"picture": 0.9, "sound": 0.9}),
    ],
)
def test_nobody_is_asked_where_there_is_nothing_to_weigh(
    question: str, heights: dict[str, float]
) -> None:
    assert asked(question, **heights) is None
