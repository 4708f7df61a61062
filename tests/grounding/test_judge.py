"""Judging: both ways, in pieces, by several."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scenes import questions

from vmr_agent.grounding import judge
from vmr_agent.grounding.inputs import Batch, cells, collate
from vmr_agent.grounding.network import Network, Sizes


@pytest.fixture
def asked() -> Batch:
    return collate(questions(4)[0])


def networks(many: int) -> list[Network]:
    torch.manual_seed(0)
    return [Network(Sizes(2, 1)).eval() for _ in range(many)]


def test_backwards_twice_is_forwards(asked: Batch) -> None:
    twice = asked.backwards().backwards()
    assert np.array_equal(twice.channels, asked.channels)
    assert np.allclose(twice.candidates, asked.candidates, atol=1e-5)


def test_a_film_shown_backwards_has_the_same_moments_backwards(asked: Batch) -> None:
    starts, ends = cells(int(asked.steps.min()))
    told = judge.judged(networks(1), asked, starts, ends)
    for row, steps in enumerate(asked.steps):
        one = asked.take(np.array([row]))
        turned = judge.judged(networks(1), one.backwards(), steps - ends, steps - starts)
        assert np.allclose(turned.windows[0], told.windows[row], atol=1e-4)
        assert np.allclose(turned.number[0], told.number[row], atol=1e-4)


@pytest.mark.parametrize("piece", [1, 97])
def test_pieces_give_what_all_at_once_give(
    asked: Batch, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So hours can go through piece by piece, and are stitched exactly."""
    starts, ends = cells(int(asked.steps.min()))
    if piece == 1:
        starts, ends = starts[::23], ends[::23]
    whole = judge.judged(networks(2), asked, starts, ends)
    monkeypatch.setattr(judge, "PIECE", len(asked) * piece)
    pieces = judge.judged(networks(2), asked, starts, ends)
    np.testing.assert_allclose(pieces.windows, whole.windows, atol=1e-6, rtol=1e-5)
    np.testing.assert_allclose(pieces.number, whole.number, atol=1e-6, rtol=1e-5)


def test_several_are_averaged(asked: Batch) -> None:
    starts, ends = cells(int(asked.steps.min()))
    first, second = (judge.judged([each], asked, starts, ends) for each in networks(2))
    both = judge.judged(networks(2), asked, starts, ends)
    assert np.allclose(both.windows, (first.windows + second.windows) / 2, atol=1e-5)
