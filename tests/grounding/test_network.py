"""The network: what it says of a question does not depend on what lies beside it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scenes import questions

from vmr_agent.grounding.features import Tensors
from vmr_agent.grounding.inputs import Question, cells, collate
from vmr_agent.grounding.network import COUNTS, KINDS, Judged, Network, Sizes


@pytest.fixture
def network() -> Network:
    torch.manual_seed(0)
    return Network(Sizes(channels=2, sources=1)).eval()


def judged(network: Network, asked: list[Question]) -> Judged:
    batch = collate(asked)
    starts, ends = (torch.from_numpy(each) for each in cells(batch.valid.shape[1]))
    with torch.inference_mode():
        return network(Tensors.of(batch), starts, ends)


def test_everything_is_finite_and_of_its_shape(network: Network) -> None:
    asked, _ = questions(3)
    steps = max(len(each.curves) for each in asked)
    found = judged(network, asked)
    assert found.windows.shape == (3, steps * (steps + 1) // 2, KINDS)
    assert found.number.shape == (3, COUNTS)
    assert found.steps.shape == (3, steps, 3)
    assert all(torch.isfinite(part).all() for part in found)


def test_padding_changes_nothing(network: Network) -> None:
    asked, _ = questions(6, seed=1)
    asked.sort(key=lambda each: len(each.curves))
    short, steps = asked[0], len(asked[0].curves)
    alone, beside = judged(network, [short]), judged(network, asked)
    _, ends = cells(len(asked[-1].curves))
    fits = torch.from_numpy(ends <= steps)
    torch.testing.assert_close(beside.windows[0, fits], alone.windows[0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(beside.number[0], alone.number[0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(beside.steps[0, :steps], alone.steps[0], atol=1e-5, rtol=1e-4)


def test_the_order_of_questions_is_all_that_changes_with_it(network: Network) -> None:
    asked, _ = questions(4, seed=3)
    forth, back = judged(network, asked), judged(network, asked[::-1])
    torch.testing.assert_close(back.number.flip(0), forth.number, atol=1e-5, rtol=1e-4)


def test_a_question_without_candidates_is_one(network: Network) -> None:
    (asked,), _ = questions(1, seed=4)
    bare = asked._replace(candidates=(np.zeros((0, 3), np.float32),))
    assert all(torch.isfinite(part).all() for part in judged(network, [bare]))
