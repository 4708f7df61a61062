"""Every example that ``--help`` gives is run, as it stands there, by a shell."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from processes import ROOT, VMR, environment

from evals.manual import COMMANDS, examples
from vmr_agent import Settings, VMRAgent

sys.path.append(str(ROOT / "tests" / "metrics"))

from world import made

SERVES = {"serve", "mcp"}
"""Commands that work until they are stopped: their own tests start them."""
LONG = (
    *("vmr train ", "vmr demo --", "vmr index films/ "),
    'vmr find film.mp4 "a cup of coffee" --profile',
)
"""How examples begin that take seconds each."""
LESS = {"train": "--epochs 1"}
"""What a test adds, for want of time: the same with less of it."""
LINE = {
    "step": 2.0,
    "curves": {"a": [0, 1, 0], "b": [1, 0, 0]},
    "candidates": {"a": [[2, 4, 0.5]], "b": []},
    "moments": [[2, 4]],
}
EXAMPLES = [
    (name, line)
    for name in COMMANDS
    if name not in SERVES
    for line in examples(name)
    if line.startswith("vmr ")
]


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory,
    demo_film: Path,
    demo_agent: VMRAgent,
    new_home: Path,
    colours: Path,
) -> Path:
    """What the examples speak of, and ``vmr`` itself, at home in ``home``."""
    here = tmp_path_factory.mktemp("examples")
    demo_agent.index(demo_film)
    shutil.copytree(new_home / "shelf", here / "home" / "shelf")
    (here / "home" / "weights").symlink_to((new_home / "weights").resolve())
    (here / "films").mkdir()
    for name in ("film.mp4", "more.mkv", "films/film.mp4"):
        (here / name).symlink_to(demo_film)
    shutil.copy(colours, here / "old.mp4")
    VMRAgent(Settings(home=here / "home")).index(here / "old.mp4")
    (here / "film.json").symlink_to(demo_film.with_suffix(".json"))
    rows, truth = made()
    for name in ("mine.jsonl", "theirs.jsonl"):
        write(here / name, rows)
    for name in ("highlight_val_release.jsonl", "test.jsonl"):
        write(here / name, truth)
    write(here / "questions.jsonl", [LINE] * 40)
    (here / "charades_test.txt").write_text("AO8RW 0.0 6.9##a person closes a book.\n")
    row = {"qid": 1, "query": "a person closes a book.", "vid": "AO8RW"}
    write(here / "ours.jsonl", [{**row, "pred_relevant_windows": [[0, 7, 1.0]]}])
    (here / "bin").mkdir()
    program = here / "bin" / "vmr"
    program.write_text(f'#!/bin/sh\nexec "{VMR[0]}" -m vmr_agent "$@"\n')
    program.chmod(0o755)
    return here


def write(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        pytest.param(name, line, marks=[pytest.mark.slow] * line.startswith(LONG), id=line)
        for name, line in EXAMPLES
    ],
)
def test_an_example_runs(name: str, line: str, folder: Path) -> None:
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    told = {**environment(folder / "home", PATH=path), "HOME": str(folder)}
    for place in (".local/share/bash-completion/completions", ".zfunc", ".config/fish/completions"):
        (folder / place).mkdir(parents=True, exist_ok=True)
    less, sign, out = line.partition(" > ")
    run = subprocess.run(
        ["bash", "-c", f"{less} {LESS.get(name, '')}{sign}{out}"],
        cwd=folder,
        env=told,
        capture_output=True,
        encoding="utf-8",
        timeout=200,
        check=False,
    )
    assert run.returncode in ((0, 1) if "lean" in line else (0,)), run.stderr
    assert "Traceback" not in run.stderr


def test_no_command_is_left_out() -> None:
    assert {name for name, _ in EXAMPLES} == set(COMMANDS) - SERVES
