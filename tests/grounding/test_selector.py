"""The selector sees what it looked at and nothing else, spends its budget, and learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scenes import TOY, questions

from vmr_agent.errors import CallerError
from vmr_agent.grounding.decode import Ints
from vmr_agent.grounding.features import Tensors
from vmr_agent.grounding.inputs import PER_CURVE, Floats, Question, cells
from vmr_agent.grounding.network import Sizes
from vmr_agent.grounding.selector import (
    TOGETHER,
    Nature,
    Seen,
    Selector,
    beside,
    best,
    select,
    shares,
    sighted,
)
from vmr_agent.grounding.training.fit import NotFiniteError
from vmr_agent.grounding.training.lesson import Course
from vmr_agent.grounding.training.looks import BUDGET, parted, ways
from vmr_agent.grounding.training.selector import PATTERNS, fit_selector, nature

SIZES = Sizes(channels=PER_CURVE, sources=1, width=16, hidden=32)
SHORT = Course(epochs=1, near=60, others=20)
DULL = TOY._replace(clear=(0.1, 0.5), trust=(0.5, 1.0), slip=0.6)
"""A world whose free curve and windows say little."""


def scenes(count: int, seed: int) -> tuple[list[Question], list[Floats], list[Floats]]:
    """Questions of a dull world, a dear curve of each that shows its moments, and those."""
    asked, moments = questions(count, seed, DULL)
    dice, dear = np.random.default_rng(seed), []
    for question, spans in zip(asked, moments, strict=True):
        curve = dice.normal(dice.normal(0, 2), 0.2, len(question.curves))
        for start, end in spans.astype(int):
            curve[start:end] += 1.5
        dear.append(curve.astype(np.float32))
    return asked, dear, moments


@pytest.fixture(scope="module")
def selector() -> Selector:
    torch.manual_seed(0)
    return Selector(SIZES, Nature(0.8, 0.3)).eval()


def test_what_the_network_judges_by_is_what_the_selector_does(selector: Selector) -> None:
    asked, dear, _ = scenes(TOGETHER + 3, seed=10)
    seen = [Seen(s := np.arange(n % 5, len(d), 3), d[s]) for n, d in enumerate(dear)]
    batch = sighted(selector, asked, seen)
    starts, ends = (torch.from_numpy(each) for each in cells(batch.valid.shape[1]))
    with torch.inference_mode():
        told = selector.network(Tensors.of(batch), starts, ends)
    by_itself = believed(selector, asked, seen)
    every = torch.cat([told.windows.flatten(1), told.number, told.steps.flatten(1)], 1)
    torch.testing.assert_close(every, by_itself, atol=1e-5, rtol=1e-4)


def test_ways_of_looking_see_what_they_say(selector: Selector) -> None:
    asked, dear, _ = scenes(4, seed=11)
    whole = [
        q._replace(curves=np.concatenate([q.curves, d[:, None]], axis=1))
        for q, d in zip(asked, dear, strict=True)
    ]
    free, looked_at = parted(whole)
    for one, other, curve, known in zip(free, asked, looked_at, dear, strict=True):
        np.testing.assert_array_equal(one.curves, other.curves)
        np.testing.assert_array_equal(curve, known)
    many = {
        way: batch.channels[..., PER_CURVE + 1].sum(axis=1).tolist()
        for way, batch in ways(selector, whole, 10, "cpu").items()
    }
    steps = [len(curve) for curve in dear]
    fifth = [int(BUDGET * each) for each in steps]
    assert many == {"": fifth, "_full_look": steps, "_free_only": [0] * 4, "_at_random": fifth}


def believed(selector: Selector, asked: list[Question], seen: list[Seen]) -> torch.Tensor:
    batch, there = beside(asked, seen)
    starts, ends = (torch.from_numpy(each) for each in cells(batch.valid.shape[1]))
    with torch.inference_mode():
        told = selector(Tensors.of(batch), torch.from_numpy(there), starts, ends)
    return torch.cat([told.windows.flatten(1), told.number, told.steps.flatten(1)], 1)


@given(st.integers(0, 60), st.integers(1, 9), st.integers(0, 99))
def test_a_budget_is_spent_and_no_step_is_seen_twice(
    selector: Selector, budget: int, rounds: int, seed: int
) -> None:
    (asked,), (dear,), _ = scenes(1, seed)
    looks: list[Ints] = []

    def look(steps: Ints) -> Floats:
        looks.append(steps)
        return dear[steps]

    seen = select(selector.worth, asked, look, budget, rounds)
    assert len(seen.steps) == len(set(seen.steps.tolist())) == min(budget, len(dear))
    assert len(looks) == min(rounds, budget, len(dear))
    assert np.concatenate([np.zeros(0), *looks]).tolist() == seen.steps.tolist()
    np.testing.assert_array_equal(seen.values, dear[seen.steps])


@pytest.mark.parametrize("budget", [0, 1, 7])
def test_what_is_not_seen_changes_nothing(selector: Selector, budget: int) -> None:
    """To the byte: neither where it looks nor what it believes, whatever the rest is."""
    asked, dear, _ = scenes(4, seed=1)
    first = [
        select(selector.worth, q, lambda steps, d=d: d[steps], budget)  # type: ignore[misc]
        for q, d in zip(asked, dear, strict=True)
    ]
    for other in (np.inf, np.nan, 1e6, -3.0):
        blind = []
        for seen, curve in zip(first, dear, strict=True):
            blind.append(np.full_like(curve, other))
            blind[-1][seen.steps] = curve[seen.steps]
        again = [
            select(selector.worth, q, lambda steps, d=d: d[steps], budget)  # type: ignore[misc]
            for q, d in zip(asked, blind, strict=True)
        ]
        for one, two in zip(first, again, strict=True):
            assert one.steps.tobytes() == two.steps.tobytes()
        batch, there = beside(asked, first)
        starts, ends = (torch.from_numpy(each) for each in cells(batch.valid.shape[1]))
        told = Tensors.of(batch)
        for row, curve in enumerate(blind):
            told.channels[row, : len(curve), -1] = torch.from_numpy(curve)
        with torch.inference_mode():
            found = selector(told, torch.from_numpy(there), starts, ends)
        same = believed(selector, asked, first)[:, : found.windows[0].numel()]
        assert found.windows.flatten(1).numpy().tobytes() == same.numpy().tobytes()


def test_what_is_seen_changes_what_is_believed(selector: Selector) -> None:
    asked, dear, _ = scenes(1, seed=2)
    steps = np.array([3, 9, 15])
    one = believed(selector, asked, [Seen(steps, dear[0][steps])])
    other = believed(selector, asked, [Seen(steps, dear[0][steps] * [1, 1, -2])])
    assert not torch.equal(one, other)


@given(st.floats(0.25, 8), st.floats(-100, 100))
def test_the_full_look_does_not_depend_on_where_its_curve_lies(by: float, up: float) -> None:
    """Levels differ from film to film; they say nothing."""
    torch.manual_seed(0)
    asked, dear, _ = scenes(2, seed=3)
    whole = np.arange(len(dear[0])), np.arange(len(dear[1]))
    told = []
    for scale, more in ((1.0, 0.0), (by, up)):
        kind = Selector(SIZES, Nature(0.8 * scale, 0.3 * scale))
        batch, there = beside(
            asked,
            [
                Seen(s, (d * scale + more).astype(np.float32))
                for s, d in zip(whole, dear, strict=True)
            ],
        )
        told.append(kind.told(Tensors.of(batch), torch.from_numpy(there)).channels)
    torch.testing.assert_close(told[0], told[1], atol=2e-3, rtol=1e-3)


def test_a_question_is_the_same_in_a_batch_and_alone(selector: Selector) -> None:
    asked, dear, _ = scenes(5, seed=4)
    seen = [Seen(s := np.arange(0, len(d), 4), d[s]) for d in dear]
    batch, there = beside(asked, seen)
    with torch.inference_mode():
        worth = selector.worth(Tensors.of(batch), torch.from_numpy(there))
        for row, (question, known) in enumerate(zip(asked, seen, strict=True)):
            alone, its_own = beside([question], [known])
            one = selector.worth(Tensors.of(alone), torch.from_numpy(its_own))
            torch.testing.assert_close(worth[row, : one.shape[1]], one[0], atol=1e-5, rtol=1e-4)


@given(st.integers(1, 40), st.integers(0, 40), st.integers(1, 6), st.integers(0, 99))
def test_the_best_steps_are_apart_while_there_is_room(
    steps: int, many: int, apart: int, seed: int
) -> None:
    dice = np.random.default_rng(seed)
    worth = torch.from_numpy(dice.normal(size=(1, steps)))
    seen = torch.from_numpy(dice.random((1, steps)) < 0.3)
    valid = torch.ones_like(seen)
    chosen = best(worth, torch.tensor([many]), seen, valid, apart)
    assert not (chosen & seen).any()
    assert int(chosen.sum()) == min(many, int((~seen).sum()))
    if many:
        free = worth.masked_fill(seen, -torch.inf)
        assert chosen[0, int(free.argmax())] or seen.all()
    places = np.flatnonzero(chosen[0].numpy())
    left = [s for s in range(steps) if not seen[0, s] and (np.abs(places - s) >= apart).all()]
    if len(places) > 1 and np.diff(places).min() < apart:
        assert not left, "a neighbour was taken before a step that was apart"


def test_looks_that_give_no_curve_are_refused(selector: Selector) -> None:
    (asked,), _, _ = scenes(1, seed=5)
    for bad in (lambda steps: steps[1:], lambda steps: steps * np.nan):
        with pytest.raises(CallerError, match="one finite number for each"):
            select(selector.worth, asked, bad, 5)
    for budget, rounds in ((-1, 5), (5, 0)):
        with pytest.raises(CallerError, match="ask for 0 and 1 at least"):
            select(selector.worth, asked, lambda steps: steps, budget, rounds)


@given(st.integers(0, 50), st.integers(1, 9))
def test_rounds_share_a_budget(budget: int, rounds: int) -> None:
    parts = shares(budget, rounds)
    assert sum(parts) == budget
    assert len(parts) == min(budget, rounds)
    assert not parts or max(parts) - min(parts) <= 1


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_of_what_was_seen_differ_from_draw_to_draw(pattern: object) -> None:
    assert callable(pattern)
    asked, dear, _ = scenes(3, seed=6)
    batch, _ = beside(asked, [Seen(np.arange(len(d)), d) for d in dear])
    torch.manual_seed(0)
    told, many = Tensors.of(batch), torch.tensor([6, 0, 5])
    masks = [
        best(pattern(told, many), many, torch.zeros_like(told.valid), told.valid, apart=1)
        for _ in range(2)
    ]
    assert [mask.sum(1).tolist() for mask in masks] == [[6, 0, 5]] * 2
    assert not torch.equal(*masks)


def test_what_the_dear_curve_is_like_is_measured() -> None:
    asked, _, _ = scenes(20, seed=7)
    dear = [5 + 2 * (q.curves[:, 0] - q.curves.mean()) / q.curves.std() for q in asked]
    found = nature(asked, dear)
    assert found.deviation == pytest.approx(2, rel=0.01)
    assert found.slope == pytest.approx(2, rel=0.01)


def test_the_same_seed_gives_the_same_selector() -> None:
    asked, dear, moments = scenes(20, seed=8)
    one, other, third = (fit_selector(asked, dear, moments, SIZES, SHORT, s) for s in (3, 3, 4))
    same = [torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True)]
    assert all(same)
    assert not torch.equal(next(one.parameters()), next(third.parameters()))


def test_what_diverges_says_so() -> None:
    asked, dear, moments = scenes(8, seed=9)
    asked[0] = asked[0]._replace(curves=asked[0].curves * np.nan)
    with pytest.raises(NotFiniteError, match="lower the rate"):
        fit_selector(asked, dear, moments, SIZES, SHORT, seed=0)
