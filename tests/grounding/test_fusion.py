"""Two opinions as one: at least as good as either, and never turned round."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmr_agent.errors import WeightsError
from vmr_agent.grounding.fusion import EVEN, Fusion, fit, load, save

CHANCES = st.floats(0, 1)
WEIGHTS = st.builds(
    Fusion,
    bias=st.floats(-5, 5),
    small=st.floats(0, 5),
    large=st.floats(0, 5),
    pairs=st.just(9),
    data=st.just("drawn"),
)


def logistic(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


def simulated(seed: int, number: int = 2000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A timid opinion and a boastful, biased one, each seeing something of its own."""
    rng = np.random.default_rng(seed)
    true = rng.random(number) < 0.3
    shown = np.where(true, 1.0, -1.0)[:, None] + rng.normal(0, 1.2, (number, 2))
    return logistic(0.6 * shown[:, 0]), logistic(4 * shown[:, 1] + 2.5), true


def log_loss(chances: np.ndarray, true: np.ndarray) -> float:
    held = np.clip(chances, 1e-9, 1 - 1e-9)
    return float(-np.where(true, np.log(held), np.log1p(-held)).mean())


@pytest.mark.parametrize("seed", range(3))
def test_it_beats_either_and_their_mean(seed: int) -> None:
    made = fit(*simulated(seed), data="simulated")
    few, many, true = simulated(seed + 100)
    fused = np.array([made.fused(a, b) for a, b in zip(few, many, strict=True)])
    loss = log_loss(fused, true)
    even = np.array([EVEN.fused(a, b) for a, b in zip(few, many, strict=True)])
    for other in (few, many, (few + many) / 2, even):
        assert loss < log_loss(other, true) - 0.01
    likely = fused > 0.5
    assert abs(fused[likely].mean() - true[likely].mean()) < 0.05
    assert (made.pairs, made.data) == (2000, "simulated")


def test_it_is_the_likeliest_there_is() -> None:
    """No other weights near it do better on what it was fitted on."""
    few, many, true = simulated(7, 500)
    made = fit(few, many, true, "simulated")

    def loss(bias: float, small: float, large: float) -> float:
        other = Fusion(bias=bias, small=small, large=large, pairs=0, data="")
        yes = (true.sum() + 1) / (true.sum() + 2)
        no = 1 / ((~true).sum() + 2)
        fused = np.array([other.fused(a, b) for a, b in zip(few, many, strict=True)])
        wanted = np.where(true, yes, no)
        return float(-(wanted * np.log(fused) + (1 - wanted) * np.log1p(-fused)).sum())

    best = loss(made.bias, made.small, made.large)
    for place in range(3):
        for step in (-0.02, 0.02):
            moved = [made.bias, made.small, made.large]
            moved[place] += step
            assert loss(*moved) > best


def test_an_opinion_that_is_wrong_or_idle_counts_for_nothing() -> None:
    few, _, true = simulated(1)
    backwards = fit(few, 1 - few, true, "the other says the opposite")
    assert backwards.large == 0
    assert backwards.small > 0
    idle = fit(few, np.full(len(few), 0.5), true, "the other says nothing")
    assert idle.fused(0.8, 0.1) == pytest.approx(idle.fused(0.8, 0.9), abs=0.02)
    both = fit(1 - few, 1 - few, true, "both say the opposite")
    assert (both.small, both.large) == (0, 0)
    assert both.fused(0.1, 0.9) == pytest.approx(true.mean(), abs=0.01)


def test_few_pairs_that_are_told_apart_promise_no_certainty() -> None:
    made = fit([0, 0.1, 0.9, 1], [0, 0, 1, 1], [False, False, True, True], "four")
    assert 0.5 < made.fused(1.0, 1.0) < 0.95
    assert 0.05 < made.fused(0.0, 0.0) < 0.5


@given(WEIGHTS, CHANCES)
def test_where_one_is_missing_the_other_stands(fusion: Fusion, chance: float) -> None:
    assert fusion.fused(chance, None) == chance
    assert fusion.fused(None, chance) == chance


@given(WEIGHTS, CHANCES, CHANCES, CHANCES)
def test_who_grows_surer_makes_it_no_less_sure(
    fusion: Fusion, one: float, other: float, more: float
) -> None:
    assert 0 <= fusion.fused(one, other) <= 1
    less, more = sorted((other, more))
    assert fusion.fused(one, less) <= fusion.fused(one, more)
    assert fusion.fused(less, one) <= fusion.fused(more, one)


@given(st.lists(st.tuples(CHANCES, CHANCES, st.booleans()), min_size=2, max_size=30))
def test_whatever_it_is_fitted_on_it_stays_a_probability(
    rows: list[tuple[float, float, bool]],
) -> None:
    few, many, true = zip(*rows, strict=True)
    if len(set(true)) < 2:
        with pytest.raises(ValueError, match="both outcomes"):
            fit(few, many, true, "drawn")
        return
    made = fit(few, many, true, "drawn")
    assert made.small >= 0 <= made.large
    assert 0 <= made.fused(0.3, 0.6) <= 1


@pytest.mark.parametrize(
    ("one", "other"),
    [(None, None), (1.5, 0.5), (0.5, -0.1), (float("nan"), 0.5), (None, float("nan")), (2.0, None)],
)
def test_what_is_no_probability_is_refused(one: float | None, other: float | None) -> None:
    with pytest.raises(ValueError, match="probabilit"):
        EVEN.fused(one, other)


def test_pairs_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="as many"):
        fit([0.5], [0.5, 0.6], [True, False], "")
    with pytest.raises(ValueError, match="between 0 and 1"):
        fit([0.5, float("nan")], [0.5, 0.6], [True, False], "")


def test_it_comes_back_the_same(tmp_path: Path) -> None:
    made = fit(*simulated(0, 200), data="simulated")
    save(made, tmp_path / "new" / "fusion.json")
    assert load(tmp_path / "new" / "fusion.json") == made
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["fusion.json"]


GOOD = json.loads(EVEN.model_dump_json())
BAD = [
    *("", "{}", "[1]", "not json", "\x00"),
    *(json.dumps(GOOD | change) for change in ({"small": -0.1}, {"large": "much"}, {"form": 2})),
    *(json.dumps(GOOD | change) for change in ({"more": 1}, {"pairs": -1}, {"bias": None})),
    json.dumps(GOOD).replace("0.5", "NaN"),
    json.dumps(GOOD).replace("0.5", "Infinity"),
]


@pytest.mark.parametrize("text", BAD)
def test_a_bad_file_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "fusion.json"
    path.write_text(text)
    with pytest.raises(WeightsError, match="no fusion of grounders") as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be read"):
        load(tmp_path / "fusion.json")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WeightsError, match="no fusion"):
        load(tmp_path / "binary")
