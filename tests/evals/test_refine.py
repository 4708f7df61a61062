"""Refining another system's predictions: any file, folds by video, the same every time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.refine import rows as files
from evals.refine.__main__ import main
from evals.refine.cross import apart, folds
from evals.refine.table import figures, strict_recall, told_and_right
from vmr_agent.adapters.grounder import shipped
from vmr_agent.grounding.training.data import from_file
from vmr_agent.grounding.training.simulate import World, simulate
from vmr_agent.metrics.calibration import calibration_error

QUERIES = 30


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A submission and its ground truth, of films that never were."""
    folder, dice = tmp_path_factory.mktemp("refine"), np.random.default_rng(0)
    world = World(steps=(30, 30), counts=(0.0, 0.7, 0.3), clear=(1.0, 2.0))
    told, true = [], []
    for qid in range(QUERIES):
        question, moments = simulate(world, dice)
        about = {"qid": qid, "query": f"thing {qid}", "vid": f"video-{qid % 10:05d}_0.0_60.0"}
        windows = [[2 * a, 2 * b, s] for a, b, s in question.candidates[0].astype(float).tolist()]
        told.append(
            about
            | {files.WINDOWS: windows, files.CURVE: question.curves[:, 0].astype(float).tolist()}
        )
        true.append(about | {"duration": 60, files.TRUTH: (2 * moments.astype(int)).tolist()})
    return written(folder / "told.jsonl", told), written(folder / "true.jsonl", true)


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def refine(made: tuple[Path, Path], out: Path, *more: str) -> list[dict[str, Any]]:
    words = ["--predictions", str(made[0]), "--ground-truth", str(made[1]), "--out", str(out)]
    assert main([*words, "--folds", "2", "--epochs", "1", *more]) == 0
    return files.read(out, files.WINDOWS)


def test_every_query_gets_ten_windows_best_first(made: tuple[Path, Path], tmp_path: Path) -> None:
    found = refine(made, tmp_path / "out.jsonl")
    assert [row["qid"] for row in found] == list(range(QUERIES))
    for row in found:
        windows = np.array(row[files.WINDOWS])
        assert windows.shape == (10, 3)
        assert np.isfinite(windows).all()
        assert (np.diff(windows[:, 2]) < 0).all()
        assert (windows[:, 0] < windows[:, 1]).all()
        assert windows[:, 1].max() <= 60
        assert len(row[files.CURVE]) == 30


@pytest.mark.slow
def test_the_same_seed_gives_the_same_file(made: tuple[Path, Path], tmp_path: Path) -> None:
    """Whatever the number of workers."""
    one, other = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
    refine(made, one, "--seed", "1")
    refine(made, other, "--seed", "1", "--workers", "1")
    assert one.read_bytes() == other.read_bytes()


