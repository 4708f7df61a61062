"""Looking at a part of another file's curve: folds by video, a budget kept, nothing else read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.refine import rows as files
from evals.refine.__main__ import main
from evals.refine.rules import RULES
from evals.refine.selector import film, kept
from vmr_agent.grounding.training.simulate import World, simulate

QUERIES, STEPS = 20, 30
WORLD = World(steps=(STEPS, STEPS), counts=(0.0, 0.7, 0.3), clear=(1.0, 2.0))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A free file, one to look into, and the truth, of films that never were."""
    folder, dice = tmp_path_factory.mktemp("selector"), np.random.default_rng(0)
    free, look, true = [], [], []
    for qid in range(QUERIES):
        question, moments = simulate(WORLD, dice)
        about = {"qid": qid, "query": f"thing {qid}", "vid": f"video-{qid % 10:05d}_0.0_60.0"}
        windows = [[2 * a, 2 * b, s] for a, b, s in question.candidates[0].astype(float).tolist()]
        curve = question.curves[:, 0].astype(float)
        dear = curve + dice.normal(0, 0.2, STEPS) - 9
        free.append(about | {files.WINDOWS: windows, files.CURVE: curve.tolist()})
        look.append(about | {files.WINDOWS: windows[::-1], files.CURVE: dear.tolist()})
        true.append(about | {"duration": 60, files.TRUTH: (2 * moments.astype(int)).tolist()})
    named = {"free": free, "look": look, "true": true}
    return [written(folder / f"{name}.jsonl", rows) for name, rows in named.items()]


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def words(free: Path, look: Path, truth: Path, *more: str) -> list[str]:
    asked = ["--selector", str(free), str(look), "--ground-truth", str(truth)]
    return [*asked, "--folds", "2", "--epochs", "1", *more]


@pytest.fixture(scope="module")
def told(made: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("told") / "out.jsonl"
    assert main(words(*made, "--out", str(out))) == 0
    return out


def test_every_query_gets_ten_windows_best_first(told: Path) -> None:
    found = files.read(told, files.WINDOWS)
    assert [row["qid"] for row in found] == list(range(QUERIES))
    for row in found:
        windows = np.array(row[files.WINDOWS])
        assert windows.shape == (10, 3)
        assert (np.diff(windows[:, 2]) < 0).all()
        assert windows[:, 1].max() <= 60


@pytest.mark.slow
def test_the_same_seed_gives_the_same_file_and_every_way_is_told(
    made: list[Path], told: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the number of workers, and with the windows of the file looked into left out."""
    free, look, truth = made
    bare = [row | {files.WINDOWS: []} for row in files.read(look)]
    out, blind = tmp_path / "out.jsonl", written(tmp_path / "look.jsonl", bare)
    more = ["--out", str(out), "--table", "--workers", "1"]
    assert main(words(free, blind, truth, *more)) == 0
    assert out.read_bytes() == told.read_bytes()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[-2:] == ["kept", "%"]
    ways = ["free", "look", "selector", "full look", "free only", *RULES]
    assert [line[:9].strip() for line in lines[1:]] == ways
    assert next(line for line in lines if "full look" in line).split()[-1] == "100"


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("budget", [0, 1, 6, STEPS])
def test_a_rule_keeps_its_budget_and_reads_nothing_else(rule: str, budget: int) -> None:
    for seed in range(20):
        question, _ = simulate(WORLD, np.random.default_rng(seed))
        dear = np.random.default_rng(seed + 100).normal(size=STEPS).astype(np.float32)
        paid: list[int] = []

        def look(steps: np.ndarray, paid: list[int] = paid, dear: np.ndarray = dear) -> np.ndarray:
            paid.extend(steps.tolist())
            return dear[steps]

        seen = RULES[rule](question, look, budget, np.random.default_rng(0))
        assert seen.steps.tolist() == paid
        assert len(set(paid)) == len(paid) == budget
        np.testing.assert_array_equal(seen.values, dear[seen.steps])


def test_only_the_curve_of_the_second_file_is_looked_into() -> None:
    about = {"qid": 1, "vid": "a", files.CURVE: [0.0, 1.0, 2.0]}
    free = about | {files.WINDOWS: [[0, 4, 0.9]]}
    look = about | {files.WINDOWS: [[2, 6, 0.8]], files.CURVE: [7.0, 8.0, 9.0]}
    found = film([free, look])
    assert [w[:, :2].tolist() for w in found.asked.candidates] == [[[0, 2]]]
    assert found.asked.curves.tolist() == [[0], [1], [2]]
    assert found.look(np.array([2, 0])).tolist() == [9, 7]


def test_what_is_kept_is_a_share_of_the_full_look() -> None:
    runs = {"full look": {"mAP": 40.0}, "selector": {"mAP": 38.0}}
    assert [found["kept %"] for found in kept(runs).values()] == [100, 95]


@pytest.mark.parametrize("more", [["--budget", "1.5"], ["--members", "3"], ["--predictions", "p"]])
def test_a_call_that_makes_no_sense_is_refused(made: list[Path], more: list[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main(words(*made, "--out", "never.jsonl", *more))
    assert error.value.code == 2


def test_files_about_other_queries_are_one_line(
    made: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    free, look, truth = made
    fewer = written(tmp_path / "fewer.jsonl", files.read(look)[1:])
    assert main(words(free, fewer, truth, "--out", str(tmp_path / "out.jsonl"))) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "answers other queries" in told
