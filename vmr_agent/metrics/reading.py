"""Files of predictions and of truths, read strictly: what is wrong is told with file and line."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

Row = dict[str, Any]

GZIP, MARK = b"\x1f\x8b", b"\xef\xbb\xbf"
NUMBERS = {int, float}


class SubmissionError(ValueError):
    """One line: which file, which line of it, and what is wrong there."""


def predictions(path: Path, scored: bool) -> list[Row]:
    """Rows with ``qid`` and ``pred_relevant_windows`` or ``pred_saliency_scores``.

    As the first row has it every row must; ``scored``: windows have a score.
    Raises SubmissionError.
    """
    rows = []
    fields: list[str] = []
    for where, row in objects(path):
        _qid(where, row)
        fields = fields or [
            name for name in ("pred_relevant_windows", "pred_saliency_scores") if name in row
        ]
        if not fields:
            raise SubmissionError(f"{where} has no pred_relevant_windows")
        if lacking := [name for name in fields if name not in row]:
            raise SubmissionError(f"{where} has no {lacking[0]}, which the rows before it have")
        if "pred_relevant_windows" in fields:
            _windows(where, row, "pred_relevant_windows", 3 if scored else 2)
        if "pred_saliency_scores" in fields:
            _numbers(f"{where}, pred_saliency_scores", row["pred_saliency_scores"])
        _existence(where, row)
        rows.append(row)
    return rows


def truths(path: Path) -> list[Row]:
    """Rows with ``qid`` and ``relevant_windows``, of a .jsonl; or of a .txt, without ``qid``.

    A line of a .txt is ``VIDEO start end##sentence``. Raises SubmissionError.
    """
    if path.suffix == ".txt":
        return [_sentence(where, line) for where, line in lines(path)]
    rows = []
    for where, row in objects(path):
        _qid(where, row)
        if "relevant_windows" not in row:
            raise SubmissionError(
                f"{where} has no relevant_windows: is it a test split without truth?"
            )
        _windows(where, row, "relevant_windows", 2)
        labelled(where, row)
        rows.append(row)
    return rows


def labelled(where: str, row: Mapping[str, Any]) -> None:
    """Whether a row's film has a length, and its clips ratings. Raises SubmissionError."""
    if "duration" in row and not (_finite([row["duration"]]) and row["duration"] > 0):
        raise SubmissionError(f"{where}: duration is {row['duration']!r}; it must be seconds")
    if "saliency_scores" in row:
        _ratings(where, row)


def durations(path: Path) -> dict[str, float]:
    """Seconds of films, from rows with ``vid`` and ``duration``. Raises SubmissionError."""
    found = {}
    for where, row in objects(path):
        if not ("vid" in row and "duration" in row and _finite([row["duration"]])):
            raise SubmissionError(f"{where} has no vid and duration in seconds")
        found[str(row["vid"])] = float(row["duration"])
    return found


def objects(path: Path) -> Iterator[tuple[str, Row]]:
    """The objects of a JSONL file, each with ``file:line``."""
    for where, line in lines(path):
        try:
            row = json.loads(line, parse_constant=_refuse)
        except json.JSONDecodeError as error:
            raise SubmissionError(
                f"{where} is no JSON: {error.msg} at column {error.colno}"
            ) from error
        except (ValueError, RecursionError) as error:
            raise SubmissionError(f"{where} is no JSON: {error}") from error
        if not isinstance(row, dict):
            raise SubmissionError(f'{where} is no object: one query a line, {{"qid": …}}')
        yield where, row


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """The lines of a text in UTF-8 that are not blank, each with ``file:line``."""
    try:
        if not path.is_file():
            what = "a folder" if path.is_dir() else "missing" if not path.exists() else "no file"
            raise SubmissionError(f"{str(path)!r} is {what}; give a file")
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, SubmissionError):
            raise
        raise SubmissionError(
            f"{str(path)!r} cannot be read: {getattr(error, 'strerror', error)}"
        ) from error
    if content.startswith(GZIP):
        raise SubmissionError(f"{path}:1 is compressed; gunzip it first")
    if content.startswith(MARK):
        raise SubmissionError(
            f"{path}:1 begins with a byte order mark; save it as UTF-8 without one"
        )
    some = False
    for number, line in enumerate(content.split(b"\n"), 1):  # not splitlines: a query may hold such
        if line.strip():
            some = True
            yield f"{path}:{number}", _text(f"{path}:{number}", line)
    if not some:
        raise SubmissionError(f"{str(path)!r} is empty")


