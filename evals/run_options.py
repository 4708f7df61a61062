"""What the command line of a run takes."""

from __future__ import annotations

import argparse
from pathlib import Path

from evals.chosen import add_options
from evals.datasets import BENCHMARKS
from evals.plan import WHOLE, shard


def options(about: str) -> argparse.ArgumentParser:
    """All of it."""
    parser = argparse.ArgumentParser(
        prog="python -m evals.run",
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--dataset", required=True, choices=BENCHMARKS)
    add("--annotations", type=Path, required=True, metavar="FILE", help="as they are published")
    add("--split", required=True, help="what part of it that is: val, test, val_1 …")
    add("--out", type=Path, required=True, metavar="RUN.jsonl", help="also to go on with one")
    seen = parser.add_mutually_exclusive_group(required=True)
    seen.add_argument("--videos", type=Path, metavar="DIR")
    seen.add_argument("--features", type=Path, metavar="DIR", help="in HERO's layout, no videos")
    add("--clip", type=_positive, metavar="SECONDS", help="of a feature, if not the usual")
    add("--limit", type=some, metavar="N", help="queries at most")
    add("--shard", type=shard, default=WHOLE, metavar="I/N", help="that part of the films")
    add("--jobs", type=some, default=1, metavar="N", help="processes side by side")
    add("--fail-on-error", type=share, default=0.05, metavar="SHARE", help="end if more failed")
    add("--again", action="store_true", help="throw away what the file holds")
    add_options(parser)
    return parser


def some(text: str) -> int:
    """One or more, for argparse."""
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not one or more")
    return value


def share(text: str) -> float:
    """From 0 to 1, for argparse."""
    if not 0 <= (value := float(text)) <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no share: it is from 0 to 1")
    return value


def _positive(text: str) -> float:
    if not 0 < (value := float(text)) < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no length in seconds")
    return value