def test_what_is_learned_from_one_file_answers_another(
    made: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told, true = map(str, made)
    out = tmp_path / "out.jsonl"
    words = ["--train-on", told, "--ground-truth", true, "--predict", told, "--out", str(out)]
    assert main([*words, "--epochs", "1", "--table"]) == 0
    assert len(files.read(out)) == QUERIES
    assert capsys.readouterr().out.splitlines()[-1].split()[0] == "refined"


@pytest.mark.slow
def test_several_files_are_used_together(made: tuple[Path, Path], tmp_path: Path) -> None:
    assert len(refine(made, tmp_path / "out.jsonl", "--predictions", str(made[0]))) == QUERIES


def test_what_is_exported_is_what_would_be_learned_from(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    told, true = made
    other, out = tmp_path / "other.jsonl", tmp_path / "out.jsonl"
    other.write_bytes(told.read_bytes())
    words = ["--predictions", str(told), "--predictions", str(other), "--ground-truth", str(true)]
    assert main([*words, "--export", str(out)]) == 0
    asked = files.joined([files.read(path) for path in (told, other)])
    read = from_file(out, "CC0")
    assert (read.channels, read.sources, read.step) == (("told", "other"), ("told", "other"), 2.0)
    assert len(set(read.films)) == 10
    for rows, question in zip(asked, read.questions, strict=True):
        wanted = files.question(rows)
        np.testing.assert_allclose(question.curves, wanted.curves, atol=1e-5)
        for one, same in zip(question.candidates, wanted.candidates, strict=True):
            np.testing.assert_allclose(one, same, atol=1e-5)
    for one, same in zip(read.moments, files.moments(asked, files.read(true)), strict=True):
        np.testing.assert_allclose(one, same)


def test_two_sources_of_one_name_are_refused(
    made: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--predictions", str(made[0])] * 2 + ["--ground-truth", str(made[1])]
    assert main([*words, "--export", str(tmp_path / "out.jsonl")]) == 2
    assert "two files are called 'told'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "has no rows"),
        ([{"qid": 1}], "has no vid, pred_relevant_windows"),
        ([{"qid": 1, "vid": "a", files.WINDOWS: []}] * 2, "has a qid twice"),
        ([{"qid": 1, "vid": "a", files.WINDOWS: [[0, 2, float("nan")]]}], "finite number"),
        ([{"qid": 1, "vid": "a", files.WINDOWS: [[0, 2]]}], "at least 3 items"),
        ([{"qid": 1, "vid": "a", files.WINDOWS: None}], "valid list"),
        ([{"qid": [1], "vid": "a", files.WINDOWS: []}], "qid"),
        ([{"qid": 1, "vid": "a", files.WINDOWS: [], files.CURVE: ["a"]}], "valid number"),
        ([5], "is no object"),
    ],
)
def test_a_bad_file_is_one_line(
    made: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    rows: list[Any],
    says: str,
) -> None:
    bad, out = written(tmp_path / "bad.jsonl", rows), tmp_path / "out.jsonl"
    words = ["--predictions", str(bad), "--ground-truth", str(made[1]), "--out", str(out)]
    assert main(words) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert says in told
    assert not out.exists()


@pytest.mark.parametrize(
    ("windows", "says"),
    [
        ([[20, 10]], "does not begin before it ends"),
        ([[-4, 10]], "does not begin before it ends"),
        ([[4, 4]], "does not begin before it ends"),
        ([[200, 210]], "behind the end of its curve"),
        ([["a", 4]], "valid number"),
        ([4, 8], "valid list"),
    ],
)
def test_truth_that_cannot_be_is_one_line(
    made: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    windows: object,
    says: str,
) -> None:
    rows = files.read(made[1])
    bad = written(tmp_path / "bad.jsonl", [rows[0] | {files.TRUTH: windows}, *rows[1:]])
    out = tmp_path / "out.jsonl"
    words = ["--predictions", str(made[0]), "--ground-truth", str(bad), "--out", str(out)]
    assert main(words) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert says in told
    assert not out.exists()


def test_one_video_is_not_enough_to_learn_from_and_enough_to_be_asked(
    made: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = [row for row in files.read(made[0]) if row["vid"] == "video-00000_0.0_60.0"]
    told, out = written(tmp_path / "one.jsonl", one), tmp_path / "out.jsonl"
    words = ["--predictions", str(told), "--ground-truth", str(made[1]), "--out", str(out)]
    assert main([*words, "--epochs", "1"]) == 2
    assert "nothing is left to learn from" in capsys.readouterr().err
    assert main([*words, "--epochs", "0"]) == 0
    assert len(files.read(out)) == len(one)


def test_weights_of_two_curves_are_no_beginning(
    made: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begin = shipped("agent")
    assert begin is not None
    words = ["--predictions", str(made[0]), "--ground-truth", str(made[1]), "--epochs", "0"]
    assert main([*words, "--begin", str(begin), "--out", str(tmp_path / "out.jsonl")]) == 2
    assert "reads 2 curves and 1 sources" in capsys.readouterr().err


def test_a_query_may_hold_any_line_end(tmp_path: Path) -> None:
    row = {"qid": 1, "vid": "a", "query": "one\u2028two\x85three"}
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    assert files.read(path) == [row]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--predictions", "a", "--train-on", "b"],
        ["--train-on", "a"],
        ["--predictions", "a"],
        ["--train-on", "a", "--predict", "b", "--export", "c"],
        ["--predictions", "a", "--table", "--sharpness", "0"],
        ["--predictions", "a", "--table", "--rate", "0"],
        ["--predictions", "a", "--table", "--rate", "nan"],
        ["--predictions", "a", "--table", "--seed", "-1"],
    ],
)
def test_a_call_that_asks_for_nothing_is_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main(["--ground-truth", "gt", *words])
    assert error.value.code == 2


def test_figures_of_what_has_no_truth_are_refused_before_the_work(
    made: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told, true = made
    new = tmp_path / "new.jsonl"
    files.write(new, [row | {"qid": 1000 + row["qid"]} for row in files.read(told)])
    words = ["--train-on", str(told), "--ground-truth", str(true), "--predict", str(new)]
    out = tmp_path / "out.jsonl"
    assert main([*words, "--out", str(out), "--table"]) == 2
    assert "no windows for qid 1000" in capsys.readouterr().err
    assert not out.exists()


def test_where_nothing_can_be_written_is_said_before_the_work(
    made: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--predictions", str(made[0]), "--ground-truth", str(made[1])]
    for out in (tmp_path, tmp_path / "none" / "out.jsonl"):
        with pytest.raises(SystemExit):
            main([*words, "--out", str(out)])
        assert "cannot be written" in capsys.readouterr().err


def test_a_video_is_in_one_fold() -> None:
    videos = [f"v{number % 7}" for number in range(100)]
    held_out = folds(videos, 3, seed=0)
    assert all(
        len({f for f, v in zip(held_out, videos, strict=True) if v == w}) == 1 for w in videos
    )
    assert sorted(set(held_out.tolist())) == [0, 1, 2]


def test_a_file_without_a_curve_is_read_by_its_windows() -> None:
    row = {"qid": 1, "vid": "a", files.WINDOWS: [[4, 10, 0.9], [0, 2, 0.2]]}
    question = files.question([row])
    assert question.curves[:, 0].tolist() == pytest.approx([0.2, 0, 0.9, 0.9, 0.9])


def test_scores_that_are_no_shares_become_some() -> None:
    row = {"qid": 1, "vid": "a", files.WINDOWS: [[0, 2, -3.0], [2, 6, 4.0]], files.CURVE: [0, 1, 1]}
    windows = files.question([row]).candidates[0]
    assert windows[0, :2].tolist() == [1, 3]
    assert (windows[:, 2] > 0).all()
    assert (windows[:, 2] < 1).all()


def test_fewer_windows_than_asked_for_are_missed() -> None:
    truth = [{"qid": n, files.TRUTH: [[0, 2], [4, 6], [8, 10]]} for n in range(2)]
    whole = [[0, 2, 0.9], [4, 6, 0.8], [8, 10, 0.7]]
    told = [{"qid": 0, files.WINDOWS: whole}, {"qid": 1, files.WINDOWS: whole[:2]}]
    assert strict_recall(told, truth, 3) == 50.0
    assert figures(told, [t | {"duration": 150} for t in truth])["mR@3"] == 100.0


def test_scores_that_are_probabilities_have_no_calibration_error() -> None:
    truth = [{"qid": n, files.TRUTH: [[0, 2]]} for n in range(10)]
    sure = [{"qid": n, files.WINDOWS: [[0, 2, 1.0]]} for n in range(10)]
    half = [
        {"qid": n, files.WINDOWS: [[0 if n % 2 else 50, 2 if n % 2 else 60, 0.5]]}
        for n in range(10)
    ]
    wrong = [{"qid": n, files.WINDOWS: [[50, 60, 0.9]]} for n in range(10)]
    assert calibration_error(*told_and_right(sure, truth)) == 0
    assert calibration_error(*told_and_right(half, truth)) == 0
    assert calibration_error(*told_and_right(wrong, truth)) == pytest.approx(0.9)


@given(
    st.lists(st.sampled_from("abcdefgh"), min_size=1),
    st.lists(st.sampled_from("efghijkl"), min_size=1),
    st.integers(2, 5),
    st.integers(0, 9),
)
def test_no_query_is_asked_of_what_learned_from_its_video(
    known: list[str], asked: list[str], count: int, seed: int
) -> None:
    theirs, ours = apart(known, asked, count, seed)
    for number in set(ours.tolist()):
        learned = {video for video, fold in zip(known, theirs, strict=True) if fold != number}
        held_out = {video for video, fold in zip(asked, ours, strict=True) if fold == number}
        assert learned.isdisjoint(held_out)
    if set(known).isdisjoint(asked):
        assert set(ours.tolist()) == {0}
        assert 0 not in theirs
