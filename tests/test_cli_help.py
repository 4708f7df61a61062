"""The help of every command: one style, examples that run, a page in docs that says the same."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from processes import ROOT, VMR, environment, in_terminal, vmr
from typer.main import get_command

from evals.manual import COMMANDS, PAGE, helped, manual
from vmr_agent import VMRAgent
from vmr_agent.cli.app import app

sys.path.append(str(ROOT / "tests" / "metrics"))

from world import made

COMMAND = get_command(app).commands  # type: ignore[attr-defined]
SILENT = {"completion", "eval", "serve", "mcp"}
"""Commands whose result is not theirs to shape: no ``--json``."""
SERVES = {"serve", "mcp"}
"""Commands that work until they are stopped: their own tests start them."""
LESS = {"train": "--epochs 1"}
"""What a test adds, for want of time: the same with less of it."""
LINE = {
    "step": 2.0,
    "curves": {"a": [0, 1, 0], "b": [1, 0, 0]},
    "candidates": {"a": [[2, 4, 0.5]], "b": []},
    "moments": [[2, 4]],
}


def examples(name: str) -> list[str]:
    lines = helped(name).split("Examples:\n", 1)[1].splitlines()
    return [line.strip() for line in lines]


EXAMPLES = [
    (name, line)
    for name in COMMANDS
    if name not in SERVES
    for line in examples(name)
    if line.startswith("vmr ")
]


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, demo_film: Path, demo_agent: VMRAgent, colours: Path
) -> Path:
    """What the examples speak of, and ``vmr`` itself."""
    here = tmp_path_factory.mktemp("examples")
    (here / "films").mkdir()
    for name in ("film.mp4", "more.mkv", "films/film.mp4"):
        (here / name).symlink_to(demo_film)
    shutil.copy(colours, here / "old.mp4")
    demo_agent.index(here / "old.mp4")
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


@pytest.mark.parametrize(("name", "line"), EXAMPLES, ids=[line for _, line in EXAMPLES])
def test_an_example_runs(name: str, line: str, folder: Path, new_home: Path) -> None:
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    told = {**environment(new_home, PATH=path), "HOME": str(folder)}
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


def test_every_command_has_two_examples_at_least() -> None:
    assert {name for name, _ in EXAMPLES} == set(COMMANDS) - SERVES
    for name in COMMANDS:
        lines = examples(name)
        assert 2 <= len(lines) <= 5, name
        assert all(re.match(r"(vmr|torchrun .* -m vmr_agent) \w|VMR_", line) for line in lines)
        assert all(len(line) <= 96 for line in lines)


@pytest.mark.parametrize("name", COMMANDS)
def test_options_are_of_one_style(name: str) -> None:
    options = {
        word for p in COMMAND[name].params if p.param_type_name == "option" for word in p.opts
    }
    assert all(re.fullmatch(r"--[a-z]+(-[a-z]+)*|-[a-z]", word) for word in options), options
    assert not any(word.startswith("--no-") for word in options)
    assert ("--json" in options) != (name in SILENT)
    assert {word for word in options if len(word) == 2} <= {"-q", "-o", "-h"}
    assert ("-q" in options) == ("--quiet" in options)
    assert ("--profile" in options) <= ("--set" in options)
    for each in COMMAND[name].params:
        assert (each.help or "").endswith("."), (name, each.opts)


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_is_plain_text_of_sane_width(name: str) -> None:
    told = helped(name)
    assert "\x1b" not in told
    assert told.startswith(f"Usage: vmr {name}".rstrip())
    body = told.partition("Examples:")[0]
    assert all(len(line) <= 80 for line in body.splitlines())
    assert not any(line.endswith("...") for line in body.splitlines()[1:]), "a line is cut off"


def test_help_is_soon_there_and_loads_nothing_heavy(tmp_path: Path) -> None:
    for words in (["--help"], ["find", "--help"], ["fond"]):
        code = f"import sys; sys.argv = ['vmr', *{words!r}]\nfrom vmr_agent.cli import app\n"
        code += "try: app.main()\nfinally: print(*sorted(sys.modules), file=sys.stderr)"
        run = vmr(tmp_path, command=(sys.executable, "-c", code))
        loaded = set(run.stderr.splitlines()[-1].split())
        assert "vmr_agent.cli.find" in loaded
        assert loaded.isdisjoint({"torch", "numpy", "av", "langgraph", "chromadb"})


def test_help_in_a_terminal_without_colours(tmp_path: Path) -> None:
    for settings in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        code, sent = in_terminal(tmp_path, "find", "--help", **settings)
        assert (code, "\x1b" in sent) == (0, False)


def test_the_page_says_what_help_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == manual(), "run python -m evals.manual"


def test_exit_codes_are_told() -> None:
    told = helped("")
    for code in ("0 ", "1 ", "2 ", "3 ", "70 ", "130 "):
        assert f"\n    {code}" in told
