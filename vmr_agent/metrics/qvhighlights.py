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
from numpy.typing import NDArray

from vmr_agent.metrics.matching import Answers, Bools, Floats, as_sorted, matched, shared

Row = Mapping[str, Any]

THRESHOLDS = np.round(np.linspace(0.5, 0.95, 10), 2)
LENGTHS = {"short": (0, 10), "middle": (10, 30), "long": (30, 150), "full": (0, 150)}
"""Seconds of true windows in each bucket: more than the first, at most the second."""
Places = NDArray[np.int64]
MOST = 10
"""Windows of a query that count."""
RATINGS = {"Fair": 2, "Good": 3, "VeryGood": 4}
"""From which rating on a clip is a highlight."""
CLIP = 2.0
"""Seconds of a clip."""


def evaluate(
    submission: Sequence[Row], truth: Sequence[Row], strict: bool = False
) -> dict[str, Any]:
    """The official figures, with the official names, nesting and rounding.

    ``submission`` holds ``qid`` and ``pred_relevant_windows`` ``[[start, end, score], …]`` and, or,
    ``pred_saliency_scores``, as its first row has them; ``truth`` the annotations. Both have the
    same queries. ``strict``: an empty list of windows scores 0 instead of dropping out.
    """
    found: dict[str, Any] = {}
    if "pred_relevant_windows" in submission[0]:
        found |= moments(submission, truth, strict)
    if "pred_saliency_scores" in submission[0] and all("saliency_scores" in row for row in truth):
        found |= highlights(submission, truth)
    return {"brief": _brief(found), **dict(sorted(found.items()))}


def moments(
    submission: Sequence[Row], truth: Sequence[Row], strict: bool = False
) -> dict[str, Any]:
    """``MR-mAP`` and ``MR-R1`` of each bucket of lengths; NaN where there is no such moment."""
    return {
        name: {"MR-mAP": _mean_precision(scored, strict), "MR-R1": _first_recall(scored)}
        for name, scored in (
            (name, answered(submission, of_length(truth, name), MOST)) for name in LENGTHS
        )
    }


def answered(submission: Sequence[Row], truth: Sequence[Row], most: int | None) -> Answers:
    """The windows of those queries that have a truth, in the order of the submission."""
    true = {row["qid"]: row["relevant_windows"] for row in truth}
    kept = [row for row in submission if row["qid"] in true]
    predicted = [row["pred_relevant_windows"] for row in kept]
    return Answers.of(predicted, [true[row["qid"]] for row in kept], most)


def average_precision(answers: Answers, thresholds: Floats = THRESHOLDS) -> Floats:
    """(Q, T) interpolated average precision of each query at each threshold."""
    ranked = answers.by_score()
    hits = _hits(ranked, thresholds)
    true = np.cumsum(hits, axis=-1)
    precision = true / np.arange(1, hits.shape[-1] + 1)
    recall = true / np.maximum(1, answers.true)[:, None, None]
    best = np.maximum.accumulate(precision[..., ::-1], axis=-1)[..., ::-1]
    return _summed(hits, np.diff(recall, axis=-1, prepend=0) * best, recall[..., -1] < 1)


def _hits(ranked: Answers, thresholds: Floats) -> Bools:
    iou, rank = as_sorted(ranked, float(thresholds.min()))
    return matched(iou, thresholds, rank)


def _summed(hits: Bools, gained: Floats, open_: Bools) -> Floats:
    """(Q, T) sums over what was found, added up in the very order in which official ones are.

    numpy adds eight numbers and more in another order than fewer; a last 0 of theirs, where not
    everything is found, counts as one of them.
    """
    whole = np.zeros(hits.shape[:2])
    numbers = hits.sum(axis=-1)
    for number in range(1, int(numbers.max(initial=0)) + 1):
        for more in (False, True):
            these = (numbers == number) & (open_ == more)
            parts = gained[these][hits[these]].reshape(-1, number)
            whole[these] = np.pad(parts, ((0, 0), (0, int(more)))).sum(axis=-1)
    return whole


