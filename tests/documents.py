"""README and docs as their readers meet them: every block of code, in order, and what stands by it.

    python tests/documents.py        # which blocks are not run, and why

Fenced blocks and indented ones count. What a block is, its info string says (``python``, ``bash``,
``json``, ``text``), or else its first word. A comment right before it may say more:

    <!-- not run here: needs QVHighlights' videos -->   only its options are checked
    <!-- slow: looks at the film again -->              run by ``make prove-docs`` alone
    <!-- shows: a folder -->                            nothing to be run

A ``text`` block right behind another holds what that prints; ``…`` in it stands for anything.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

MARK = re.compile(r"<!--\s*(not run here|slow|shows):\s*(.*?)\s*-->", re.DOTALL)
REASONS = (
    "needs a card",
    "needs a folder of clips",
    "needs a key",
    "needs a package registry",
    "needs a server",
    "needs published predictions",
    "needs runs",
    "needs several",
    "needs the benchmark",
    "needs the model hub",
    "runs these very tests",
    "takes minutes",
)
"""How a reason for not running a block may begin: that somebody could not be bothered is none."""
SHELL = "vmr python python3 make pip hf export torchrun uv curl mkdocs"
PROGRAMS = frozenset(SHELL.split())
ASSIGNED = re.compile(r"[A-Z_][A-Z0-9_]*=")


class Block(NamedTuple):
    """A block of code on a page."""

    page: str
    """Path from the root of the repository."""
    line: int
    """Of its first line of code, from 1."""
    kind: str
    """``python``, ``shell``, ``json``, ``text``, ``help`` that a program prints, ``mermaid``; or
    what its info string says."""
    code: str
    mark: str
    """``not run here``, ``slow``, ``shows``, or nothing."""
    reason: str
    printed: str | None
    """What it prints, if the page shows it."""

    @property
    def place(self) -> str:
        """For people and their editors."""
        return f"{self.page}:{self.line}"


def name(path: Path) -> str:
    """From the root of the repository."""
    return path.relative_to(ROOT).as_posix()


def read(path: Path) -> list[Block]:
    """The blocks of a page; what one prints is no block of its own."""
    tokens = [t for t in _flat(path) if t.map is not None]
    found: list[Block] = []
    for before, token in pairwise([Token("start", "", 0), *tokens]):
        if token.type not in ("fence", "code_block"):
            continue
        kind = _kind(token)
        if kind == "text" and found and before.type in ("fence", "code_block"):
            found[-1] = found[-1]._replace(printed=token.content)
            continue
        mark = MARK.fullmatch(before.content.strip()) if before.type == "html_block" else None
        line = (token.map or [0])[0] + 1 + (token.type == "fence")
        said = (mark[1], " ".join(mark[2].split())) if mark else ("", "")
        found.append(Block(name(path), line, kind, token.content, *said, None))
    return found


def everything() -> list[Block]:
    """All blocks of all pages."""
    return [block for path in PAGES for block in read(path)]


def left_out() -> list[Block]:
    """Those that no test runs."""
    return [block for block in everything() if block.mark == "not run here"]


def commands(block: Block) -> Iterator[str]:
    """The commands of a shell block, without comments and prompts, continued lines joined."""
    for line in block.code.replace("\\\n", " ").splitlines():
        told = re.sub(r"(^|\s)#.*", "", line.removeprefix("$ ")).strip()
        if told:
            yield told


def _flat(path: Path) -> list[Token]:
    return MarkdownIt("commonmark").parse(path.read_text(encoding="utf-8"))


def _kind(token: Token) -> str:
    told = token.info.split()[0] if token.info.strip() else ""
    if told:
        return "shell" if told in ("bash", "sh", "console") else told
    first = token.content.split(maxsplit=1)[0]
    if first in PROGRAMS or ASSIGNED.match(first):
        return "shell"
    if first in ("from", "import"):
        return "python"
    if first == "Usage:":
        return "help"
    return "json" if first[0] in "{[" else "text"


def main() -> None:
    """Which blocks are not run, and why."""
    blocks = everything()
    for block in left_out():
        sys.stdout.write(f"{block.place}: {block.reason}\n")
    slow = sum(block.mark == "slow" for block in blocks)
    shown = sum(block.mark == "shows" or block.kind == "mermaid" for block in blocks)
    told = f"{len(blocks)} blocks, {len(left_out())} not run, {slow} slow, {shown} only shown\n"
    sys.stdout.write(told)


if __name__ == "__main__":
    main()
