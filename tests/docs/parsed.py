"""Whether a command that is not run could be: its program, its words and options are there."""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

import click
from documents import ASSIGNED, ROOT
from typer.main import get_command

from vmr_agent.cli.app import app
from vmr_agent.settings import Settings, from_environment

FOREIGN = frozenset(
    ("hf", "export", "uv", "vllm", "ollama", "llama-server", "jupyter", "python3", "curl")
)
"""Programs of others, whose options are not ours to check."""
CLEARED = ("VMR_", "OPENAI_")


class Parsed(BaseException):
    """The command line was understood; what it asks for is not done."""


def check(command: str) -> None:
    """Fails where a command of ours could not even be begun; ``…`` stands for more of the same."""
    words = [word for word in shlex.split(command.replace("…", "")) if word]
    words = settled([word for word in words if word not in (">", "|", "&&")])
    match words:
        case []:
            return
        case ["vmr", *rest]:
            understood(rest)
        case ["torchrun", *rest]:
            understood(rest[rest.index("vmr_agent") + 1 :])
        case ["python", "-m", "vmr_agent", *rest]:
            understood(rest)
        case ["python", "-m", module, *rest] if module.startswith("evals."):
            argued(module, rest)
        case ["make", *targets]:
            made(targets)
        case ["pip", "install", *what] | ["python", "-m", "pip", "install", *what]:
            offered(what)
        case ["mkdocs", *_] | ["python", "-m", "mkdocs", *_]:
            assert (ROOT / ".ci" / "mkdocs.yml").is_file()
        case [program, *_]:
            assert program in FOREIGN, f"{program!r} is no program of ours: {command}"


def settled(words: Sequence[str]) -> list[str]:
    """The words without the settings before them, which must be settings."""
    rest = [*words]
    given: dict[str, str] = {}
    if rest and rest[0] == "export":
        rest = rest[1:]
    while rest and ASSIGNED.match(rest[0]):
        name, _, value = rest.pop(0).partition("=")
        given[name] = value
    of_ours = {k: v for k, v in given.items() if k.startswith("VMR_") and v and not _place(k)}
    if of_ours:
        bare = {k: v for k, v in os.environ.items() if not k.startswith(CLEARED)}
        with patch.dict(os.environ, bare | of_ours, clear=True):
            from_environment()
    return rest


def _place(name: str) -> bool:
    """Of tests and evaluations: where files are that do not come with the checkout."""
    return name in ("VMR_CLIPS", "VMR_REFERENCE", "VMR_OFFICIAL")


def understood(words: Sequence[str]) -> None:
    """By the command line of ``vmr``: the command is there, and so is every option."""
    command: Any = get_command(app)
    context = command.make_context("vmr", [*words] or ["--help"])
    rest = [*words]
    while isinstance(command, click.Group) or hasattr(command, "get_command"):
        found = command.get_command(context, rest[0])
        assert found is not None, f"vmr has no {rest[0]!r}"
        context = found.make_context(rest[0], rest[1:], parent=context)
        command, rest = found, rest[1:]


def argued(module: str, words: Sequence[str]) -> None:
    """By the parser of one of the evaluations, which is stopped right after it."""
    assert importlib.util.find_spec(module), f"there is no {module}"
    parse = argparse.ArgumentParser.parse_args

    def stop(self: argparse.ArgumentParser, *given: Any, **named: Any) -> None:
        parse(self, *given, **named)
        raise Parsed

    with (
        patch.object(argparse.ArgumentParser, "parse_args", stop),
        patch.object(sys, "argv", [module, *words]),
    ):
        try:
            runpy.run_module(module, run_name="__main__", alter_sys=False)
        except Parsed:
            return
    raise AssertionError(f"{module} never looked at its options")


def made(targets: Sequence[str]) -> None:
    """By make, which only says what it would do; parts of ``prove`` are looked up."""
    from evals.prove import PARTS

    subprocess.run(["make", "-n", *targets], cwd=ROOT, check=True, capture_output=True)
    for target in targets:
        part = re.fullmatch(r"prove-(\w+)", target)
        assert part is None or part[1] in PARTS, f"make prove has no part {part[1]!r}"


def offered(what: Sequence[str]) -> None:
    """Extras that are asked for are offered."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for each in re.findall(r"vmr_agent\[([\w,]+)\]", " ".join(what)):
        assert set(each.split(",")) <= set(project["optional-dependencies"]), each


def knows(name: str) -> bool:
    """Whether ``VMR_ROOM__NAME`` is a setting."""
    group, _, field = name.removeprefix("VMR_").lower().partition("__")
    kind: Any = Settings
    for part in (group, *(field.split("__") if field else ())):
        fields = getattr(kind, "model_fields", {})
        if part not in fields:
            return False
        kind = fields[part].annotation
    return True