def highlights(submission: Sequence[Row], truth: Sequence[Row]) -> dict[str, Any]:
    """``HL-mAP`` and ``HL-Hit1`` from each rating on; a query without any saliency scores 0."""
    rated = {row["qid"]: _ratings(row) for row in truth}
    asked = [(rated[row["qid"]], row["pred_saliency_scores"]) for row in submission]
    rows = [(ratings, *_ranked(scores, len(ratings))) for ratings, scores in asked]
    found = {}
    for name, least in RATINGS.items():
        precisions, hits = [], []
        for ratings, first, order, last in rows:
            true = ratings >= least
            hits.append(first < len(true) and bool(true[first].any()))
            precisions += [_ranked_precision(column, order, last) for column in true.T]
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


def _mean_precision(answers: Answers, strict: bool) -> dict[str, float]:
    each = average_precision(answers if strict else answers.where(answers.predicted > 0))
    precision = each.mean(axis=0) if len(each) else np.full(len(THRESHOLDS), np.nan)
    told = {str(t): percent(p) for t, p in zip(THRESHOLDS.tolist(), precision, strict=True)}
    return {**told, "average": percent(float(precision.mean()))}


def _first_recall(answers: Answers) -> dict[str, float]:
    near = first_overlap(answers)
    shares = [float((near >= t).mean()) if len(near) else math.nan for t in THRESHOLDS]
    return {str(t): percent(s) for t, s in zip(THRESHOLDS.tolist(), shares, strict=True)}


def first_overlap(answers: Answers) -> Floats:
    """(Q,) IoU of the first window in the file with the truth that it is nearest to; 0 of none.

    Over the hull of both windows, which is what they cover together where they overlap.
    """
    first, rows = answers.predictions[:, 0], np.arange(len(answers.iou))
    _, whole = shared(first[:, None], answers.truths)  # nothing: no number, and taken for the most
    near = np.where(whole == 0, np.inf, answers.iou[:, 0])
    true = answers.truths[rows, near.argmax(axis=-1)]
    inside = np.minimum(first[:, 1], true[:, 1]) - np.maximum(first[:, 0], true[:, 0])
    hull = np.maximum(first[:, 1], true[:, 1]) - np.minimum(first[:, 0], true[:, 0])
    both = np.where(answers.predicted > 0, np.maximum(0, inside), 0.0)
    return np.asarray(np.divide(both, hull, out=np.zeros_like(both), where=both > 0), np.float64)


def _ratings(row: Row) -> Floats:
    """(clips, annotators) from 0 to 4."""
    full = np.zeros((int(row["duration"] / CLIP), 3))
    full[row["relevant_clip_ids"]] = row["saliency_scores"]
    return full


def _ranked(saliency: Sequence[float], clips: int) -> tuple[int, Places, Places]:
    """The clip of the highest score, all clips by score, and the last places of equal ones.

    What goes beyond the film is left out, what is missing is 0; of no scores there is no order.
    """
    if not len(saliency):
        return clips, np.zeros(0, np.int64), np.zeros(0, np.int64)
    scores = np.zeros(clips)
    scores[: len(saliency)] = saliency[:clips]
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    return int(np.argmax(saliency)), order, last


def _ranked_precision(true: Bools, order: Places, last: Places) -> float:
    """Interpolated average precision of clips by saliency; ties are found together."""
    if true.all() or not true.any() or not len(order):
        return float(true[0] and len(order) > 0)
    found = np.cumsum(true[order])[last]
    best = np.maximum.accumulate((found / (last + 1))[::-1])
    gained = np.diff(found, prepend=0)[::-1] > 0
    return float(best[gained].mean())  # from the last found on, as official scorers add


def _brief(found: Mapping[str, Any]) -> dict[str, float]:
    brief = _brief_moments(found) if "full" in found else {}
    for name in RATINGS:
        for short, key in (("mAP", "HL-mAP"), ("Hit1", "HL-Hit1")):
            if f"HL-min-{name}" in found:
                brief[f"HL-min-{name}-{short}"] = found[f"HL-min-{name}"][key]
    return brief


def _brief_moments(found: Mapping[str, Any]) -> dict[str, float]:
    full = found["full"]
    brief = {f"MR-full-R1@{at}": full["MR-R1"][at] for at in ("0.5", "0.7")}
    brief["MR-full-mAP"] = full["MR-mAP"]["average"]
    brief |= {f"MR-full-mAP@{at}": full["MR-mAP"][at] for at in ("0.5", "0.75")}
    lengths = ("long", "middle", "short")
    return brief | {f"MR-{name}-mAP": found[name]["MR-mAP"]["average"] for name in lengths}
