"""The README's table of what indexing costs, from the record of the benchmark.

    python -m evals.bench_page    # writes it anew, after ``evals.bench index``

A test compares the two, so that the README cannot claim what was not measured.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evals.bench import RESULTS
from evals.bench_figures import TARGETS, Spread, summary

TITLE = "index 3600 s 1280x720"
README = Path(__file__).parents[1] / "README.md"
START, END = "<!-- bench:start -->\n", "<!-- bench:end -->\n"
LEAST = f"≥ {' / '.join(f'{target:g}' for target in TARGETS.values())}"
ROWS = (
    ("times real time", "index.times_real", 1, LEAST),
    ("times as long as plain decoding", "index.times_decode", 2, ""),
    ("share of both cores in use", "index.cores", 2, ""),
    ("memory at most, MB", "index.rss_mb", 0, "≤ 2500"),
    ("stored, MB, without pictures", "stored.without_strip", 1, "≤ 8"),
    ("stored, MB, with pictures", "stored.with_strip", 1, "≤ 60"),
    ("a later answer (median), ms", "answers.later_p50", 0, "≤ 60"),
    ("first answer of a new process, s", "answers.first", 1, "≤ 4"),
)
"""What is told, its key, its digits, and what was wanted."""


def page(entry: Mapping[str, Any]) -> str:
    """The table, in Markdown: medians, and in brackets the lowest and the highest."""
    found = {
        profile: summary([run for run in entry["runs"] if run["profile"] == profile])
        for profile in TARGETS
    }
    lines = [
        f"| | wanted | {' | '.join(f'`{profile}`' for profile in TARGETS)} |",
        "|---" * (2 + len(TARGETS)) + "|",
    ]
    for name, key, digits, wanted in ROWS:
        scale = 1000 if name.endswith(" ms") else 1
        told = [_told(figures[key], digits, scale) for figures in found.values()]
        lines.append(f"| {name} | {wanted} | {' | '.join(told)} |")
    runs = len(entry["runs"]) // len(TARGETS)
    machine = entry["machine"]
    about = f"{runs} run{'s' * (runs != 1)} of each at commit {entry['commit']}, {entry['date']}"
    where = f"{machine['cpu']}, {machine['cores']} cores, no GPU"
    return "\n".join([*lines, "", f"{about}; {where}; `evals/results/bench_index.json`.", ""])


def _told(spread: Spread, digits: int, scale: int) -> str:
    median, low, high = (f"{value * scale:.{digits}f}" for value in spread)
    return median if low == high else f"{median} ({low}–{high})"


def main() -> None:
    """Write the table into the README."""
    entry = json.loads(RESULTS.read_text(encoding="utf-8"))[TITLE]
    head, _, rest = README.read_text(encoding="utf-8").partition(START)
    tail = rest.partition(END)[2]
    README.write_text(f"{head}{START}{page(entry)}{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
