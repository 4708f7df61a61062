"""Every message that a user can meet stands in docs/troubleshooting.md; none that is gone does."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from documents import ROOT

from vmr_agent import errors
from vmr_agent.metrics.reading import SubmissionError

PAGE = ROOT / "docs" / "troubleshooting.md"
KINDS = {name for name, kind in inspect.getmembers(errors, inspect.isclass)} | {
    SubmissionError.__name__,
    "NotFiniteError",
    "Fault",
}
REFUSALS = {"refusal", "_refusal", "_too_large"}
"""Methods that make such an error of what they are told."""
LEAST = 12
"""Letters in a row that make a message known again."""
HOLE = "…"
SOURCES = sorted((ROOT / "vmr_agent").rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def template(node: ast.expr) -> str:
    """The message as it is written, ``…`` for what is filled in; nothing where it comes ready."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            told = (part.value if isinstance(part, ast.Constant) else HOLE for part in parts)
            return "".join(map(str, told))
        case ast.BinOp(left=left, right=right):
            return template(left) + template(right)
    return ""


def messages() -> Iterator[tuple[str, str]]:
    """Each with where it is made."""
    for path in SOURCES:
        for node in ast.walk(parsed(path)):
            if not isinstance(node, ast.Call):
                continue
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            given = [k.value for k in node.keywords if k.arg == "message"] + node.args[:1]
            if called in KINDS | REFUSALS and given and (told := template(given[0])):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", told


def pieces(message: str) -> list[str]:
    """What of it is always the same, the longest first."""
    plain = [" ".join(part.replace("`", "").split()) for part in re.split(HOLE, message)]
    return sorted((part.strip(" :;,()'\"") for part in plain), key=len, reverse=True)


def shown() -> list[str]:
    """The messages of the page: the first column of its tables."""
    rows = re.findall(r"(?m)^\| `(.+?)` \|", PAGE.read_text(encoding="utf-8"))
    assert len(rows) > 100
    return rows


def test_every_message_is_on_the_page() -> None:
    page = " ".join(shown())
    made = [(where, told) for where, told in messages() if len(pieces(told)[0]) >= LEAST]
    assert len(made) > 120
    missing = [f"{where}: {told}" for where, told in made if pieces(told)[0] not in page]
    assert not missing, "\n".join(missing)


def test_no_message_is_on_the_page_that_is_gone() -> None:
    nodes = [node for path in SOURCES for node in ast.walk(parsed(path))]
    written = {
        piece
        for node in nodes
        if isinstance(node, ast.Constant | ast.JoinedStr) and (told := template(node))
        for piece in pieces(told)
    }
    gone = [row for row in shown() if not any(pieces(row)[0] in each for each in written)]
    assert not gone, "\n".join(gone)
