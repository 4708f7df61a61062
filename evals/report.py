"""``python -m evals.report``: what runs found, as tables and as a page.

python -m evals.report A.jsonl
python -m evals.report A.jsonl B.jsonl --out PAGE.html
python -m evals.report A.jsonl --json > figures.json

Files are run files (evals.logbook). The page lies beside the first
one, unless ``--out`` says where.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from evals.reporting import page, tables
from evals.reporting.content import content
from evals.reporting.record import record
from evals.reporting.runs import together
from vmr_agent import VmrError
from vmr_agent.show import amount, plain

WIDE = 200
"""Columns of a table that nobody looks at in a terminal."""


def main(argv: Sequence[str] | None = None) -> int:
    """Report on what the command line names."""
    args = _parser().parse_args(argv)
    first: Path = args.runs[0]
    out: Path = args.out or (first.with_suffix(".html") if first.name else first)
    try:
        page.check(out)
        told = content(together(args.runs))
        size = page.write(out, told)
        if args.json:
            print(json.dumps(record(told), indent=1, allow_nan=False))
        else:
            console = Console()
            tables.show(told, console if console.is_terminal else Console(width=WIDE))
    except VmrError as error:
        print(f"report: {plain(' '.join(str(error).split()))}", file=sys.stderr)
        return 2
    print(f"{plain(str(out))}: {amount(size)}", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evals.report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("runs", type=Path, nargs="+", metavar="RUN.jsonl", help="others are held against the first")
    add("--out", type=Path, metavar="PAGE.html")
    add("--json", action="store_true", help="figures as JSON instead of tables")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
