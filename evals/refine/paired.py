"""How far two submissions differ, and how sure that is: paired bootstrap over source videos.

    python -m evals.refine.paired A.jsonl B.jsonl --ground-truth GT.jsonl

Prints of every figure: of A, of B, B - A, and between what 95 % of the draws of videos lie.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from evals.refine import rows as files
from vmr_agent.metrics.bootstrap import differences
from vmr_agent.metrics.strict import tally


def table(
    first: Sequence[files.Row], second: Sequence[files.Row], truth: Sequence[files.Row]
) -> str:
    """One line for each figure."""
    asked = {row["qid"] for row in first}
    known = [row for row in truth if row["qid"] in asked]
    videos = [str(row["vid"])[: files.YOUTUBE] for row in known]
    found = differences(tally(first, known), tally(second, known), videos)
    lines = [f"{'':10}{'A':>8}{'B':>8}{'B - A':>8}   95 %"]
    for name, (a, b, change) in found.items():
        value, low, high = change
        lines.append(f"{name:10}{a:8.2f}{b:8.2f}{value:+8.2f}   {low:+.2f} to {high:+.2f}")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Compare two files."""
    parser = argparse.ArgumentParser(
        prog="python -m evals.refine.paired",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name in ("first", "second"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--ground-truth", type=Path, required=True)
    args = parser.parse_args(argv)
    try:
        first, second = (files.read(path, files.WINDOWS) for path in (args.first, args.second))
        truth = files.read(args.ground_truth, files.TRUTH)
        files.moments(files.joined([first, second]), truth)
        print(table(first, second, truth))
    except files.FileError as error:
        print(f"refine: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
