"""Where the dear look goes: seconds are kept to, and what a way of looking meets adds up."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals import lessons
from evals.needle import looks, met
from evals.needle.__main__ import main
from evals.needle.gather import Round, save
from evals.refine.rows import write
from vmr_agent import Settings
from vmr_agent.grounding.selector import Seen
from vmr_agent.grounding.training.data import from_file
from vmr_agent.grounding.training.job import Asked, prepare
from vmr_agent.grounding.training.trainers import trained
from vmr_agent.types import Span

LONG = 120  # seconds of a film
MOMENT = (60.0, 70.0)


def told(
    turn: int, query: str = "a dog", moments: tuple[tuple[float, float], ...] = (MOMENT,)
) -> Round:
    name = f"film/{query}/{turn}"
    clips = [(56.0, 74.0, 0.9)] if turn == 1 else [(0.0, 9.0, 0.2)]
    return Round(
        film="film",
        duration=float(LONG),
        query=query,
        kind="single",
        spoken=False,
        moments=[*moments],
        turn=turn,
        turns=2,
        passing=True,
        step=0.5,
        channels=("picture",),
        clips=clips,
        proposals=[],
        answer=[],
        curves=name,
        cuts="film/cuts",
    )


def curve(first: float, last: float) -> np.ndarray:
    times = np.arange(2 * LONG) / 2
    return np.where((times >= first) & (times < last), 0.9, 0.01)[None].astype(np.float32)


@pytest.fixture
def rounds(tmp_path: Path) -> Path:
    """Of one query there is a curve that shows it; nothing is asked about what is not there."""
    path, cuts = tmp_path / "rounds.jsonl", np.arange(0.0, LONG, 10.0)
    rows = [told(1), told(2), told(1, "a cat", ())]
    arrays = {each.curves: curve(60, 70) for each in rows} | {"film/cuts": cuts}
    save(path, rows, arrays)
    return path


@pytest.fixture(scope="module")
def selector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained by the command's own way, from lessons."""
    folder = tmp_path_factory.mktemp("selector")
    world = lessons.FILMS._replace(steps=(60, 80))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lessons, "WHOLE", world)
        write(folder / "looks.jsonl", [*lessons.lessons("looks", 12, 0)])
    two, plan = (looks.FREE, looks.DEAR), (0, 1, 12, 2e-3, 0.0, "cpu")
    data = str(folder / "looks.jsonl")
    trained(prepare(Asked("selector", data, folder / "S", "Apache-2.0", two, *plan)))
    return folder / "S"


# ── what is learned from ──────────────────────────────────────────────────────────────────────


def test_lessons_are_whole_films_of_which_a_look_tells(tmp_path: Path) -> None:
    write(tmp_path / "looks.jsonl", [*lessons.lessons("looks", 6, 1)])
    data = from_file(tmp_path / "looks.jsonl", "Apache-2.0")
    assert (data.channels, data.sources) == (("fused", "look"), ("fused",))
    assert data.step == looks.STEP
    for asked, moments in zip(data.questions, data.moments, strict=True):
        assert 120 <= looks.STEP * len(asked.curves) <= 240 + looks.STEP
        inside = np.zeros(len(asked.curves), bool)
        for start, end in moments:
            inside[int(np.ceil(start)) : int(end)] = True
        if inside.any():
            assert asked.curves[inside, 1].mean() > asked.curves[~inside, 1].mean() + 1


def test_a_look_is_right_but_for_its_noise() -> None:
    dice, steps = np.random.default_rng(0), int(LONG / looks.STEP)
    said = np.stack([looks.said(np.array([MOMENT]), [0.0, 30.0], steps, dice) for _ in range(400)])
    first, last, shot = (int(time / looks.STEP) for time in (*MOMENT, 30))
    assert said[:, first:last].mean() == pytest.approx(looks.SURE, abs=0.15)
    assert said[:, :shot].mean() == pytest.approx(-looks.SURE, abs=0.15)
    # A shot's error is one: it does not average out over its steps.
    assert said[:, shot:first].mean(axis=1).std() == pytest.approx(looks.BY_SHOT, rel=0.2)


# ── how it is spent ───────────────────────────────────────────────────────────────────────────


