"""What the pages say of the program is so: settings, defaults, rooms, prices, commands."""

from __future__ import annotations

import importlib.util
import re
from typing import Any

import pytest
from documents import PAGES, ROOT, left_out, name
from parsed import check, knows
from pydantic import BaseModel
from typer.main import get_command

from vmr_agent.cli.app import app
from vmr_agent.graph import build_graph, picture_wing, sound_wing
from vmr_agent.settings import Settings
from vmr_agent.terms import PRICES

HOW = ROOT / "docs" / "how"
TEXTS = {name(path): path.read_text(encoding="utf-8") for path in PAGES}
OUTSIDE = {"VMR_CLIPS", "VMR_REFERENCE", "VMR_OFFICIAL", "VMR_ROOM__NAME"}
"""Of tests and evaluations: where files are that do not come with the checkout; and how settings
are called in general."""
ROW = re.compile(r"(?m)^\| `VMR_([A-Z_]+)` \| (.*?) \|")
INLINE = re.compile(r"(?<!`)`((?:vmr |make |python -m evals\.)[^`\n]+)`(?!`)")


def _rooms() -> set[str]:
    graphs = (build_graph(), picture_wing(), sound_wing())
    nodes = {node for graph in graphs for node in graph.get_graph().nodes}
    return {node for node in nodes if not node.startswith("__")} - {"picture", "sound"}


def _default(setting: str) -> Any:
    """Of ``RETRIEVE__TOP_K``, as it is with no setting at all."""
    kind: Any = Settings
    *groups, field = setting.lower().split("__")
    for group in groups:
        kind = kind.model_fields[group].annotation
    return kind.model_fields[field].default


@pytest.mark.parametrize("page", TEXTS)
def test_settings_are_there(page: str) -> None:
    named = set(re.findall(r"\bVMR_[A-Z_]*[A-Z]\b", TEXTS[page])) - OUTSIDE
    assert [each for each in sorted(named) if not knows(each)] == []


@pytest.mark.parametrize("page", TEXTS)
def test_groups_have_the_settings_that_are_named(page: str) -> None:
    fields = Settings.model_fields
    for group, field in re.findall(r"`([a-z]+)\.([a-z_]+)(?: ?=[^`]*)?`", TEXTS[page]):
        kind = fields[group].annotation if group in fields else None
        if field != "py" and isinstance(kind, type) and issubclass(kind, BaseModel):
            assert field in kind.model_fields, f"{page}: {group}.{field}"


@pytest.mark.parametrize("page", [page for page, text in TEXTS.items() if ROW.search(text)])
def test_defaults_are_those_of_the_code(page: str) -> None:
    for setting, told in ROW.findall(TEXTS[page]):
        assert told.strip("`") == str(_default(setting)), f"{page}: VMR_{setting}"


def test_every_room_has_a_page_and_is_in_the_picture() -> None:
    rooms = _rooms()
    assert len(rooms) == 14
    assert {path.stem for path in HOW.glob("*.md")} - {"index"} == rooms
    for mode in ("light", "dark"):
        drawn = (HOW / f"house-{mode}.svg").read_text(encoding="utf-8")
        assert rooms <= set(re.findall(r">([a-z_]+)</text>", drawn))


def test_the_house_is_the_same_in_the_dark() -> None:
    light, dark = ((HOW / f"house-{mode}.svg").read_text() for mode in ("light", "dark"))
    bare = [re.sub(r"#[0-9a-f]{6}", "#", drawn) for drawn in (light, dark)]
    assert bare[0] == bare[1]
    assert light != dark


def test_prices_are_those_that_count() -> None:
    rows = re.findall(r"(?m)^\| `([\w.-]+)` \| ([\d.]+) \| ([\d.]+) \|", TEXTS["docs/models.md"])
    assert {model: (float(a), float(b)) for model, a, b in rows} == PRICES


@pytest.mark.parametrize("page", [page for page, text in TEXTS.items() if INLINE.search(text)])
def test_commands_in_the_text_are_commands(page: str) -> None:
    for command in INLINE.findall(TEXTS[page]):
        words = command.split()
        if words[0] == "make":
            check(command)
        elif words[0] == "python":
            assert importlib.util.find_spec(words[2]), command
        else:
            command_line: Any = get_command(app)
            found = command_line.commands.get(words[1])
            assert found is not None, command
            known = {name for each in found.params for name in each.opts}
            options = [each for each in words[2:] if each.startswith("-")]
            assert [each for each in options if each not in known] == [], command


def test_files_that_are_named_are_there() -> None:
    pattern = r"(?<![\w/])(?:vmr_agent|evals|tests|docs|prompts)/[\w/.-]*\w"
    for page, text in TEXTS.items():
        for path in re.findall(pattern, text):
            there = (ROOT / path).exists() or [*ROOT.glob(f"{path}.*")]
            assert there, f"{page}: {path}"


def test_reasons_name_tests_that_are_there() -> None:
    for block in left_out():
        for path in re.findall(r"tests/[\w/.]*\w", block.reason):
            assert (ROOT / path).exists(), f"{block.place}: {path}"
