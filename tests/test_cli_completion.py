"""Completion, as shells ask for it: a real bash, the program that forks, how soon it answers."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from processes import BESIDE, VMR, environment, one_line, vmr

from vmr_agent.chosen import names
from vmr_agent.cli.completion import SCRIPTS

ASK = """
eval "$(vmr completion bash)"
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
compopt() { echo "compopt $1 $2"; }
_vmr_completion vmr "${@: -1}"
printf '%s\\n' "${COMPREPLY[@]}"
complete -p vmr >&2
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    program = tmp_path / "bin" / "vmr"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{VMR[0]}" -m vmr_agent "$@"\n')
    program.chmod(0o755)
    return program.parent


def asked(path: Path, *words: str) -> list[str]:
    """What bash is offered for the last of the words."""
    run = subprocess.run(
        ["bash", "-c", ASK, "bash", "vmr", *words],
        env=environment(path / "home", PATH=f"{path}:/usr/bin:/bin"),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert "-F _vmr_completion vmr" in run.stderr
    assert "-o default" in run.stderr, "where nothing is offered, file names are"
    return run.stdout.split("\n")[:-1]


def test_commands_options_and_choices(path: Path) -> None:
    assert {"find", "index", "search", "doctor", "demo", "eval"} <= set(asked(path, ""))
    assert asked(path, "f") == ["find"]
    assert {"--set", "--json", "--profile"} <= set(asked(path, "find", "--"))
    assert asked(path, "find", "--profile", "") == ["full", "balanced", "lean"]
    assert asked(path, "score", "--dataset", "q") == ["qvhighlights", "qvm2"]
    assert asked(path, "completion", "") == ["bash", "zsh", "fish"]


def test_settings_and_no_space_after_them(path: Path) -> None:
    assert asked(path, "find", "--set", "verify.acc") == ["compopt -o nospace", "verify.accept="]
    offered = asked(path, "index", "--set", "")[1:]
    assert offered == [f"{name}=" for name in names()]
    assert {"profile=", "models.whisper=", "chat.budget.money="} <= set(offered)


def test_file_names_are_the_shells(path: Path) -> None:
    assert asked(path, "find", "") == [""]
    assert asked(path, "train", "--out", "") == [""]
    assert asked(path, "find", "a film's name.mp4", "")[:1] == [""]


def test_it_answers_in_well_under_a_second(path: Path) -> None:
    words = {
        "COMP_WORDS": "vmr find --set ver",
        "COMP_CWORD": "3",
        "_VMR_COMPLETE": "complete_bash",
    }
    took = []
    for _ in range(3):
        began = time.monotonic()
        run = vmr(path / "home", **words)
        took.append(time.monotonic() - began)
    assert run.returncode == 0
    assert "verify.accept=" in run.stdout
    assert min(took) < 0.6 * BESIDE
    assert not (path / "home").exists()


@pytest.mark.parametrize(
    ("shell", "more"),
    [
        ("zsh", {"_TYPER_COMPLETE_ARGS": "vmr fi"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "vmr fi", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
    ],
)
def test_other_shells_are_answered(tmp_path: Path, shell: str, more: dict[str, str]) -> None:
    """As their scripts ask; the shells themselves are tried where they are installed."""
    run = vmr(tmp_path, _VMR_COMPLETE=f"complete_{shell}", **more)
    assert run.returncode == 0
    assert "find" in run.stdout
    script = vmr(tmp_path, "completion", shell)
    assert script.stdout == SCRIPTS[shell].lstrip()
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script.stdout, text=True, check=True)


def test_a_shell_that_nobody_knows(tmp_path: Path) -> None:
    run = vmr(tmp_path, "completion", "tcsh")
    assert "tcsh" in one_line(run)
    assert run.returncode == 2