@given(st.integers(1, 90), st.integers(0, 120), st.integers(0, 6), st.integers(0, 2**32 - 1))
def test_so_many_steps_are_seen_and_none_twice(
    steps: int, budget: int, pad: int, seed: int
) -> None:
    dice, asked = np.random.default_rng(seed), list[int]()

    def look(where: np.ndarray) -> np.ndarray:
        asked.extend(where.tolist())
        return np.zeros(len(where), np.float32)

    there = looks.spent(lambda _: dice.random(steps, np.float32), look, budget, pad)
    assert int(there.sum()) == len(asked) == len({*asked}) == min(budget, steps)
    assert int(looks.evenly(steps, budget, pad).sum()) == min(budget, steps)


def test_a_clip_lies_around_the_best_step_and_later_rounds_know_what_was_seen() -> None:
    dear = np.zeros(60, np.float32)
    dear[30] = 1
    known = list[int]()

    def taste(seen: Seen) -> np.ndarray:
        known.append(len(seen.steps))
        worth = np.zeros(60, np.float32)
        worth[50 if 1 in seen.values else 30] = 1
        return worth

    there = looks.spent(taste, dear.take, 10, 2)
    assert np.flatnonzero(there).tolist() == [28, 29, 30, 31, 32, 48, 49, 50, 51, 52]
    assert known == [0, 0, 5]


def test_the_hand_rule_looks_at_the_peak_first_then_where_nobody_has(rounds: Path) -> None:
    (case,) = met.cases_of(rounds, Settings(), 0)
    first, both = (case.hand[f"places of {name}"] for name in ("round 1", "both rounds"))
    peak = Span(start=60.0, end=70.0)
    assert sum(map(peak.overlap, first)) == pytest.approx(10)
    assert sum(span.length for span in both) > sum(span.length for span in first)
    assert case.hand["clips of round 1"] == (Span(start=56.0, end=74.0),)
    assert len(case.hand["clips of both rounds"]) == 2
    assert len(case.asked.curves) == LONG / looks.STEP
    assert (looks.STEP * case.asked.candidates[0][0][:2]).tolist() == [60, 70]


# ── what comes of it ──────────────────────────────────────────────────────────────────────────


def test_what_is_met() -> None:
    seen = (Span(start=0.0, end=4.0), Span(start=10.0, end=12.0))
    assert met.shares(seen, [(0.0, 6.0), (11.0, 20.0)]) == (1.0, 0.5)
    assert met.shares(seen, [(5.0, 9.0), (3.0, 20.0)]) == (0.5, 0.0)
    assert met.shares((), [(5.0, 9.0)]) == (0.0, 0.0)


def test_an_interval_knows_that_queries_about_the_same_moments_are_one() -> None:
    less = np.random.default_rng(0).normal(5, 10, (60, 1))
    (mean, low, high), (_, wide, wider) = (
        met.interval(np.repeat(less, by, axis=0), names)[0]
        for by, names in ((1, [str(n) for n in range(60)]), (4, [str(n // 4) for n in range(240)]))
    )
    assert low < mean < high
    assert (wide, wider) == pytest.approx((low, high), abs=0.05)


def test_all_ways_are_compared_at_the_same_budgets(
    rounds: Path, selector: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, other = tmp_path / "looks.json", tmp_path / "again.json"
    words = ["looks", str(rounds), "--selector", str(selector), "--out"]
    assert main([*words, str(out)]) == 0
    printed = capsys.readouterr().out
    assert main([*words, str(other)]) == 0
    assert (capsys.readouterr().out, other.read_text()) == (printed, out.read_text())
    told = json.loads(out.read_text())
    assert (told["queries"], told["films"]) == (1, ["film"])
    assert list(told["budgets"]) == [*looks.BUDGETS]
    budget = told["budgets"]["clips of round 1"]
    assert budget["seconds"] == 18
    assert budget["all"]["by hand"] == budget["all"]["top"] == {"met": 100, "half": 100}
    assert budget["all"] == budget["kinds"]["single"]
    assert [*budget["less"]["by hand"]] == ["selector", "likely", "top"]
    assert [*budget["less"]["top"]] == ["selector", "likely"]
    assert budget["less"]["by hand"]["top"]["met"] == [0, 0, 0]


def test_what_cannot_be_compared_is_told(
    rounds: Path, selector: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty.jsonl"
    save(empty, [told(1, "a cat", ())], {"film/a cat/1": curve(0, 1), "film/cuts": np.zeros(1)})
    for path, folder, code in ((empty, selector, 2), (rounds, tmp_path, 3)):
        out = tmp_path / "none.json"
        words = ["looks", str(path), "--selector", str(folder), "--out", str(out)]
        assert main(words) == code
        assert capsys.readouterr().err.startswith("needle: ")
        assert not out.exists()
