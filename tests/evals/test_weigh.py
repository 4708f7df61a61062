"""What a gate is worth: both columns differ in the gate alone, and figures add up."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import toy_gate as toy

from evals import hearing, weigh
from evals.hearing import RIGHT
from evals.lessons import lessons
from evals.needle import gather
from evals.weigh import Round, Told, compared, gathered, main, outcome, simulated
from vmr_agent import Settings
from vmr_agent.adapters.gate import SIDES, STEP


def made(seen: float, heard: float, *moments: tuple[float, float], kind: str) -> Round:
    """A minute; something is seen from 10 to 20 s, and heard from 40 to 50 s."""
    rows = np.full((2, 120), 0.01, np.float32)
    rows[0, 20:40], rows[1, 80:100] = seen, heard
    return Round("a dog", kind, moments, 1, 0.5, ("picture", "speech"), rows, [0.0, 10, 20, 40, 50])


def test_a_gate_that_knows_mends_what_is_wrong() -> None:
    search = [made(0.8, 0.7, (40.0, 50.0), kind="heard")]
    even, (first, *_) = outcome(search, None, Settings()), search
    told = outcome(search, Told("heard"), Settings())
    assert round(even.given.windows[0][0]) == 10
    assert [round(a) for a, _, _ in told.given.windows] == [40]
    assert (even.importance, told.importance) == (0.5, 0.85)
    assert even.recalled == told.recalled == [True]
    assert first.request is not None


def test_what_has_one_side_alone_is_not_compared() -> None:
    searches = [
        [made(0.8, 0.01, (10.0, 20.0), kind="seen")],
        [made(0.8, 0.7, (10.0, 20.0), kind="seen")],
        [made(0.3, 0.7, kind="absent")],
    ]
    told = compared(searches, Told("seen"), Settings())
    assert list(told) == ["seen", "absent", "all"]
    assert [told[kind]["even"]["queries"] for kind in told] == [1, 1, 2]
    assert told["absent"]["even"]["false alarms"] == 100
    assert told["absent"]["gate"]["false alarms"] == 0
    assert told["all"]["gate"]["importance"] == 0.15
    assert told["all"]["told"]["importance"] == pytest.approx(0.325)
    assert (told["absent"]["gate"]["won"], told["all"]["gate"]["lost"]) == (1, 0)


def test_films_are_as_their_kind_says() -> None:
    dice, seen = np.random.default_rng(0), set[str]()
    for _ in range(40):
        film = hearing.heard(dice, toy.WORLD)
        seen.add(film.right)
        assert film.rows.shape[0] == len(film.channels)
        assert ((film.rows >= 0) & (film.rows <= 1)).all()
        assert (len(film.moments) == 0) == (film.right == "absent")
        assert (film.moments <= film.duration + 1e-6).all()
        request = hearing.request(film)
        assert request is not None
        assert request.seen_at
        assert request.heard_at
    assert seen == set(RIGHT)


def test_lessons_are_what_the_agent_asks() -> None:
    (line,) = lessons("gate", 1, seed=4)
    assert tuple(line["curves"]) == tuple(line["candidates"]) == SIDES
    assert line["step"] == STEP
    film = hearing.heard(np.random.default_rng(4))
    moments = np.reshape(line["moments"], (-1, 2))
    np.testing.assert_allclose(moments, film.moments, atol=1e-3)
    assert len(line["curves"]["seen"]) == -(-len(film.rows[0]) // round(STEP / hearing.FINE))


def test_gathered_rounds_are_searches(tmp_path: Path) -> None:
    told = made(0.8, 0.7, (10.0, 20.0), kind="single")
    rows = [
        gather.Round(
            "film",
            60.0,
            "a dog",
            "single",
            False,
            [(10.0, 20.0)],
            turn,
            2,
            True,
            0.5,
            told.channels,
            [],
            [],
            [],
            f"film/0/{turn}",
            "film/cuts",
        )
        for turn in (1, 2)
    ]
    arrays = {"film/0/1": told.rows, "film/0/2": told.rows, "film/cuts": np.array(told.cuts)}
    gather.save(tmp_path / "rounds.jsonl", rows, arrays)
    ((first, second),) = gathered(tmp_path / "rounds.jsonl")
    assert (first.turn, second.turn) == (1, 2)
    assert outcome([first, second], None, Settings()).given.windows


def test_the_command_keeps_what_it_tells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "FILMS", toy.WORLD)
    folder = toy.written(tmp_path / "gate", toy.trained())
    out = tmp_path / "gate.json"
    assert main(["--simulated", "12", "--gate", str(folder), "--out", str(out)]) == 0
    told = json.loads(out.read_text())
    assert told["gate"].startswith("audio gate ")
    assert told["simulated questions"]["all"]["gate"]["queries"] == 12
    assert "all, even" in capsys.readouterr().out
    assert len([*simulated(3, 0)]) == 3


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["gone.jsonl", "--gate", "nowhere"], "not what gather writes"),
        (["--simulated", "1", "--gate", "nowhere"], "no checkpoint"),
    ],
)
def test_what_is_wrong_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    words = [str(tmp_path / word) if "." in word or word == "nowhere" else word for word in words]
    assert main(words) == 2
    assert says in capsys.readouterr().err
    assert weigh.__doc__
