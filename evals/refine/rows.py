"""Prediction files and annotations of QVHighlights' form, as questions for the network."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vmr_agent.grounding.inputs import Floats, Question
from vmr_agent.grounding.training.targets import Moments

Row = dict[str, Any]

STEP = 2.0
"""Seconds of one step of the saliency curve."""
YOUTUBE = 11
"""Letters of a video's id; what follows in ``vid`` is which part of it is meant."""
WINDOWS, CURVE, TRUTH = "pred_relevant_windows", "pred_saliency_scores", "relevant_windows"


class FileError(ValueError):
    """A file is not what it must be, and how to put it right."""


def read(path: Path, *fields: str) -> list[Row]:
    """The rows of a JSONL file, each with a ``qid`` of its own. Raises FileError."""
    rows: list[Row] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{str(path)!r} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise FileError(f"{path}:{number} is no JSON: {error}") from error
        lacking = [name for name in ("qid", "vid", *fields) if name not in row]
        if lacking:
            raise FileError(f"{path}:{number} has no {', '.join(lacking)}")
        rows.append(row)
    if not rows:
        raise FileError(f"{str(path)!r} has no rows")
    if len({row["qid"] for row in rows}) < len(rows):
        raise FileError(f"{str(path)!r} has a qid twice: keep one row for each")
    return rows


def joined(files: Sequence[Sequence[Row]]) -> list[tuple[Row, ...]]:
    """The rows of several files about the same query side by side, in the first one's order."""
    known = [{row["qid"]: row for row in rows} for rows in files]
    for number, rows in enumerate(known[1:], 2):
        if rows.keys() != known[0].keys():
            raise FileError(f"prediction file {number} answers other queries than the first")
    return [tuple(rows[qid] for rows in known) for qid in known[0]]


def question(rows: Sequence[Row]) -> Question:
    """What every file says of one query; each is a source."""
    windows = [_windows(row) for row in rows]
    steps = max(_steps(row, each) for row, each in zip(rows, windows, strict=True))
    curves = [_curve(row, each, steps) for row, each in zip(rows, windows, strict=True)]
    return Question(np.stack(curves, axis=1), tuple(windows))


def moments(rows: Sequence[tuple[Row, ...]], truth: Sequence[Row]) -> Moments:
    """True windows of each query, in steps. Raises FileError where there are none."""
    known = {row["qid"]: row[TRUTH] for row in truth if TRUTH in row}
    found = []
    for each in rows:
        qid = each[0]["qid"]
        if not known.get(qid):
            raise FileError(f"the ground truth has no windows for qid {qid}")
        found.append(np.asarray(known[qid], np.float32) / STEP)
    return found


def videos(rows: Sequence[tuple[Row, ...]]) -> list[str]:
    """The source video of each query: all its parts go into the same fold."""
    return [str(each[0]["vid"])[:YOUTUBE] for each in rows]


def answer(row: Row, windows: Floats, quality: Floats) -> Row:
    """A row of a submission: windows in seconds, scores falling so that no two are the same."""
    scores = quality.astype(float) * (1 - 1e-6 * np.arange(len(quality)))
    told = [
        [float(start * STEP), float(end * STEP), round(score, 8)]
        for (start, end), score in zip(windows, scores, strict=True)
    ]
    kept = {name: row[name] for name in ("qid", "query", "vid", CURVE) if name in row}
    return {**kept, WINDOWS: told}


def write(path: Path, rows: Sequence[Row]) -> None:
    """Whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    part.replace(path)


def _windows(row: Row) -> Floats:
    """(K, 3) in steps, best first, scores as shares."""
    found = np.asarray([w[:3] for w in row[WINDOWS]], np.float64).reshape(-1, 3)
    if not np.isfinite(found).all():
        raise FileError(f"qid {row['qid']} has a window that is no number")
    found = found[found[:, 1] > found[:, 0]]
    scores = found[:, 2]
    if len(scores) and (scores.min() < 0 or scores.max() > 1):
        found[:, 2] = 1 / (1 + np.exp(-scores))  # logits
    found[:, :2] = np.maximum(found[:, :2], 0) / STEP
    return found[np.argsort(-found[:, 2], kind="stable")].astype(np.float32)


def _steps(row: Row, windows: Floats) -> int:
    reach = math.ceil(float(windows[:, 1].max())) if len(windows) else 1
    return max(1, len(row.get(CURVE, ())) or reach)


def _curve(row: Row, windows: Floats, steps: int) -> Floats:
    """(T,) of its saliency; of a file without, how far its windows cover each step."""
    told = np.asarray(row.get(CURVE, ()), np.float32)
    if not np.isfinite(told).all():
        raise FileError(f"qid {row['qid']} has a saliency score that is no number")
    if len(told):
        return np.pad(told[:steps], (0, max(0, steps - len(told))), constant_values=told.min())
    drawn = np.zeros(steps, np.float32)
    for start, end, score in windows:
        drawn[int(start) : max(int(start) + 1, round(float(end)))] += score
    return drawn
