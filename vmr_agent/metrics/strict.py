"""What official scorers forgive and these do not: an empty answer scores 0.

``qvhighlights.evaluate`` and ``qvm2.evaluate`` take ``strict=True`` for the same in the official
nesting; here is what each query adds, from which intervals are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vmr_agent.metrics.bootstrap import Tally
from vmr_agent.metrics.matching import Answers, Floats, matched
from vmr_agent.metrics.qvhighlights import MOST, Row, average_precision, first_overlap
from vmr_agent.metrics.qvm2 import RECALLS

NAMES = ("R1@0.5", "R1@0.7", "mAP", "mAP@2tgt", "mAP@3+tgt", "mR@3")
MANY = 3
"""True windows from which a query has an mR@3."""


def coverage(submission: Sequence[Row]) -> float:
    """Percentage of queries with at least one window, or score where only clips are scored."""
    field = "pred_relevant_windows"
    if submission and field not in submission[0]:
        field = "pred_saliency_scores"
    answered = sum(bool(row[field]) for row in submission)
    return round(100 * answered / max(1, len(submission)), 2)


def shares(submission: Sequence[Row], truth: Sequence[Row]) -> Floats:
    """(Q, 4) of each query: R1 at .5 and at .7, average precision, share of the first three found.

    In the order of the truth. Of a query with fewer than three true windows the last is not used.
    """
    answers = {row["qid"]: row["pred_relevant_windows"] for row in submission}
    windows = [row["relevant_windows"] for row in truth]
    found = Answers.of([answers[row["qid"]] for row in truth], windows, MOST)
    near = first_overlap(found)
    recall = matched(found.first(MANY).iou, RECALLS).sum(axis=-1).mean(axis=-1) / MANY
    precision = average_precision(found).mean(axis=-1)
    return np.stack([near >= 0.5, near >= 0.7, precision, recall], axis=1).astype(np.float64)


def tally(submission: Sequence[Row], truth: Sequence[Row]) -> Tally:
    """``NAMES``, of which mAP@3+tgt weighs every number of true windows alike."""
    each = shares(submission, truth)
    true = np.array([len(row["relevant_windows"]) for row in truth])
    everyone, numbers = np.ones(len(true), bool), [n for n in np.unique(true) if n >= MANY]
    kept = [(0, 0, everyone), (1, 1, everyone), (2, 2, everyone), (3, 2, true == 2)]
    kept += [(4, 2, true == number) for number in numbers]
    kept.append((5, 3, true >= MANY))
    columns = each[:, [column for _, column, _ in kept]]
    return Tally(NAMES, columns, np.stack([m for *_, m in kept], 1), tuple(p for p, *_ in kept))
