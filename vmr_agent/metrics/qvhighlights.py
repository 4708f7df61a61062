"""QVHighlights (Lei et al. 2021), scored as by its authors' ``standalone_eval``, to the last digit.

    evaluate(rows of a submission, rows of the annotations)["brief"]["MR-full-mAP"]

Moments: mAP over IoU thresholds .50:.05:.95 of at most ten windows, by score; R1 of the window that
stands first in the file. Highlights: mAP and Hit@1 of the saliency scores against three annotators.
A query with an empty list of windows drops out of the mAP and has no first window: see ``strict``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vmr_agent.metrics.matching import Answers, Floats, matched

Row = Mapping[str, Any]

THRESHOLDS = np.linspace(0.5, 0.95, 10)
LENGTHS = {"short": (0, 10), "middle": (10, 30), "long": (30, 150), "full": (0, 150)}
"""Seconds of true windows in each bucket: more than the first, at most the second."""
MOST = 10
"""Windows of a query that count."""
RATINGS = {"Fair": 2, "Good": 3, "VeryGood": 4}
"""From which rating on a clip is a highlight."""
CLIP = 2.0
"""Seconds of a clip."""


def evaluate(submission: Sequence[Row], truth: Sequence[Row]) -> dict[str, Any]:
    """The official figures, with the official names, nesting and rounding.

    ``submission`` holds ``qid`` and ``pred_relevant_windows`` ``[[start, end, score], …]``,
    ``pred_saliency_scores`` where there are highlights to be scored; ``truth`` the annotations.
    Both have the same queries.
    """
    found = moments(submission, truth)
    if submission and "pred_saliency_scores" in submission[0]:
        found |= highlights(submission, truth)
    return {"brief": _brief(found), **dict(sorted(found.items()))}


def moments(submission: Sequence[Row], truth: Sequence[Row]) -> dict[str, Any]:
    """``MR-mAP`` and ``MR-R1`` of each bucket of lengths; NaN where there is no such moment."""
    answers = {row["qid"]: row["pred_relevant_windows"] for row in submission}
    found = {}
    for name in LENGTHS:
        kept = of_length(truth, name)
        windows = [row["relevant_windows"] for row in kept]
        scored = Answers.of([answers[row["qid"]] for row in kept], windows, MOST)
        found[name] = {"MR-mAP": _mean_precision(scored), "MR-R1": _first_recall(scored)}
    return found


def average_precision(answers: Answers, thresholds: Floats = THRESHOLDS) -> Floats:
    """(Q, T) interpolated average precision of each query at each threshold."""
    hits = matched(answers.by_score(), thresholds)
    true = np.cumsum(hits, axis=-1)
    precision = true / np.arange(1, hits.shape[-1] + 1)
    recall = true / np.maximum(1, answers.true)[:, None, None]
    best = np.maximum.accumulate(precision[..., ::-1], axis=-1)[..., ::-1]
    gained = np.diff(recall, axis=-1, prepend=0)
    return np.asarray((gained * best).sum(axis=-1), np.float64)


def highlights(submission: Sequence[Row], truth: Sequence[Row]) -> dict[str, Any]:
    """``HL-mAP`` and ``HL-Hit1`` from each rating on."""
    scores = {row["qid"]: np.asarray(row["pred_saliency_scores"]) for row in submission}
    found = {}
    for name, least in RATINGS.items():
        precisions, hits = [], []
        for row in truth:
            rated, predicted = _ratings(row) >= least, scores[row["qid"]]
            first = int(predicted.argmax())
            hits.append(first < len(rated) and bool(rated[first].any()))
            precisions += [_ranked_precision(column, predicted) for column in rated.T]
        found[f"HL-min-{name}"] = {
            "HL-mAP": percent(float(np.mean(precisions))),
            "HL-Hit1": percent(float(np.mean(hits))),
        }
    return found


def of_length(truth: Sequence[Row], name: str) -> Sequence[Row]:
    """The queries with true windows in a bucket, and these alone."""
    if name == "full":  # also what is longer than any bucket
        return truth
    least, most = LENGTHS[name]
    kept = []
    for row in truth:
        windows = [w for w in row["relevant_windows"] if least < w[1] - w[0] <= most]
        if windows:
            kept.append({**row, "relevant_windows": windows})
    return kept


def percent(share: float) -> float:
    """As official scorers print it."""
    return float(f"{100 * share:.2f}")


def _mean_precision(answers: Answers) -> dict[str, float]:
    each = average_precision(answers.where(answers.predicted > 0))
    precision = each.mean(axis=0) if len(each) else np.full(len(THRESHOLDS), np.nan)
    told = {f"{t:.2f}".rstrip("0"): percent(p) for t, p in zip(THRESHOLDS, precision, strict=True)}
    return {**told, "average": percent(float(precision.mean()))}


def _first_recall(answers: Answers) -> dict[str, float]:
    best = answers.iou[:, 0].max(axis=-1)
    shares = [float((best >= t).mean()) if len(best) else math.nan for t in THRESHOLDS]
    return {f"{t:.2f}".rstrip("0"): percent(s) for t, s in zip(THRESHOLDS, shares, strict=True)}


def _ratings(row: Row) -> Floats:
    """(clips, annotators) from 0 to 4."""
    full = np.zeros((int(row["duration"] / CLIP), 3))
    full[row["relevant_clip_ids"]] = row["saliency_scores"]
    return full


def _ranked_precision(true: Any, scores: Any) -> float:
    """Interpolated average precision of clips by saliency; ties are found together."""
    if true.all() or not true.any():
        return float(true[0])
    scores = np.pad(scores[: len(true)], (0, max(0, len(true) - len(scores))))
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(true[order])
    last = np.append(np.diff(scores[order]) != 0, True)  # of those that are equal
    found, seen = found[last], np.flatnonzero(last) + 1
    best = np.maximum.accumulate((found / seen)[::-1])[::-1]
    gained = np.diff(found, prepend=0) > 0
    return float(best[gained].mean())


def _brief(found: Mapping[str, Any]) -> dict[str, float]:
    full = found["full"]
    brief = {f"MR-full-R1@{at}": full["MR-R1"][at] for at in ("0.5", "0.7")}
    brief["MR-full-mAP"] = full["MR-mAP"]["average"]
    brief |= {f"MR-full-mAP@{at}": full["MR-mAP"][at] for at in ("0.5", "0.75")}
    lengths = ("long", "middle", "short")
    brief |= {f"MR-{name}-mAP": found[name]["MR-mAP"]["average"] for name in lengths}
    for name in RATINGS:
        for short, key in (("mAP", "HL-mAP"), ("Hit1", "HL-Hit1")):
            if f"HL-min-{name}" in found:
                brief[f"HL-min-{name}-{short}"] = found[f"HL-min-{name}"][key]
    return brief
