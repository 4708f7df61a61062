"""The command that reports on runs: what it prints and writes, and what it says of a mistake."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from evals_runs import failed, header, samples, write

from evals.logbook import Sample
from evals.report import main
from evals.reporting.content import content
from evals.reporting.runs import load, together


def made(path: Path, **more: Any) -> Path:
    return write(path, samples(60, **more), header())


def command(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = main([str(word) for word in words])
    return code, *capsys.readouterr()


def test_the_command_prints_tables_and_writes_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = made(tmp_path / "a.jsonl")
    code, out, err = command(capsys, path)
    assert code == 0
    assert "\x1b" not in out
    value = content([load(path)]).sides[0].headlines[0].official.value
    assert f"{value:.2f}" in out
    assert (tmp_path / "a.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert "a.html" in err
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.html", "a.jsonl"]


def test_json_has_the_same_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [made(tmp_path / "a.jsonl"), made(tmp_path / "b.jsonl", seed=1)]
    code, out, _ = command(capsys, *paths, "--json", "--out", tmp_path / "p.html")
    told, known_ = json.loads(out), content(together(paths))
    assert code == 0
    for mine, its in zip(told["sides"], known_.sides, strict=True):
        found = {each["name"]: each["official"]["value"] for each in mine["headlines"]}
        assert found == {each.name: each.official.value for each in its.headlines}
    assert len(told["matrix"]) == 2


def one_line(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    code, out, err = command(capsys, *words)
    assert (code, out) == (2, "")
    assert err.startswith("report: ")
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize(
    "content_", [b"", b"{}\n", b"\xff\xfe\n", b"[1]\n", b"[" * 100_000 + b"\n", b'{"kind": []}\n']
)
def test_a_file_that_is_no_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content_: bytes
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content_)
    assert "a.jsonl" in one_line(capsys, path)
    assert not (tmp_path / "a.html").exists()


def test_other_things_that_cannot_be_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = made(tmp_path / "a.jsonl")
    assert "cannot be read" in one_line(capsys, tmp_path / "none.jsonl")
    other = write(tmp_path / "b.jsonl", samples(6), header("charades-sta"))
    assert "not of one dataset" in one_line(capsys, path, other)
    digest = write(tmp_path / "c.jsonl", samples(6), header(dataset={"sha256": "cd" * 32}))
    assert "annotations" in one_line(capsys, path, digest)
    split = write(tmp_path / "d.jsonl", samples(6), header(dataset={"split": "test"}))
    assert "split" in one_line(capsys, path, split)
    empty = write(tmp_path / "e.jsonl", [failed(1)], header())
    assert "no finished sample" in one_line(capsys, empty)
    elsewhere = [each.model_copy(update={"id": f"x{each.id}"}) for each in samples(6)]
    apart = write(tmp_path / "f.jsonl", elsewhere, header())
    assert "in common" in one_line(capsys, path, apart)
    endless = write(tmp_path / "g.jsonl", [_endless(samples(1)[0])], header())
    assert "g.jsonl" in one_line(capsys, endless)


def _endless(one: Sample) -> Sample:
    return one.model_copy(update={"seconds": math.inf})


def test_an_output_that_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = made(tmp_path / "a.jsonl")
    other = made(tmp_path / "other.jsonl")
    before = path.read_bytes()
    for run in (path, other):
        assert "is a run" in one_line(capsys, path, "--out", run)
    assert "is a folder" in one_line(capsys, path, "--out", tmp_path)
    assert "no folder" in one_line(capsys, path, "--out", tmp_path / "none" / "p.html")
    assert "cannot be written" in one_line(capsys, path, "--out", tmp_path / ("x" * 250))
    assert "cannot be written" in one_line(capsys, path, "--out", tmp_path / ("x" * 300))
    assert "is a folder" in one_line(capsys, ".")
    assert path.read_bytes() == other.read_bytes() == before
    assert {each.name for each in tmp_path.iterdir()} == {"a.jsonl", "other.jsonl"}
