"""Figures of a submission: the official ones, strict ones, and how far scores are probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evals.refine.rows import TRUTH, WINDOWS, Row
from vmr_agent.metrics import qvhighlights, qvm2
from vmr_agent.metrics.calibration import calibration_error
from vmr_agent.metrics.matching import Answers, Floats, tiou
from vmr_agent.metrics.qvhighlights import percent


def figures(submission: Sequence[Row], truth: Sequence[Row]) -> dict[str, float]:
    """Percentages, but for ``ECE``."""
    known = {row["qid"]: row for row in truth}
    asked = [known[row["qid"]] for row in submission]
    bare = [{name: row[name] for name in ("qid", WINDOWS)} for row in submission]
    first, second = (each.evaluate(bare, asked)["brief"] for each in (qvhighlights, qvm2))
    return {
        "R1@0.5": first["MR-full-R1@0.5"],
        "R1@0.7": first["MR-full-R1@0.7"],
        "mAP": first["MR-full-mAP"],
        "mAP@0.75": first["MR-full-mAP@0.75"],
        "mAP@2tgt": second["MR-full-mAP@2_tgt"],
        "mAP@3+tgt": second["MR-full-mAP@3+tgt"],
        "mR@3": second["MR-full-mR3"],
        "strict mR@3": strict_recall(bare, asked, 3),
        "ECE": round(calibration_error(*told_and_right(bare, asked)), 4),
    }


def strict_recall(submission: Sequence[Row], truth: Sequence[Row], count: int) -> float:
    """mR@k of all queries with so many true windows: those with fewer predicted count as missed."""
    windows = [row[WINDOWS] if len(row[WINDOWS]) >= count else [] for row in submission]
    found = Answers.of(windows, [row[TRUTH] for row in truth], None)
    asked = int((found.true >= count).sum())
    shares = qvm2.recall(found, count)
    answered = int(((found.true >= count) & (found.predicted >= count)).sum())
    return percent(float(shares.mean()) * answered / max(1, asked))


def told_and_right(submission: Sequence[Row], truth: Sequence[Row]) -> tuple[Floats, Floats]:
    """Scores of all windows, and whether each has an IoU of .5 and more with a true one."""
    scores, right = [], []
    for row, true in zip(submission, truth, strict=True):
        windows = np.asarray(row[WINDOWS], np.float64).reshape(-1, 3)
        overlap = tiou(windows[:, None, :2], np.asarray(true[TRUTH], np.float64)[None])
        scores.append(windows[:, 2])
        right.append(overlap.max(axis=1) >= 0.5)
    return np.concatenate(scores), np.concatenate(right).astype(np.float64)
