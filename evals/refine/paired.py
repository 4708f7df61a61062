"""How far two submissions differ, and how sure that is: paired bootstrap over source videos.

    python -m evals.refine.paired A.jsonl B.jsonl --ground-truth GT.jsonl

Prints of every figure: of A, of B, B - A, and between what 95 % of the draws of videos lie.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evals.refine import rows as files
from vmr_agent.metrics.matching import Answers, matched
from vmr_agent.metrics.qvhighlights import MOST, average_precision
from vmr_agent.metrics.qvm2 import RECALLS

DRAWS = 2000
Floats = NDArray[np.float64]
NAMES = ("R1@0.5", "R1@0.7", "mAP", "mAP@2tgt", "mAP@3+tgt", "mR@3")


def shares(submission: Sequence[files.Row], truth: Sequence[files.Row]) -> Floats:
    """(Q, 4) of each query: R1 at .5 and at .7, average precision, share of the first three found.

    Of a query with fewer than three true windows the last is not used. An empty answer scores 0.
    """
    answers = {row["qid"]: row[files.WINDOWS] for row in submission}
    found = Answers.of([answers[r["qid"]] for r in truth], [r[files.TRUTH] for r in truth], MOST)
    best = found.iou[:, 0].max(axis=-1)
    recall = matched(found.first(3).iou, RECALLS).sum(axis=-1).mean(axis=-1) / 3
    precision = average_precision(found).mean(axis=-1)
    return np.stack([best >= 0.5, best >= 0.7, precision, recall], axis=1).astype(np.float64)


def figures(each: Floats, true: NDArray[np.int64], weight: Floats) -> Floats:
    """(D, 6) ``NAMES`` in percent, from (Q, 4), numbers of true windows and weights (D, Q)."""
    counts = [count for count in np.unique(true) if count >= 3]
    masks = [np.ones_like(true, bool), true == 2, *(true == count for count in counts), true >= 3]
    whole, two, *many, three = (_mean(each, weight * mask) for mask in masks)
    precise = np.nanmean([part[:, 2] for part in many], axis=0) if many else np.nan * whole[:, 2]
    columns = [whole[:, 0], whole[:, 1], whole[:, 2], two[:, 2], precise, three[:, 3]]
    return 100 * np.stack(columns, axis=1)


def _mean(each: Floats, weight: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.asarray(weight @ each / weight.sum(axis=1, keepdims=True), np.float64)


def draws(videos: Sequence[str], count: int, seed: int) -> Floats:
    """(count, Q) how often each query is drawn: all those of a video as often as the video."""
    names, place = np.unique(videos, return_inverse=True)
    dice = np.random.default_rng(seed)
    drawn = dice.multinomial(len(names), np.full(len(names), 1 / len(names)), size=count)
    return np.asarray(drawn[:, place], np.float64)


def table(
    first: Sequence[files.Row], second: Sequence[files.Row], truth: Sequence[files.Row]
) -> str:
    """One line for each figure."""
    asked = {row["qid"] for row in first}
    known = [row for row in truth if row["qid"] in asked]
    true = np.array([len(row[files.TRUTH]) for row in known])
    videos = [str(row["vid"])[: files.YOUTUBE] for row in known]
    weight = np.concatenate([np.ones((1, len(known))), draws(videos, DRAWS, 0)])
    told, other = (figures(shares(each, known), true, weight) for each in (first, second))
    low, high = np.nanpercentile((other - told)[1:], (2.5, 97.5), axis=0)
    lines = [f"{'':10}{'A':>8}{'B':>8}{'B - A':>8}   95 %"]
    for n, name in enumerate(NAMES):
        a, b = told[0, n], other[0, n]
        lines.append(f"{name:10}{a:8.2f}{b:8.2f}{b - a:+8.2f}   {low[n]:+.2f} to {high[n]:+.2f}")
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
