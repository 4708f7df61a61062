"""Every command and every block of code in README and docs is run, or says why not."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from documents import PAGES, REASONS, ROOT, Block, commands, everything, left_out, name, read
from parsed import check

BLOCKS = {name(path): read(path) for path in PAGES}
LIMIT = 200.0
"""Seconds that a block may take."""
LONG = {
    *("README.md", "docs/start.md", "docs/agents.md", "docs/api.md", "docs/benchmarks.md"),
    *("docs/cli.md", "docs/exports.md", "docs/models.md", "docs/notebooks.md", "docs/reports.md"),
    *("docs/how/index.md", "docs/how/index_video.md", "docs/scoring.md", "docs/tracing.md"),
}
"""Pages that take seconds each, left to ``make prove``: the rooms' pages are tried every time."""


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[pytest.mark.slow] * (page in LONG))
        for page, blocks in BLOCKS.items()
        if blocks
    ],
)
def test_a_page_does_what_it_says(page: str, workplace: Path) -> None:
    follow(BLOCKS[page], workplace, slow=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page, blocks in BLOCKS.items() if any(b.mark == "slow" for b in blocks)]
)
def test_what_takes_long_does_it_too(page: str, workplace: Path) -> None:
    follow(BLOCKS[page], workplace, slow=True)


@pytest.mark.parametrize("block", left_out(), ids=lambda block: block.place)
def test_what_is_not_run_could_be(block: Block) -> None:
    if block.kind == "python":
        compile(block.code, block.place, "exec", dont_inherit=True)
        return
    assert block.kind == "shell", f"{block.place}: a block of {block.kind} needs no such comment"
    for command in commands(block):
        check(command)


def test_what_is_not_run_says_why() -> None:
    shirked = [b.place for b in left_out() if not b.reason.startswith(REASONS)]
    assert not shirked, f"a reason begins like one of {REASONS}"


def test_every_block_is_of_a_kind() -> None:
    known = {"python", "shell", "json", "help", "mermaid"}
    strange = [b.place for b in everything() if b.kind not in known and b.mark != "shows"]
    assert not strange, "say what they are, or <!-- shows: … -->"


def follow(blocks: list[Block], folder: Path, *, slow: bool) -> None:
    """Page by page, block by block, as a reader would: what one makes, the next may use."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks:
        if block.mark in ("not run here", "shows") or (block.mark == "slow" and not slow):
            continue
        match block.kind:
            case "python":
                printed = run(block, names)
            case "shell":
                printed = typed(block, folder)
            case "json":
                printed = parsed_json(block)
            case _:
                continue
        if block.printed is not None:
            agrees(block, printed)


def run(block: Block, names: dict[str, Any]) -> str:
    """What a block of Python prints; whatever it raises names the line on the page."""
    lines, page = "\n" * (block.line - 1) + block.code, str(ROOT / block.page)
    code = compile(lines, page, "exec", dont_inherit=True)  # a reader has none of our __future__
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, names)
    return printed.getvalue()


def typed(block: Block, folder: Path) -> str:
    """What a block of commands prints; all of them end well, or have found nothing."""
    lines = ["set -u", f"export PATH={folder / 'bin'}:$PATH"]
    for command in commands(block):
        most = int("vmr find" in command or "vmr search" in command)  # nothing found is an answer
        lines += [command, f"code=$?; [ $code -le {most} ] || {{ echo exit $code >&2; exit 99; }}"]
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    here = {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "NO_PROXY": "127.0.0.1,localhost"}
    done = subprocess.run(
        ["bash", "-c", "\n".join(lines)],
        cwd=folder,
        env={**os.environ, **nowhere, **here},
        capture_output=True,
        encoding="utf-8",
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, f"{block.place}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def parsed_json(block: Block) -> str:
    """Data is data: JSON, or JSON lines, ``…`` standing for more of it."""
    text = re.sub(r",\s*…(?=\s*[\]}])|…(?=\s*[\]}])", "", block.code)
    try:
        json.loads(text)
    except json.JSONDecodeError:
        joined = re.sub(r",\s*\n\s+", ", ", text)
        for line in joined.splitlines():
            json.loads(line)
    return ""


def agrees(block: Block, printed: str) -> None:
    """What was printed is what the page shows, ``…`` for anything."""
    shown = [line.rstrip() for line in (block.printed or "").strip().splitlines()]
    came = "\n".join(line.rstrip() for line in printed.strip().splitlines())
    pattern = "\n".join(".*".join(map(re.escape, line.split("…"))) for line in shown)
    whole = re.sub(r"(?m)^\.\*$", r"(?s:.*)", pattern)
    assert re.fullmatch(whole, came), (
        f"{block.place} prints\n{came}\nand the page shows\n{block.printed}"
    )
