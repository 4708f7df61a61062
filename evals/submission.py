"""What QVHighlights' server wants: every query's windows and a saliency for each clip.

    python -m evals.submission RUN.jsonl --annotations highlight_val_release.jsonl \\
        --out hl_val_submission.jsonl

The server's scorer takes an answer for granted, so a query for which the agent found nothing gets
the best of what it turned down, or where even that is missing what retrieval thought best; a query
without an answer gets the whole film, with score 0. None of that counts in figures of our own.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evals.datasets import BENCHMARKS, Asked
from evals.logbook import LogbookError, Sample, is_run
from evals.provenance import whole
from vmr_agent import VmrError
from vmr_agent.export.qvhighlights import Windows, rounded, window, windows
from vmr_agent.metrics.qvhighlights import CLIP

HALF = 0.5  # share of the highest saliency at which the best stretch ends


def official(asked: Asked, sample: Sample | None) -> Windows:
    """At least one window, best first, in the film as the annotations have it."""
    if sample is None or sample.report is None:
        return [rounded(0.0, asked.duration, 0.0)]
    inside = (
        [start, min(end, asked.duration), score] for start, end, score in windows(sample.report)
    )
    if found := [each for each in inside if each[0] < each[1]]:
        return found
    if (nearest := sample.report.rejected) is not None:
        return [window(nearest)]
    return [_likeliest(sample.saliency or (), asked.duration)]


def row(asked: Asked, sample: Sample | None) -> dict[str, Any]:
    """A line of the submission."""
    flat = (0.0,) * int(asked.duration / CLIP)
    scores = sample.saliency if sample is not None and sample.saliency else flat
    return {
        "qid": asked.row["qid"],
        "query": asked.query,
        "vid": asked.video,
        "pred_relevant_windows": official(asked, sample),
        "pred_saliency_scores": [round(score, 4) for score in scores],
    }


def write(path: Path, questions: Sequence[Asked], samples: Mapping[str, Sample]) -> None:
    """All of them, whole or not at all. Raises OSError."""
    lines = (json.dumps(row(each, samples.get(each.id))) + "\n" for each in questions)
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8") as out:
        out.writelines(lines)
        out.flush()
        os.fsync(out.fileno())
    part.replace(path)


def _likeliest(saliency: Sequence[float], duration: float) -> list[float]:
    """The stretch around the highest clip; the whole film where none stands out at all."""
    best = max(saliency, default=0.0)
    if not best:
        return rounded(0.0, duration, 0.0)
    first = last = saliency.index(best)
    while first and saliency[first - 1] >= HALF * best:
        first -= 1
    while last + 1 < len(saliency) and saliency[last + 1] >= HALF * best:
        last += 1
    return rounded(first * CLIP, (last + 1) * CLIP, best)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    about = argparse.ArgumentParser(prog="python -m evals.submission")
    add = about.add_argument
    add("runs", type=Path, nargs="+", metavar="RUN.jsonl", help="one run, or its parts")
    add("--annotations", type=Path, required=True, help="the file that was asked from")
    add("--out", type=Path, required=True, metavar="SUBMISSION.jsonl")
    args = about.parse_args(argv)
    try:
        header, samples = whole(args.runs, args.annotations)
        if not BENCHMARKS[header.dataset.name].saliency:
            raise LogbookError(f"{header.dataset.name} has no server that takes submissions")
        if args.out.is_file() and is_run(args.out):
            raise LogbookError(f"{args.out} is a run: name another file")
        questions = BENCHMARKS[header.dataset.name].load(args.annotations)
        write(args.out, questions, samples)
    except (VmrError, OSError) as error:
        print(f"evals.submission: {error}", file=sys.stderr)
        return 2
    found = [samples.get(each.id) for each in questions]
    lacking = sum(each is None or each.report is None for each in found)
    print(f"{args.out}: {len(questions)} queries, {lacking} of them without an answer")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
