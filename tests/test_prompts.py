"""Prompts are what was released, wherever they are loaded from."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from vmr_agent.prompts import load, names, parse

ROOT = Path(__file__).parents[1]


def test_there_is_one_for_every_room_that_asks() -> None:
    rooms = {path.stem for path in (ROOT / "vmr_agent" / "questions").glob("*.py")}
    local = {"ground", "confirm", "glance"}  # a model of our own is asked, not a chat endpoint
    assert set(names()) == rooms - {"__init__", "views", "sheet"} | {"preface"} | local


@pytest.mark.parametrize("name", names())
def test_a_prompt_is_whole(name: str) -> None:
    prompt = load(name)
    given = {each: f"<{each}>" for each in prompt.inputs}
    filled = prompt.fill(given)
    assert "{{" not in filled + prompt.system
    assert all(value in filled for value in given.values())


def test_no_input_opens_another_place() -> None:
    prompt = parse("p", 1, "---\ninputs: a, b\nanswer: A\n---\n## system\nS\n## user\n{{a}}|{{b}}")
    assert prompt.fill({"a": "{{b}}", "b": "}}{{a"}) == "{{b}}|}}{{a"


def test_line_endings_are_no_other_version() -> None:
    text = "---\ninputs: a\nanswer: A\n---\n## system\nS\n## user\n{{a}}\n"
    assert parse("p", 1, text).digest == parse("p", 1, text.replace("\n", "\r\n")).digest
    assert parse("p", 1, text).digest == hashlib.sha256(text.encode()).hexdigest()[:16]


PROGRAM = """
import json
import vmr_agent
from vmr_agent.prompts import load, names
print(json.dumps([vmr_agent.__file__, [load(name).label for name in names()]]))
"""


@pytest.mark.slow  # pip fetches what builds it
def test_a_wheel_has_the_same(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*build, "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    inside = tmp_path / "inside"
    zipfile.ZipFile(wheel).extractall(inside)
    told = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(inside)},
        capture_output=True,
        check=True,
    ).stdout
    where, labels = json.loads(told)
    assert Path(where).is_relative_to(inside)
    assert labels == [load(name).label for name in names()]


def test_a_released_prompt_is_never_edited() -> None:
    """Answers are kept under its digest: another text is another version."""
    assert {load(name).label for name in names()} == {
        "caption.v1 4b4d8785b7e15a16",
        "confirm.v1 7bb9456584dd4ca6",
        "filter_relevance.v1 fef7aba6ed97affc",
        "glance.v1 bf35bc74b46fd483",
        "ground.v1 412b350620147709",
        "preface.v1 9717ce45a1e9e3b9",
        "understand.v1 eb4e0d4c7ce64527",
        "verify.v1 093243cb7da603e7",
        "widen.v1 f09aecb79e6617db",
    }
