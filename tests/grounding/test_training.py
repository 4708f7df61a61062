"""It learns what can be learned, the same way every time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scenes import TOY, questions

from vmr_agent.grounding.decode import posterior, rank
from vmr_agent.grounding.features import Tensors
from vmr_agent.grounding.inputs import cells, collate, iou
from vmr_agent.grounding.network import Network, Sizes
from vmr_agent.grounding.training.fit import NotFiniteError, fit
from vmr_agent.grounding.training.lesson import Course, mirrored
from vmr_agent.grounding.training.simulate import World, simulate
from vmr_agent.grounding.training.targets import targets

SIZES = Sizes(channels=2, sources=1, width=16, hidden=32)
SHORT = Course(epochs=2, near=60, others=20)


def best_overlap(network: Network, seed: int, count: int = 60) -> float:
    """Mean IoU of the first window with the truth, of questions it has not seen."""
    asked, moments = questions(count, seed)
    found = []
    for question, true in zip(asked, moments, strict=True):
        batch = collate([question])
        starts, ends = cells(len(question.curves))
        with torch.inference_mode():
            judged = network(Tensors.of(batch), torch.from_numpy(starts), torch.from_numpy(ends))
        logits, numbers = judged.windows[0].numpy(), judged.number[0].numpy()
        first = rank(posterior(starts, ends, logits, numbers), 1, np.random.default_rng(0)).windows[
            0
        ]
        found.append(iou(first[0], first[1], true[:, 0], true[:, 1]).max())
    return float(np.mean(found))


def test_a_toy_is_learned() -> None:
    asked, moments = questions(200, seed=5)
    batch = collate(asked)
    network = fit(batch, moments, SIZES, Course(epochs=6, near=100, others=40), seed=0)
    torch.manual_seed(0)
    assert best_overlap(network, seed=6) > best_overlap(Network(SIZES).eval(), seed=6) + 0.15


def test_the_same_seed_gives_the_same_network() -> None:
    asked, moments = questions(40, seed=7)
    batch = collate(asked)
    one, other, third = (fit(batch, moments, SIZES, SHORT, seed) for seed in (3, 3, 4))
    same = [torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True)]
    assert all(same)
    assert not torch.equal(next(one.parameters()), next(third.parameters()))


def test_what_diverges_says_so() -> None:
    asked, moments = questions(40, seed=8)
    batch = collate(asked)
    batch.channels[0] = np.nan
    with pytest.raises(NotFiniteError, match="lower the rate"):
        fit(batch, moments, SIZES, SHORT, seed=0)


def test_a_film_shown_backwards_twice_is_the_film() -> None:
    asked, moments = questions(5, seed=9)
    batch = collate(asked)
    there, turned = mirrored(batch, moments)
    back, again = mirrored(there, turned)
    np.testing.assert_array_equal(back.channels, batch.channels)
    np.testing.assert_array_equal(
        back.candidates, np.where(batch.given[..., None], batch.candidates, 0)
    )
    for one, other in zip(again, moments, strict=True):
        np.testing.assert_allclose(one, other)


def test_what_is_true_is_worth_most() -> None:
    asked, moments = questions(10, seed=10)
    batch = collate(asked)
    starts, ends = cells(batch.valid.shape[1])
    true = targets(batch, moments, starts, ends, softness=0.08)
    for row, spans in enumerate(moments):
        best = true.windows[row].argmax()
        assert [starts[best], ends[best]] in spans.astype(int).tolist()
        assert true.windows[row].sum() == pytest.approx(1, abs=1e-4)
        assert true.number[row] == len(spans)
        assert true.steps[row, :, 0].sum() == (spans[:, 1] - spans[:, 0]).sum()
        assert true.steps[row, :, 1].sum() == len(spans)


def test_no_window_is_right_that_reaches_beyond_its_film() -> None:
    """A film beside a longer one: its last moment is that long and no longer."""
    (long, short), _ = questions(2, seed=10)
    steps = 10
    curve, windows = short.curves[:steps], short.candidates[0][:0]
    batch = collate([long, short._replace(curves=curve, candidates=(windows,))])
    starts, ends = cells(batch.valid.shape[1])
    none, last = np.zeros((0, 2), np.float32), np.array([[2, steps]], np.float32)
    true = targets(batch, [none, last], starts, ends, softness=0.08)
    assert not true.windows[1, ends > steps].any()
    assert true.windows[1].sum() == pytest.approx(1, abs=1e-4)


def test_without_a_moment_no_window_is_right() -> None:
    asked, _ = questions(1, seed=11)
    batch = collate(asked)
    starts, ends = cells(batch.valid.shape[1])
    none = targets(batch, [np.zeros((0, 2), np.float32)], starts, ends, softness=0.08)
    assert not none.windows.any()
    assert none.number.tolist() == [0]


@pytest.mark.parametrize("seed", range(20))
def test_simulated_questions_are_such_as_could_be(seed: int) -> None:
    question, moments = simulate(World(), np.random.default_rng(seed))
    steps, windows = len(question.curves), question.candidates[0]
    assert World().steps[0] <= steps <= World().steps[1]
    assert np.isfinite(question.curves).all()
    assert (moments[:, 0] < moments[:, 1]).all()
    assert (moments[1:, 0] > moments[:-1, 1]).all()
    assert len(windows) == World().proposals
    assert (windows[:, 0] < windows[:, 1]).all()
    assert windows[:, 0].min() >= 0
    assert windows[:, 1].max() <= steps
    assert (np.diff(windows[:, 2]) <= 0).all()


def test_in_a_clear_world_candidates_know_something() -> None:
    asked, moments = questions(100, seed=12, world=TOY)
    first = [
        iou(q.candidates[0][0, 0], q.candidates[0][0, 1], m[:, 0], m[:, 1]).max()
        for q, m in zip(asked, moments, strict=True)
    ]
    assert 0.35 < np.mean(first) < 0.95
