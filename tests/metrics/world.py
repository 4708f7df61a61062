"""Forty made-up queries and answers to them, with everything in them that scorers stumble over.

``official.json`` holds what the authors' own scripts say of them, run once on what ``made``
returns: moment_detr's and QV-M²'s ``standalone_eval``, and the brief figures of the GMR toolkit on
``with_absent``. Nothing of theirs is copied here.
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

Rows = list[dict[str, Any]]

QUERIES = 40
OFFICIAL = json.loads((Path(__file__).parent / "official.json").read_text(encoding="utf-8"))


def made(seed: int = 7) -> tuple[Rows, Rows]:
    """A submission and its truth: ties, doubled, reversed, empty and late windows, short curves."""
    dice, submission, truth = Random(seed), [], []
    for qid in range(QUERIES):
        row = _truth(dice, qid)
        windows = [_near(dice, row["relevant_windows"]) for _ in range(dice.choice([1, 3, 10, 13]))]
        windows += [list(windows[0]), [40.0, 40.0, 0.5], [140.0, 190.0, 0.3]][: dice.randrange(4)]
        start, end = row["relevant_windows"][0]
        windows += [[end, start, 0.4]] * (qid % 7 == 3)
        if qid % 2:
            windows.sort(key=lambda window: -window[2])
        curve = [round(dice.random(), 1) for _ in range(dice.choice([75, 75, 75, 70, 80]))]
        truth.append(row)
        answer = {"pred_relevant_windows": windows, "pred_saliency_scores": curve}
        submission.append({"qid": qid, "query": row["query"], "vid": row["vid"], **answer})
    dice.shuffle(submission)
    return submission, truth


def with_absent(submission: Rows, truth: Rows) -> tuple[Rows, Rows]:
    """The same where every third query is absent, with how sure the answers are of their moment."""
    asked = [
        {**row, "relevant_windows": row["relevant_windows"] * bool(row["qid"] % 3)} for row in truth
    ]
    told = [{**r, "pred_exist_score": (r["qid"] * 37 % 100) / 100} for r in submission]
    return told, asked


def _truth(dice: Random, qid: int) -> dict[str, Any]:
    windows = [[4, 12], [20, 44], [50, 100]][qid % 3 :][: 1 + qid % 4]
    windows += [[110.0, 118.5], [120, 146]][: qid % 3]
    windows += [[60, 66], [15, 105.5], [90, 112]] * (qid % 5 == 0)
    clips = sorted(dice.sample(range(75), 20))
    return {
        "qid": qid,
        "query": f"query {qid}",
        "vid": f"video{qid // 2:06d}_0.0_150.0",
        "duration": 150,
        "relevant_windows": windows,
        "relevant_clip_ids": clips,
        "saliency_scores": [[dice.randrange(5) for _ in range(3)] for _ in clips],
    }


def _near(dice: Random, windows: list[list[float]]) -> list[float]:
    start, end = dice.choice(windows)
    by = dice.choice([0, 0, 1, 2, 2.5, 4, 20])
    return [start + by, end + dice.choice([0, by, -by / 4]), round(dice.random(), 1)]
