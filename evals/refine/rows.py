"""Prediction files and annotations of QVHighlights' form, as questions for the network."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from vmr_agent.grounding.inputs import Floats, Question
from vmr_agent.grounding.training.targets import Moments

Row = dict[str, Any]

STEP = 2.0
"""Seconds of one step of the saliency curve."""
YOUTUBE = 11
"""Letters of a video's id; what follows in ``vid`` is which part of it is meant."""
WINDOWS, CURVE, TRUTH = "pred_relevant_windows", "pred_saliency_scores", "relevant_windows"


MOST_STEPS = 1000
"""Of a film: all of its windows are judged, half a million of them then."""
Number = Annotated[FiniteFloat, Field(ge=-1e9, le=1e9)]


class FileError(ValueError):
    """A file is not what it must be, and how to put it right."""


class Form(BaseModel):
    """What of a row is read; times are seconds."""

    qid: int | str
    vid: int | str
    pred_relevant_windows: list[Annotated[list[Number], Field(min_length=3)]] = []
    pred_saliency_scores: list[Number] = []
    relevant_windows: list[Annotated[list[Number], Field(min_length=2)]] | None = None


def read(path: Path, *fields: str) -> list[Row]:
    """The rows of a JSONL file, each with a ``qid`` of its own. Raises FileError."""
    try:
        # Not splitlines: a query may hold other line ends.
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{str(path)!r} cannot be read: {error}") from error
    numbered = ((f"{path}:{number}", line) for number, line in enumerate(lines, 1) if line.strip())
    rows = [_row(where, line, fields) for where, line in numbered]
    if not rows:
        raise FileError(f"{str(path)!r} has no rows")
    if len({row["qid"] for row in rows}) < len(rows):
        raise FileError(f"{str(path)!r} has a qid twice: keep one row for each")
    return rows


def _row(where: str, line: str, fields: Sequence[str]) -> Row:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise FileError(f"{where} is no JSON: {error}") from error
    if not isinstance(row, dict):
        raise FileError(f"{where} is no object: one query a line")
    if lacking := [name for name in ("qid", "vid", *fields) if name not in row]:
        raise FileError(f"{where} has no {', '.join(lacking)}")
    try:
        Form.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise FileError(f"{where}, {place}: {first['msg']}") from error
    return row


def named(paths: Sequence[Path]) -> list[str]:
    """What files are called in tables and exports. Raises FileError for two of one name."""
    names = [path.stem for path in paths]
    if len(set(names)) < len(names):
        raise FileError(f"two files are called {max(names, key=names.count)!r}: rename one")
    return names


def joined(files: Sequence[Sequence[Row]]) -> list[tuple[Row, ...]]:
    """The rows of several files about the same query side by side, in the first one's order."""
    known = [{row["qid"]: row for row in rows} for rows in files]
    for number, rows in enumerate(known[1:], 2):
        if rows.keys() != known[0].keys():
            raise FileError(f"prediction file {number} answers other queries than the first")
    return [tuple(rows[qid] for rows in known) for qid in known[0]]


def question(rows: Sequence[Row]) -> Question:
    """What every file says of one query; each is a source. Raises FileError for a film too long."""
    windows, steps = [_windows(row) for row in rows], _steps(rows)
    if steps > MOST_STEPS:
        raise FileError(
            f"qid {rows[0]['qid']} has {steps} steps of {STEP:g} s: {MOST_STEPS} at most"
        )
    curves = [_curve(row, each, steps) for row, each in zip(rows, windows, strict=True)]
    return Question(np.stack(curves, axis=1), tuple(windows))


def moments(rows: Sequence[tuple[Row, ...]], truth: Sequence[Row]) -> Moments:
    """True windows of each query, in steps. Raises FileError where there are none, or bad ones."""
    known = {row["qid"]: row[TRUTH] for row in truth if TRUTH in row}
    found = []
    for each in rows:
        qid = each[0]["qid"]
        if not known.get(qid):
            raise FileError(f"the ground truth has no windows for qid {qid}")
        true = np.asarray([window[:2] for window in known[qid]], np.float32) / STEP
        if not ((true[:, 0] >= 0) & (true[:, 0] < true[:, 1])).all():
            raise FileError(f"qid {qid} has a true window that does not begin before it ends")
        if true[:, 0].max() >= _steps(each):
            raise FileError(f"qid {qid} has a true window behind the end of its curve")
        found.append(true)
    return found


def videos(rows: Sequence[tuple[Row, ...]]) -> list[str]:
    """The source video of each query: all its parts go into the same fold."""
    return [str(each[0]["vid"])[:YOUTUBE] for each in rows]


def answer(row: Row, windows: Floats, quality: Floats) -> Row:
    """A row of a submission: windows in seconds, scores falling so that no two are the same."""
    scores = np.maximum(quality.astype(float), 1e-9) * (1 - 1e-6 * np.arange(len(quality)))
    told = [
        [float(start * STEP), float(end * STEP), float(f"{score:.9g}")]
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
    found = found[found[:, 1] > found[:, 0]]
    scores = found[:, 2]
    if len(scores) and (scores.min() < 0 or scores.max() > 1):
        found[:, 2] = np.exp(-np.logaddexp(0, -scores))  # logits
    found[:, :2] = np.maximum(found[:, :2], 0) / STEP
    return found[np.argsort(-found[:, 2], kind="stable")].astype(np.float32)


def _steps(rows: Sequence[Row]) -> int:
    """Of a film: as many as the longest curve has; of files without, as far as windows reach."""
    return max(1, *(len(row.get(CURVE, ())) or _reach(row) for row in rows))


def _reach(row: Row) -> int:
    return math.ceil(max((window[1] for window in row[WINDOWS]), default=0) / STEP)


def _curve(row: Row, windows: Floats, steps: int) -> Floats:
    """(T,) of its saliency; of a file without, how far its windows cover each step."""
    told = np.asarray(row.get(CURVE, ()), np.float32)
    if len(told):
        return np.pad(told[:steps], (0, max(0, steps - len(told))), constant_values=told.min())
    drawn = np.zeros(steps, np.float32)
    for start, end, score in windows:
        drawn[int(start) : max(int(start) + 1, round(float(end)))] += score
    return drawn
