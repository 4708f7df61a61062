"""What sound counts: learned from which source alone is wrong, and told of questions never seen."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch
from scenes import TOY

from vmr_agent.grounding.features import Tensors
from vmr_agent.grounding.gate import PICTURE, SOUND, Gated, Level, weighed
from vmr_agent.grounding.inputs import Batch, Floats, Question, collate
from vmr_agent.grounding.network import POOLS, Sizes
from vmr_agent.grounding.training.gate import Habits, fit_gated, importance, wrong
from vmr_agent.grounding.training.lesson import Course
from vmr_agent.grounding.training.simulate import simulate_sound

SIZES = Sizes(4, 2, 16, 32)
COURSE = Course(epochs=3, batch=16, rate=4e-3, near=40, others=10)


def heard(count: int, seed: int) -> tuple[Batch, list[Floats]]:
    """Questions of which a third are noise to one source, and a third to the other."""
    dice = np.random.default_rng(seed)
    made = [simulate_sound(TOY, dice) for _ in range(count)]
    asked = [deafened(question, n % 3, dice) for n, (question, _) in enumerate(made)]
    return collate(asked), [moments for _, moments in made]


def deafened(question: Question, source: int, dice: np.random.Generator) -> Question:
    """What that source says has nothing to do with the film; of any but two, nothing changes."""
    if source not in (PICTURE, SOUND):
        return question
    curves, candidates = question.curves.copy(), list(question.candidates)
    curves[:, source] = dice.normal(size=len(curves))
    edges = np.sort(dice.integers(0, len(curves), (len(candidates[source]), 2)), axis=1)
    scores = np.sort(dice.uniform(0, 1, len(edges)))[::-1]
    candidates[source] = np.column_stack([edges[:, 0], edges[:, 1] + 1, scores]).astype(np.float32)
    return Question(curves, tuple(candidates))


def told(gated: Gated, batch: Batch) -> Floats:
    with torch.inference_mode():
        return np.asarray(gated.importance(Tensors.of(batch)).numpy(), np.float32)


@pytest.fixture(scope="module")
def learned() -> Gated:
    return fit_gated(*heard(150, 1), SIZES, COURSE, 0)


def test_it_knows_of_questions_never_seen_which_source_is_right(learned: Gated) -> None:
    batch, moments = heard(300, 2)
    better = wrong(batch, moments, PICTURE) - wrong(batch, moments, SOUND)
    assert min((better > 0.1).sum(), (better < -0.1).sum()) > 100, "each is right sometimes"
    gate = told(learned, batch)
    assert np.corrcoef(gate, better)[0, 1] > 0.6
    assert gate[better > 0.1].mean() > 0.55
    assert gate[better < -0.1].mean() < 0.47


def test_with_what_is_pooled_exchanged_it_says_the_opposite(learned: Gated) -> None:
    pools = torch.randn(2, 5, POOLS * SIZES.width, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        one, other = learned.gate(*pools), learned.gate(*pools.flip(0))
        assert learned.gate(pools[0], pools[0]).tolist() == [0.5] * 5
    assert one.numpy() == pytest.approx(1 - other.numpy(), abs=1e-6)
    assert one.std() > 0.01


def test_it_knows_nothing_before_it_learns() -> None:
    assert told(Gated(SIZES).eval(), heard(3, 4)[0]).tolist() == [0.5, 0.5, 0.5]


def test_where_it_is_held_it_stays() -> None:
    few = COURSE._replace(epochs=1)
    held = fit_gated(*heard(8, 5), SIZES, few, 0, fixed=0.25)
    assert told(held, heard(3, 6)[0]).tolist() == [0.25, 0.25, 0.25]


def test_what_it_learns_changes_none_of_the_features_that_it_reads() -> None:
    gated = Gated(SIZES)
    gated.importance(Tensors.of(heard(4, 7)[0])).sum().backward()
    assert gated.gate.weighs.weight.grad.abs().sum() > 0
    assert all(part.grad is None for part in gated.network.parameters())


@pytest.mark.parametrize("level", get_args(Level))
def test_what_is_ungated_counts_half_whatever_the_gate_says(learned: Gated, level: Level) -> None:
    asked = Tensors.of(heard(6, 8)[0])
    starts, ends = torch.tensor([[0, 2, 5]]), torch.tensor([[3, 9, 6]])
    other = Gated(SIZES, ungated=level).eval()
    other.load_state_dict(learned.state_dict())

    def said(gated: Gated, share: float) -> Floats:
        with torch.inference_mode():
            told = gated(asked, starts, ends, torch.full((6,), share))
        return np.asarray(torch.cat([told.windows.flatten(), told.number.flatten()]).numpy())

    assert said(other, 0.5) == pytest.approx(said(learned, 0.5), abs=1e-5)
    assert np.abs(said(other, 0.1) - said(learned, 0.1)).max() > 1e-4
    used = torch.full((6,), 0.1)
    part, whole = weighed(asked, used, level), weighed(asked, used)
    even = weighed(asked, torch.full((6,), 0.5))
    assert torch.equal(part.channels, (even if level == "local" else whole).channels)
    assert torch.equal(part.given, (even if level == "event" else whole).given)


def question(*sources: list[list[float]]) -> Question:
    curves = np.zeros((20, 2), np.float32)
    return Question(curves, tuple(np.array(each, np.float32).reshape(-1, 3) for each in sources))


def test_a_source_is_as_wrong_as_its_candidates() -> None:
    right, near, off = [4.0, 12.0, 0.7], [4.0, 10.0, 0.8], [14.0, 18.0, 0.9]
    rows = [question([right], [off]), question([near], [off, right]), question([], [right])]
    true = [np.array([[4, 12]], np.float32)] * 3
    batch = collate(rows)
    # An IoU of .75 passes six thresholds of ten; what comes second has a precision of half.
    assert wrong(batch, true, PICTURE) == pytest.approx([0, 0.4, 1])
    assert wrong(batch, true, SOUND) == pytest.approx([1, 0.5, 0])
    assert wrong(batch, [np.zeros((0, 2), np.float32)] * 3, SOUND) == pytest.approx([1, 1, 1])


def test_what_is_nearly_all_or_nothing_is_taken_for_it() -> None:
    habits = Habits(gamma=0.1, tidy=0.2)
    without = np.array([0.5, 0.5, 0.5, 0.5, 1.0], np.float32)
    alone = np.array([0.5, 0.4, 0.3, 0.7, 0.0], np.float32)
    worth = importance(without, alone, habits)
    assert worth == pytest.approx([0.5, 1 / (1 + np.exp(-1)), 1, 0, 1])
    assert worth.dtype == np.float32
