"""Parts of one run, asked on several machines, made one run again.

python -m evals.parts 1.jsonl 2.jsonl --annotations FILE --out RUN.jsonl
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from evals import submission
from evals.datasets import BENCHMARKS
from evals.logbook import LogbookError, writing
from evals.provenance import whole
from evals.scoring import lines, metrics
from vmr_agent import VmrError


def join(parts: Sequence[Path], annotations: Path, out: Path) -> str:
    """Write them into a new file, with the metrics of all, and say those.

    Raises LogbookError where they are not parts of one run, or not of these annotations, and
    OSError.
    """
    header, samples = whole(parts, annotations)
    if out.exists():
        raise LogbookError(f"{out} is there already: name another file")
    questions = BENCHMARKS[header.dataset.name].load(annotations)
    told = metrics(header.dataset.name, questions, samples)
    with writing(out) as log:
        for line in (header, *samples.values(), told):
            log.add(line)
    if BENCHMARKS[header.dataset.name].saliency:
        submission.write(out.with_suffix(".submission.jsonl"), questions, samples)
    return lines(told)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m evals.parts")
    add = parser.add_argument
    add("parts", type=Path, nargs="+", metavar="PART.jsonl")
    add("--annotations", type=Path, required=True, help="the file that was asked from")
    add("--out", type=Path, required=True, metavar="RUN.jsonl")
    args = parser.parse_args(argv)
    try:
        told = join(args.parts, args.annotations, args.out)
    except (VmrError, OSError) as error:
        print(f"evals.parts: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    print(f"{args.out}: {told}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
