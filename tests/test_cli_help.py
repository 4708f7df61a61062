"""The help of every command: one style, examples that run, a page in docs that says the same."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from processes import in_terminal, vmr
from typer.main import get_command

from evals.manual import COMMANDS, PAGE, examples, helped, manual
from vmr_agent.cli.app import app

COMMAND = get_command(app).commands  # type: ignore[attr-defined]
SILENT = {"completion", "eval", "export", "serve", "mcp"}
"""Commands whose result is not theirs to shape: no ``--json``."""


def test_every_command_has_two_examples_at_least() -> None:
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
