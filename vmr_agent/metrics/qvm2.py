"""QV-M² (FlashMMR, 2025): moments that come several times, scored as by its ``standalone_eval``.

    evaluate(rows of a submission, rows of the annotations)["brief"]["MR-full-mAP@3+tgt"]

Besides QVHighlights' mAP, here by the number of true windows: recall and IoU of the first k.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from vmr_agent.metrics.matching import APART, Answers, Floats, matched, shared
from vmr_agent.metrics.qvhighlights import (
    LENGTHS,
    MOST,
    Row,
    answered,
    average_precision,
    of_length,
    percent,
)

RECALLS = np.round(np.linspace(0.3, 0.95, 14), 2)
"""IoU thresholds of mR."""
COUNTS = (1, 2, 3)
"""Windows that are asked for."""


def evaluate(
    submission: Sequence[Row], truth: Sequence[Row], strict: bool = False
) -> dict[str, Any]:
    """The official figures, with the official names, nesting and rounding.

    NaN where the official script stops: no answered query with one truth, or with two. ``strict``:
    whatever is not answered is missed, an empty list and a second window that is asked for.
    """
    if "pred_relevant_windows" not in submission[0]:
        return {"brief": {}}
    found = {}
    for name in sorted(LENGTHS):
        answers = answered(submission, of_length(truth, name), None)
        found[name] = _figures(answers, strict) if len(answers.true) else _nothing()
    return {"brief": _brief(found["full"]), **found}


def _nothing() -> dict[str, Any]:
    """What the official script says of a bucket of lengths without moments."""
    zeros = {str(at): 0.0 for at in np.linspace(0.5, 0.95, 19).tolist()} | {"average": 0.0}
    return {"MR-mAP": zeros, "MR-R1": zeros}


def _figures(answers: Answers, strict: bool) -> dict[str, Any]:
    told: dict[str, Any] = {f"MR-mIoU@{k}": percent(overlap(answers, k, strict)) for k in COUNTS}
    precisions = _precisions(answers, strict)
    told["MR-mAP"] = {name: percent(value) for name, value in precisions.items()}
    # Of what was rounded before, and rounded as numpy does: so it is in the official script.
    shares = {k: np.array([_rounded(each) for each in recall(answers, k, strict)]) for k in COUNTS}
    for k, each in shares.items():
        told[f"MR-R{k}"] = {f"{at:.2f}": float(v) for at, v in zip(RECALLS, each, strict=True)}
    return told | {f"MR-mR{k}": float(np.round(each.mean(), 2)) for k, each in shares.items()}


def _rounded(share: float) -> float:
    return float(f"{share * 100:.2f}")


def _precisions(answers: Answers, strict: bool) -> dict[str, float]:
    """By the number of true windows; from three on each number counts as much as any other."""
    asked = answers if strict else answers.where(answers.predicted > 0)
    each = average_precision(asked.first(MOST))
    by_count = {
        count: each[asked.true == count].mean(axis=0).mean()
        for count in dict.fromkeys(asked.true.tolist())
    }
    shares = {count: (asked.true == count).sum() / len(asked.true) for count in by_count}
    many = [value for count, value in by_count.items() if count >= max(COUNTS)]
    whole = sum(float(value * shares[count]) for count, value in by_count.items())
    return {
        "1_tgt_mAP": float(by_count.get(1, math.nan)),
        "2_tgt_mAP": float(by_count.get(2, math.nan)),
        ">=3_tgt_mAP": float(sum(many)) / max(1, len(many)),
        "Generalized_mAP": whole if by_count else math.nan,
    }


def recall(answers: Answers, count: int, strict: bool = False) -> Floats:
    """(14,) share of ``count`` windows that the first so many find, at each of ``RECALLS``.

    Of queries with so many true and, unless ``strict``, so many predicted windows; 0 of none.
    """
    enough = _asked(answers, count, strict)
    hits = matched(enough.iou, RECALLS).sum(axis=(0, 2))
    return np.asarray(hits / max(1, count * len(enough.true)), np.float64)


def overlap(answers: Answers, count: int, strict: bool = False) -> float:
    """Mean IoU of the first ``count`` predicted windows, each with a true one of its own."""
    enough = _asked(answers, count, strict)
    # Two windows that have nothing between them are no pair, and do not count.
    _, whole = shared(enough.predictions[:, :, None], enough.truths[:, None])
    iou, found = np.where(whole == 0, APART, enough.iou), []
    rows = np.arange(len(iou))
    for row in range(iou.shape[1]):
        place = iou[:, row].argmax(axis=-1)
        found.append(iou[rows, row, place])
        iou[rows, :, place] = APART
    each = np.stack(found, axis=1)
    if strict:
        return float(np.maximum(each, 0).sum() / max(1, count * len(iou)))
    paired = each[each > APART]
    return float(np.mean(paired)) if len(paired) else 0.0


def _asked(answers: Answers, count: int, strict: bool) -> Answers:
    """The first ``count`` windows of those queries of which so many are asked."""
    given = answers.predicted >= (0 if strict else count)
    return answers.where((answers.true >= count) & given).first(count)


def _brief(full: dict[str, Any]) -> dict[str, float]:
    precision = full["MR-mAP"]
    names = {"": "Generalized_mAP", "@1_tgt": "1_tgt_mAP", "@2_tgt": "2_tgt_mAP"}
    names["@3+tgt"] = ">=3_tgt_mAP"
    brief = {f"MR-full-mAP{short}": precision[name] for short, name in names.items()}
    brief |= {f"MR-full-mIoU@{k}": full[f"MR-mIoU@{k}"] for k in COUNTS}
    return brief | {f"MR-full-mR{k}": full[f"MR-mR{k}"] for k in COUNTS}
