"""What a benchmark found, kept under a title, with the commit and the machine it was found on."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from evals.bench_process import PROC, cores, parse_sizes

ROOT = Path(__file__).parents[1]
CHANGED = "+changes"


@dataclass
class Record:
    """The runs of one title, written down after each."""

    path: Path
    title: str
    about: dict[str, Any]
    """What was measured: the film and how."""

    def __post_init__(self) -> None:
        here: dict[str, Any] = {"commit": commit(), "machine": machine(), "about": self.about}
        known = _read(self.path).get(self.title, {})
        same = all(known.get(key) == value for key, value in here.items())
        # What is not committed may have changed since.
        kept = known if same and not here["commit"].endswith(CHANGED) else {}
        settings = {k: v for k, v in os.environ.items() if k.startswith("VMR_") and "__" in k}
        self.entry: dict[str, Any] = {
            **here,
            "date": str(date.today()),
            "environment": settings,
            "settings": kept.get("settings", {}),
            "runs": kept.get("runs", []),
        }

    @property
    def runs(self) -> list[dict[str, Any]]:
        """All runs so far."""
        runs: list[dict[str, Any]] = self.entry["runs"]
        return runs

    def has(self, **marks: object) -> bool:
        """Whether a run with these marks was done."""
        return any(all(run.get(k) == v for k, v in marks.items()) for run in self.runs)

    def add(self, run: dict[str, Any]) -> None:
        """Note a run and write everything down."""
        self.runs.append(
            json.loads(json.dumps(run), parse_float=lambda text: round(float(text), 4))
        )
        self.save()

    def save(self) -> None:
        """Write it down, and what is under other titles as it was."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = json.dumps(_read(self.path) | {self.title: self.entry}, indent=1)
        part = self.path.with_name(f".{self.path.name}.part")
        part.write_text(whole + "\n", encoding="utf-8")
        part.replace(self.path)


def commit() -> str:
    """The commit checked out, and whether anything but results was changed since."""

    def git(*words: str) -> str:
        run = ["git", *words]
        return subprocess.run(run, check=True, capture_output=True, text=True, cwd=ROOT).stdout

    changed = git("status", "--porcelain", "--", ".", ":!evals/results")
    return git("rev-parse", "--short", "HEAD").strip() + (CHANGED if changed else "")


def machine() -> dict[str, object]:
    """What it was measured on."""
    lines = (PROC / "cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = parse_sizes((PROC / "meminfo").read_text())["MemTotal"]
    return {
        "cpu": names[0] if names else platform.machine(),
        "cores": cores(),
        "memory_gb": round(memory / 1e9, 1),
        "python": platform.python_version(),
    }


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return known
