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
from evals.logbook import LogbookError, Sample, read, writing
from evals.provenance import difference, digest
from evals.scoring import lines, metrics
from vmr_agent import VmrError


def join(parts: Sequence[Path], annotations: Path, out: Path) -> str:
    """Write them into a new file, with the metrics of all, and say those.

    Of a query in several parts an answer counts more than a failure. Raises LogbookError where
    they are not parts of one run, or not of these annotations, and OSError.
    """
    books = [read(path) for path in parts]
    header = books[0].header
    for path, book in zip(parts, books, strict=True):
        if other := difference(header, book.header):
            raise LogbookError(f"{path} is of another run than {parts[0]}: {other}")
    asked = header.dataset
    if digest(annotations) != asked.sha256:
        raise LogbookError(f"{annotations} is not the {asked.file} that {parts[0]} was asked from")
    if out.exists():
        raise LogbookError(f"{out} is there already: name another file")
    samples: dict[str, Sample] = {}
    for each in (sample for book in books for sample in book.samples):
        if each.report is not None or each.id not in samples:
            samples[each.id] = each
    missing = sorted(set.intersection(*(set(book.header.dataset.missing) for book in books)))
    told = metrics(asked.name, questions := BENCHMARKS[asked.name].load(annotations), samples)
    with writing(out) as log:
        known = asked.model_copy(update={"missing": tuple(missing)})
        for line in (header.model_copy(update={"dataset": known}), *samples.values(), told):
            log.add(line)
    if BENCHMARKS[asked.name].saliency:
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
