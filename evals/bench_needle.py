"""How fast needle films are built, how large they are, and what memory it takes.

    python -m evals.bench_needle --clips DIR --minutes 10,60 --seed 7

Each build is a process of its own, the command as people run it. Wall time is that of a machine
that may have other things to do; CPU time is all that was used on any core.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from evals.bench_process import FailedError, measure
from evals.bench_record import ROOT, Record
from evals.columns import lines
from evals.footage import picture_length
from evals.join import size

RESULTS = ROOT / "evals" / "results" / "bench_needle.json"
BUILD = [sys.executable, "-m", "evals.needle", "build"]


def once(clips: Path, minutes: float, seed: int, wide: tuple[int, int]) -> dict[str, float]:
    """Build a film and throw it away: seconds, CPU seconds, megabytes. Raises FailedError."""
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        told = ["--clips", str(clips), "--minutes", str(minutes), "--seed", str(seed)]
        told += ["--size", f"{wide[0]}x{wide[1]}", "--out", str(film)]
        done = measure([*BUILD, *told], {**os.environ, "PYTHONPATH": str(ROOT)})
        lasts = picture_length(film) / 60
        return {
            "minutes": round(lasts, 2),
            "seconds": round(done.seconds, 1),
            "CPU seconds": round(done.cpu, 1),
            "rss MB": round(done.peak_rss / 1e6),
            "MB a minute": round(film.stat().st_size / 1e6 / lasts, 2),
        }


def _minutes(text: str) -> list[float]:
    return [float(each) for each in text.split(",")]


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line asks."""
    parser = argparse.ArgumentParser(
        prog="python -m evals.bench_needle",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--clips", type=Path, required=True, help="a folder with clips.json and what it lists")
    add("--minutes", type=_minutes, default=[60.0], metavar="N,N")
    add("--seed", type=int, default=7)
    add("--size", type=size, default=(640, 360), metavar="WIDTHxHEIGHT")
    add("--json", type=Path, default=RESULTS, help="for what is found")
    args = parser.parse_args(argv)
    about = {"size": list(args.size), "seed": args.seed}
    record = Record(args.json, "needle films built", about)
    try:
        for minutes in args.minutes:
            if not record.has(asked=minutes):
                found = once(args.clips, minutes, args.seed, args.size)
                record.add({"asked": minutes, **found})
    except (FailedError, OSError) as error:
        print(f"bench_needle: {str(error).splitlines()[-1]}", file=sys.stderr)
        return 2
    told: Mapping[str, Mapping[str, float]] = {f"{run['asked']:g}": run for run in record.runs}
    print(lines(told))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
