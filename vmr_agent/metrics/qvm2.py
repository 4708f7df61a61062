"""QV-M² (FlashMMR, 2025): moments that come several times, scored as by its ``standalone_eval``.

    evaluate(rows of a submission, rows of the annotations)["brief"]["MR-full-mAP@3+tgt"]

Besides QVHighlights' mAP, here by the number of true windows: recall and IoU of the first k.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vmr_agent.metrics.matching import APART, Answers, Floats, matched
from vmr_agent.metrics.qvhighlights import (
    LENGTHS,
    MOST,
    Row,
    average_precision,
    of_length,
    percent,
)

RECALLS = np.linspace(0.3, 0.95, 14)
"""IoU thresholds of mR."""
COUNTS = (1, 2, 3)
"""Windows that are asked for."""


def evaluate(submission: Sequence[Row], truth: Sequence[Row]) -> dict[str, Any]:
    """The official figures, with the official names, nesting and rounding."""
    answers = {row["qid"]: row["pred_relevant_windows"] for row in submission}
    found = {}
    for name in sorted(LENGTHS):
        kept = of_length(truth, name)
        windows = [row["relevant_windows"] for row in kept]
        found[name] = _figures(Answers.of([answers[row["qid"]] for row in kept], windows, None))
    return {"brief": _brief(found["full"]), **found}


def _figures(answers: Answers) -> dict[str, Any]:
    told: dict[str, Any] = {f"MR-mIoU@{k}": percent(overlap(answers, k)) for k in COUNTS}
    told["MR-mAP"] = {name: percent(value) for name, value in _precisions(answers).items()}
    for k in COUNTS:
        shares = [percent(float(share)) for share in recall(answers, k)]
        told[f"MR-R{k}"] = {f"{at:.2f}": share for at, share in zip(RECALLS, shares, strict=True)}
        told[f"MR-mR{k}"] = percent(float(np.mean(shares)) / 100)  # of what was rounded before
    return told


def _precisions(answers: Answers) -> dict[str, float]:
    """By the number of true windows; from three on each number counts as much as any other."""
    answered = answers.where(answers.predicted > 0)
    each = average_precision(answered.first(MOST)).mean(axis=-1)
    by_count = {
        int(count): float(each[answered.true == count].mean()) for count in np.unique(answered.true)
    }
    many = [value for count, value in by_count.items() if count >= max(COUNTS)]
    return {
        "1_tgt_mAP": by_count.get(1, 0.0),
        "2_tgt_mAP": by_count.get(2, 0.0),
        ">=3_tgt_mAP": float(np.mean(many)) if many else 0.0,
        "Generalized_mAP": float(each.mean()) if len(each) else 0.0,
    }


def recall(answers: Answers, count: int) -> Floats:
    """(14,) share of ``count`` windows that the first so many find, at each of ``RECALLS``.

    Of queries with so many true and so many predicted windows.
    """
    enough = answers.where((answers.true >= count) & (answers.predicted >= count)).first(count)
    if not len(enough.true):
        return np.zeros(len(RECALLS))
    hits = matched(enough.iou, RECALLS).sum(axis=-1)
    return np.asarray((hits / count).mean(axis=0), np.float64)


def overlap(answers: Answers, count: int) -> float:
    """Mean IoU of the first ``count`` predicted windows, each with a true one of its own."""
    enough = answers.where((answers.true >= count) & (answers.predicted >= count)).first(count)
    if not len(enough.true):
        return 0.0
    iou, found = enough.iou.copy(), []
    rows = np.arange(len(iou))
    for row in range(count):
        place = iou[:, row].argmax(axis=-1)
        found.append(iou[rows, row, place])
        iou[rows, :, place] = APART
    return float(np.mean(found))


def _brief(full: dict[str, Any]) -> dict[str, float]:
    precision = full["MR-mAP"]
    names = {"": "Generalized_mAP", "@1_tgt": "1_tgt_mAP", "@2_tgt": "2_tgt_mAP"}
    names["@3+tgt"] = ">=3_tgt_mAP"
    brief = {f"MR-full-mAP{short}": precision[name] for short, name in names.items()}
    brief |= {f"MR-full-mIoU@{k}": full[f"MR-mIoU@{k}"] for k in COUNTS}
    return brief | {f"MR-full-mR{k}": full[f"MR-mR{k}"] for k in COUNTS}
