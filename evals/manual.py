"""``python -m evals.manual``: what the pages say that the source says already, between their marks.

docs/cli.md has what ``--help`` prints, docs/api.md the public names. Run it when a command or a
public name has changed; tests compare the two.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from typer.main import get_command

from evals.surface import PUBLIC, names
from vmr_agent.cli.app import app

DOCS = Path(__file__).parents[1] / "docs"
PAGE, API = DOCS / "cli.md", DOCS / "api.md"
COMMANDS: list[str] = list(getattr(get_command(app), "commands", {}))
MARKED = re.compile(r"(<!-- made -->\n).*(<!-- /made -->)", re.DOTALL)


@cache
def helped(name: str) -> str:
    """What ``vmr NAME --help`` prints into a pipe."""
    bare = {key: each for key, each in os.environ.items() if key not in ("COLUMNS", "FORCE_COLOR")}
    words = [sys.executable, "-m", "vmr_agent", *([name] if name else []), "--help"]
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True, env=bare).stdout


def examples(name: str) -> list[str]:
    """The calls at the end of it."""
    told = helped(name).partition("Examples:\n")[2]
    return [line.strip() for line in told.splitlines()]


def manual() -> str:
    """The page as it should be."""
    parts = [f"### vmr {name}\n\n```help\n{helped(name)}```\n" for name in COMMANDS]
    return _filled(PAGE, "\n" + "\n".join([f"```help\n{helped('')}```\n", *parts]))


def surface() -> str:
    """The page of public names, as it should be."""
    parts = []
    for module in PUBLIC:
        rows = "".join(f"| `{n.name}` | {n.told} |\n" for n in names() if n.module == module)
        parts.append(f"### {module}\n\n| name | what it is |\n|---|---|\n{rows}")
    return _filled(API, "\n" + "\n".join(parts))


def _filled(page: Path, told: str) -> str:
    text = page.read_text(encoding="utf-8")
    return MARKED.sub(lambda found: f"{found[1]}{told}\n{found[2]}", text)


if __name__ == "__main__":
    PAGE.write_text(manual(), encoding="utf-8")
    API.write_text(surface(), encoding="utf-8")
