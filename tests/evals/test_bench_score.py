"""Timing ``vmr score`` and a script beside it: what is compared, and what is written down."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from evals import bench
from evals.bench_score import OURS, THEIRS, summary

sys.path.append(str(Path(__file__).parents[1] / "metrics"))

from world import made

SCRIPT = """
import argparse, json
from vmr_agent.metrics.qvhighlights import evaluate

def eval_main():
    parser = argparse.ArgumentParser()
    for name in ("submission", "gt", "save"):
        parser.add_argument(f"--{{name}}_path")
    parser.add_argument("--not_verbose", action="store_true")
    args = parser.parse_args()
    rows, truth = ([json.loads(l) for l in open(p)] for p in (args.submission_path, args.gt_path))
    found = evaluate(rows, truth)
    found["brief"]["MR-full-mAP"] += {off}
    open(args.save_path, "w").write(json.dumps(found))
"""


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    paths = []
    for name, rows in zip(("predictions", "truth"), made(), strict=True):
        paths.append(tmp_path / f"{name}.jsonl")
        paths[-1].write_text("".join(json.dumps(row) + "\n" for row in rows))
    files = ["--predictions", str(paths[0]), "--ground-truth", str(paths[1])]
    return ["score", *files, "--runs", "2", "--json", str(tmp_path / "out.json")]


def beside(folder: Path, off: float) -> list[str]:
    """A script of the official one's form, whose mAP is off by so much."""
    (folder / "standalone_eval").mkdir()
    (folder / "standalone_eval" / "eval.py").write_text(SCRIPT.format(off=off))
    return ["--official", str(folder)]


def test_both_are_timed_in_turn(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main([*words, *beside(tmp_path, 0)]) == 0
    entry = json.loads((tmp_path / "out.json").read_text())["score 40 queries"]
    assert [run["who"] for run in entry["runs"]] == [OURS, THEIRS] * 2
    assert set(entry["about"]) == {"predictions.jsonl", "truth.jsonl", "official"}
    assert set(entry["summary"]) == {OURS, THEIRS, "times"}
    assert OURS in capsys.readouterr().out


def test_figures_that_differ_end_it(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main([*words, *beside(tmp_path, 0.01)]) == 2
    assert "do not say the same" in capsys.readouterr().err


def test_a_folder_without_the_script(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main([*words, "--official", str(tmp_path)]) == 2
    assert "has no standalone_eval/eval.py" in capsys.readouterr().err


def test_medians_and_their_ratio() -> None:
    took = [(OURS, 1.0), (THEIRS, 8.0), (OURS, 3.0), (THEIRS, 9.0), (OURS, 2.0), (THEIRS, 30.0)]
    found = summary([{"who": who, "seconds": s, "cpu": s / 2} for who, s in took])
    assert found[OURS] == {"seconds": 2.0, "cpu": 1.0}
    assert found["times"] == {"seconds": 4.5, "cpu": 4.5}
