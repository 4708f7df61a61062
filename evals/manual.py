"""``python -m evals.manual``: docs/cli.md says what ``--help`` says, between its marks.

Run it when a command has changed; a test compares the two.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from typer.main import get_command

from vmr_agent.cli.app import app

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"
COMMANDS: list[str] = list(getattr(get_command(app), "commands", {}))
MARKED = re.compile(r"(<!-- help -->\n).*(<!-- /help -->)", re.DOTALL)


@cache
def helped(name: str) -> str:
    """What ``vmr NAME --help`` prints into a pipe."""
    bare = {key: each for key, each in os.environ.items() if key not in ("COLUMNS", "FORCE_COLOR")}
    words = [sys.executable, "-m", "vmr_agent", *([name] if name else []), "--help"]
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True, env=bare).stdout


def manual() -> str:
    """The page as it should be."""
    parts = [f"### vmr {name}\n\n```text\n{helped(name)}```\n" for name in COMMANDS]
    told = "\n" + "\n".join([f"```text\n{helped('')}```\n", *parts]) + "\n"
    page = PAGE.read_text(encoding="utf-8")
    return MARKED.sub(lambda found: f"{found[1]}{told}{found[2]}", page)


if __name__ == "__main__":
    PAGE.write_text(manual(), encoding="utf-8")
