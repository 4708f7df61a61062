"""Queries whose moment may be absent, scored as by the toolkit of generalized moment retrieval.

    evaluate(rows of a submission, rows of the annotations)["G-mIoU@3"]

A query is held for present where its existence score is above a threshold: ``pred_exist_score``, or
the highest score of its windows, or 0. Rejection is scored over all queries, windows over those
that are present. An empty answer scores 0 where there is something to find: nothing drops out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vmr_agent.metrics.matching import APART, Answers, Bools, Floats, matched, shared
from vmr_agent.metrics.qvhighlights import MOST, THRESHOLDS, Row, average_precision

EXISTS = (0.4, 0.6)
"""Existence scores above which a query is held for present."""
GATE = 0.4
"""The one below which a query has no windows, for G-mIoU."""
COUNTS = (1, 3, 5)
"""Windows that are looked at."""


def evaluate(submission: Sequence[Row], truth: Sequence[Row]) -> dict[str, float]:
    """The toolkit's brief figures, with its names and its rounding.

    Of ``truth`` those queries count that are in the submission, as in the toolkit; true windows are
    cut to the film, put in order and kept once. Raises ValueError where none of them is present.
    """
    told = {row["qid"]: row for row in submission}
    asked = [(_scored(told[row["qid"]]), _cleaned(row)) for row in truth if row["qid"] in told]
    if not any(windows for _, windows in asked):
        raise ValueError("no query of the truth has a moment: there is nothing to find")
    scores = np.array([existence(row) for row, _ in asked])
    present = np.array([bool(windows) for _, windows in asked])
    found = _rejection(scores, present)
    for count in COUNTS:
        found[f"G-mIoU@{count}"] = _together(asked, scores > GATE, count)
    return found | _windows([pair for pair in asked if pair[1]])


def existence(row: Row) -> float:
    """How sure the answer is that there is anything at all."""
    if isinstance(row.get("pred_exist_score"), int | float):
        return float(row["pred_exist_score"])
    scores = [float(window[2]) for window in row["pred_relevant_windows"] if len(window) > 2]
    return max(scores, default=0.0)


def auroc(scores: Floats, present: Bools) -> float:
    """Chance that a present query scores above an absent one; ties count half, 0.5 of no pairs."""
    if present.all() or not present.any():
        return 0.5
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)
    ups = np.append(0, np.cumsum(present[order])[last] / present.sum())
    across = np.append(0, np.cumsum(~present[order])[last] / (~present).sum())
    return float(np.trapezoid(ups, across))


def _rejection(scores: Floats, present: Bools) -> dict[str, float]:
    found = {"AUROC": _percent(auroc(scores, present))}
    for threshold in EXISTS:
        held = scores > threshold
        right = int((~held & ~present).sum())
        precision, recall = (right / max(1, int(part.sum())) for part in (~held, ~present))
        both = precision + recall
        f1 = 2 * precision * recall / both if both else 0.0
        found[f"Rej-F1@{threshold}"] = _percent(f1)
        found[f"Acc@{threshold}"] = _percent(int((held == present).sum()) / len(present))
    return found


Asked = Sequence[tuple[Row, list[list[float]]]]
"""Rows of a submission, each with the true windows."""


def _together(asked: Asked, held: Bools, count: int) -> float:
    """Overlap of all windows with all true ones; whole where both are none."""
    kept = []
    for (row, _), here in zip(asked, held, strict=True):
        windows = [w for w in row["pred_relevant_windows"] if w[1] > w[0]][:MOST][:count]
        kept.append(windows if here else [])
    answers = Answers.of(kept, [windows for _, windows in asked], None)
    gained, paired = pairs(answers, 0.0)
    either = answers.predicted + answers.true - paired.sum(axis=-1)
    total = np.cumsum(np.where(paired, gained, 0), axis=-1)[:, -1]
    each = np.divide(total, either, out=np.ones(len(asked)), where=either > 0)
    return _percent(sum(each.tolist()) / len(asked))


def pairs(answers: Answers, least: float) -> tuple[Floats, Bools]:
    """(Q, P) IoU with the true window that each takes, and whether it takes one, from ``least`` on.

    One after the other in file order, each that which it is nearest to of those not yet taken.
    """
    _, whole = shared(answers.predictions[:, :, None], answers.truths[:, None])
    iou = np.where(whole == 0, APART, answers.iou)
    gained, rows = np.full(iou.shape[:2], APART), np.arange(len(iou))
    for row in range(iou.shape[1]):
        place = iou[:, row].argmax(axis=-1)
        gained[:, row] = iou[rows, row, place]
        taken = gained[:, row] >= least
        iou[rows[taken], :, place[taken]] = APART
    return gained, (gained >= least) & (gained > APART)


def _windows(asked: Asked) -> dict[str, float]:
    """Of present queries alone."""
    answers = Answers.of(
        [row["pred_relevant_windows"] for row, _ in asked], [true for _, true in asked], None
    )
    precision = average_precision(answers.first(MOST)).mean(axis=0)
    found = {"mAP": _percent(float(precision.mean()))}
    more = answers.where(answers.true > 1)
    for count in COUNTS:
        hits = matched(answers.first(count).iou, THRESHOLDS).sum(axis=-1)
        found[f"mR@{count}"] = _percent(_mean_of_means(hits / answers.true[:, None]))
    for count in COUNTS:
        hits = matched(more.first(count).iou, THRESHOLDS).sum(axis=-1)
        rest = np.maximum(0, hits - 1) / np.maximum(1, more.true - 1)[:, None]
        found[f"mR+@{count}"] = _percent(_mean_of_means(rest))
    for name, some, dropped in (("mIoU", answers, 0), ("mIoU+", more, 1)):
        for count in COUNTS:
            both = zip(*pairs(some.first(count), -0.5), strict=True)
            each = [_mean_pair(gained, paired, dropped) for gained, paired in both]
            found[f"{name}@{count}"] = _percent(float(np.mean(each)) if each else 0.0)
    return found


def _mean_pair(gained: Floats, paired: Bools, dropped: int) -> float:
    """Mean IoU of pairs, without the best ``dropped`` of them."""
    kept = gained[paired]
    if dropped:
        kept = np.sort(kept)[::-1][dropped:]
    return float(np.mean(kept)) if len(kept) else 0.0


def _mean_of_means(shares: Floats) -> float:
    """Over queries and then over thresholds, of (Q, T)."""
    if not len(shares):
        return 0.0
    return float(np.mean([float(np.mean(column)) for column in shares.T.copy()]))


def _scored(row: Row) -> Row:
    """With a score for each window, 1 where it has none; existence by those that had one."""
    windows = row["pred_relevant_windows"]
    told = [window if len(window) > 2 else [*window, 1.0] for window in windows]
    return {**row, "pred_exist_score": existence(row), "pred_relevant_windows": told}


def _cleaned(row: Row) -> list[list[float]]:
    """The true windows inside the film, in order, each once."""
    end = row.get("duration")
    windows = set()
    for start, stop, *_ in row["relevant_windows"]:
        cut = (float(start), float(stop))
        if end is not None:
            cut = (max(0.0, cut[0]), min(float(end), cut[1]))
        if cut[1] > cut[0]:
            windows.add(cut)
    return [list(window) for window in sorted(windows)]


def _percent(share: float) -> float:
    return round(100 * share, 2)