def _text(where: str, line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise SubmissionError(f"{where} is no UTF-8: {error.reason}") from error


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _qid(where: str, row: Row) -> None:
    if "qid" not in row:
        raise SubmissionError(f"{where} has no qid")
    kind = type(row["qid"])
    if kind not in (int, str) and not (kind is float and math.isfinite(row["qid"])):
        raise SubmissionError(f"{where}: qid is {row['qid']!r:.40}; it must be a number or text")


def _windows(where: str, row: Row, name: str, least: int) -> None:
    windows = row[name]
    if not isinstance(windows, list):
        raise SubmissionError(f"{where}: {name} is no list")
    for number, window in enumerate(windows, 1):
        if not isinstance(window, list):
            raise SubmissionError(f"{where}: window {number} of {name} is no list")
        if len(window) < least:
            form = "[start, end, score]" if least == 3 else "[start, end]"
            raise SubmissionError(f"{where}: window {number} of {name} has to be {form}")
        if not _finite(window[:3]):
            raise SubmissionError(f"{where}: window {number} of {name} has to be of finite numbers")


def _ratings(where: str, row: Mapping[str, Any]) -> None:
    """Of highlights: clips of the film, with the ratings of three people each."""
    clips, scores = row.get("relevant_clip_ids"), row["saliency_scores"]
    if not (isinstance(clips, list) and isinstance(scores, list) and len(clips) == len(scores)):
        raise SubmissionError(f"{where}: relevant_clip_ids and saliency_scores have to be as many")
    if not all(isinstance(each, list) and len(each) == 3 and _finite(each) for each in scores):
        raise SubmissionError(f"{where}: saliency_scores have to be three numbers for each clip")
    if not clips:
        raise SubmissionError(f"{where}: no relevant_clip_ids")
    if "duration" not in row:
        raise SubmissionError(f"{where} has no duration")
    most = int(row["duration"] / 2)
    if not all(type(clip) is int and 0 <= clip < most for clip in clips):
        raise SubmissionError(f"{where}: relevant_clip_ids have to be from 0 to {most - 1}")


def _numbers(what: str, values: object) -> None:
    if not isinstance(values, list):
        raise SubmissionError(f"{what} is no list")
    if not _finite(values):
        raise SubmissionError(f"{what} has to be of finite numbers")


def _existence(where: str, row: Row) -> None:
    if "pred_exist_score" in row and not _finite([row["pred_exist_score"]]):
        raise SubmissionError(f"{where}: pred_exist_score is {row['pred_exist_score']!r:.40}")


def _finite(values: Sequence[Any]) -> bool:
    """Whether these are numbers, and finite; True and False are none."""
    try:
        return set(map(type, values)) <= NUMBERS and all(map(math.isfinite, values))
    except OverflowError:  # whole numbers beyond any float
        return False


def _sentence(where: str, line: str) -> Row:
    head, mark, query = line.strip().partition("##")
    parts: list[str] = head.split()
    try:
        vid, start, end = parts[0], float(parts[1]), float(parts[2])
    except (IndexError, ValueError) as error:
        raise SubmissionError(f"{where} is not VIDEO start end##sentence") from error
    if not mark or len(parts) != 3 or not _finite([start, end]):
        raise SubmissionError(f"{where} is not VIDEO start end##sentence")
    return {"qid": line.strip(), "vid": vid, "query": query, "relevant_windows": [[start, end]]}
