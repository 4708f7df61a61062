"""Comparing submissions: differences, their intervals, and whether a gate knew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.refine.agreement import agreement, concatenated
from evals.refine.paired import main, table
from evals.refine.rows import TRUTH, WINDOWS
from evals.refine.table import figures as official
from vmr_agent.metrics.bootstrap import draws
from vmr_agent.metrics.strict import NAMES, tally

Rows = list[dict[str, Any]]


def made(seed: int, queries: int = 60) -> tuple[Rows, Rows, Rows]:
    """Two submissions, the second nearer to the truth, and the truth."""
    dice, truth, told = np.random.default_rng(seed), [], ([], [])
    for qid in range(queries):
        about = {"qid": qid, "query": "", "vid": f"video-{qid % 20:05d}_0.0_150.0", "duration": 150}
        starts = sorted(dice.choice(14, int(dice.integers(1, 5)), replace=False) * 10)
        windows = [[float(s), float(s + 2 * dice.integers(1, 5))] for s in starts]
        truth.append(about | {TRUTH: windows})
        for rows, off in zip(told, (6, 1), strict=True):
            near = [
                [w[0] + dice.normal(0, off), w[1] + 1 + abs(dice.normal(0, off))] for w in windows
            ]
            near += [[0.0, 150.0]] * (10 - len(near))
            rows.append(about | {WINDOWS: [[*w, 1 - n / 10] for n, w in enumerate(near)]})
    return told[0], told[1], truth


def test_its_figures_are_the_official_ones() -> None:
    first, _, truth = made(0)
    found = tally(first, truth).figures(np.ones((1, len(truth))))[0]
    known = official(first, truth)
    assert found == pytest.approx([known[name] for name in NAMES], abs=0.02)


def test_a_file_beside_itself_differs_by_nothing() -> None:
    first, _, truth = made(1)
    assert all(
        "+0.00   +0.00 to +0.00" in line for line in table(first, first, truth).split("\n")[1:]
    )


def test_a_better_file_is_told_from_chance() -> None:
    first, second, truth = made(2)
    line = next(line for line in table(first, second, truth).split("\n") if line.startswith("mAP "))
    low, _, high = line.split()[-3:]
    assert 0 < float(low) < float(high)


def test_queries_of_a_video_are_drawn_together() -> None:
    drawn = draws(["a", "b", "a", "c"], 200, 0)
    assert (drawn[:, 0] == drawn[:, 2]).all()
    assert (drawn[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert len(np.unique(drawn, axis=0)) > 1


def test_a_gate_that_knows_is_told_from_one_that_does_not() -> None:
    first, second, truth = made(3)
    second = [a if a["qid"] % 2 else b for a, b in zip(first, second, strict=True)]
    first = [b if a["qid"] % 2 else a for a, b in zip(first, made(3)[1], strict=True)]
    files = list(zip(first, second, strict=True))
    knows = np.array([1 - row["qid"] % 2 for row in first], np.float32)
    shares_ = [float(agreement(gate, files, truth).split()[2]) for gate in (knows, 1 - knows)]
    assert shares_[0] > 0.6
    assert shares_[1] < -0.6


def test_the_best_ten_of_all_files_are_in_order() -> None:
    first, second, _ = made(4)
    for row in concatenated(list(zip(first, second, strict=True))):
        scores = [window[2] for window in row[WINDOWS]]
        assert len(scores) == 10
        assert scores == sorted(scores, reverse=True)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = []
    for name, rows in zip("abc", made(5), strict=True):
        paths.append(tmp_path / f"{name}.jsonl")
        paths[-1].write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = [*map(str, paths[:2]), "--ground-truth", str(paths[2])]
    assert main(words) == 0
    assert all(name in capsys.readouterr().out for name in NAMES[:1])
    paths[1].write_text("")
    assert main(words) == 2
    assert "has no rows" in capsys.readouterr().err
