"""Other ways with a detector's windows: they keep them, and learn which are right."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evals.refine.rerank import RERANKERS, Windows, cost, inside, reranked
from vmr_agent.grounding.features import Tensors
from vmr_agent.grounding.inputs import Floats, Question, collate, iou
from vmr_agent.grounding.network import Sizes
from vmr_agent.grounding.training.lesson import Course
from vmr_agent.grounding.training.simulate import World, simulate

TOY = World(steps=(24, 40), counts=(0.0, 1.0), clear=(2.0, 3.0), alike=1.0, trust=(0.5, 1.0))


def made(count: int, seed: int) -> tuple[list[Question], list[Floats]]:
    dice = np.random.default_rng(seed)
    pairs = [simulate(TOY, dice) for _ in range(count)]
    return [question for question, _ in pairs], [moments for _, moments in pairs]


@pytest.mark.parametrize("name", sorted(RERANKERS))
def test_it_keeps_the_windows_and_learns_which_are_right(name: str) -> None:
    known, (asked, true) = made(150, 0), made(60, 1)
    told = reranked(name, known, asked, Course(epochs=6), 0)
    before, after = [], []
    for question, moments, (windows, scores) in zip(asked, true, told, strict=True):
        given = question.candidates[0]
        assert sorted(map(tuple, windows.tolist())) == sorted(map(tuple, given[:, :2].tolist()))
        assert (np.diff(scores) <= 0).all()
        for firsts, first in ((before, given[0]), (after, windows[0])):
            firsts.append(float(iou(first[0], first[1], moments[:, 0], moments[:, 1]).max()))
    assert np.mean(after) > np.mean(before) + 0.03


@pytest.mark.parametrize("name", sorted(RERANKERS))
def test_other_questions_beside_it_change_nothing(name: str) -> None:
    torch.manual_seed(0)
    module = RERANKERS[name](Sizes(2, 1)).eval()
    asked, _ = made(5, 2)
    beside = module(Tensors.of(collate(asked))).logits
    for row, question in enumerate(asked):
        alone = module(Tensors.of(collate([question]))).logits[0]
        torch.testing.assert_close(beside[row], alone, atol=1e-5, rtol=1e-4)


def test_a_window_has_the_steps_that_it_touches() -> None:
    question = Question(np.zeros((10, 1), np.float32), (np.array([[2.5, 4.2, 1.0]], np.float32),))
    where, length = inside(Tensors.of(collate([question], 1)))
    assert where[0, 0, : length[0, 0]].tolist() == [2, 3, 4]


def test_steps_of_one_moment_cost_less_when_they_are_alike() -> None:
    asked, true = made(8, 3)
    looked = Windows(collate(asked), true).task(np.arange(8), np.random.default_rng(0))
    where, _ = inside(looked.asked)
    row = torch.arange(8)[:, None, None]
    same = nn_one_hot(looked.moment[row, where] + 1)
    scored = RERANKERS["post-verifier"](Sizes(2, 1)).eval()(looked.asked)
    apart = scored._replace(steps=torch.randn(same.shape))
    assert cost(scored._replace(steps=same), looked) < cost(apart, looked)


def nn_one_hot(which: torch.Tensor) -> torch.Tensor:
    """Steps of no moment have nothing in common with each other, so each is itself."""
    kinds = torch.nn.functional.one_hot(which, 2).float()
    return torch.cat([kinds[..., 1:], torch.randn(*which.shape, 7) * kinds[..., :1]], -1)
