"""What a benchmark asks, and annotation files read line by line: what is wrong is one line."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vmr_agent import VmrError
from vmr_agent.metrics.reading import labelled

Window = tuple[float, float]
"""Start and end in seconds."""
Row = Mapping[str, Any]
NONE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What comes of reading what is no annotation."""


class AnnotationError(VmrError):
    """An annotation file that is none; the message names the file and the place."""

    exit_code = 2


class Asked(NamedTuple):
    """A query of a benchmark."""

    id: str
    """Unlike any other in the file."""
    video: str
    """As the benchmark calls it."""
    query: str
    """As written there."""
    truth: tuple[Window, ...] | None
    """Every true moment in seconds; None where no labels are published."""
    duration: float
    """Of the film in seconds, 0 where the file does not say."""
    row: Row
    """What official scorers take; ``qid`` is the id where the file has none."""


def asked(id: str, row: Row) -> Asked:
    """From a row with ``vid`` and ``query``, and where known ``duration``, ``relevant_windows``.

    Raises KeyError, TypeError or ValueError where it is no such row.
    """
    windows = row.get("relevant_windows")
    truth = None if windows is None else tuple(_window(each) for each in windows)
    labelled("row", row)
    video, query = str(row["vid"]), str(row["query"])
    if not (video.strip() and query.strip()):
        raise ValueError("vid or query is none")
    f"{id}{video}{query}".encode()  # half a character could not be written into a log
    return Asked(id, video, query, truth, float(row.get("duration", 0)), {"qid": id, **row})


def text(path: Path) -> str:
    """The whole file. Raises AnnotationError."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise AnnotationError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise AnnotationError(f"{path} is no text: {error}") from error


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number and content of the lines that have any. Raises AnnotationError."""
    each = enumerate(text(path).split("\n"), 1)  # not splitlines: a query may hold such
    return ((number, line) for number, line in each if line.strip())


def is_rows(path: Path) -> bool:
    """Whether it is JSON lines, each with a query of its own, as Moment-DETR and Lighthouse do."""
    first = next((line for _, line in lines(path)), "")
    try:
        row = json.loads(first)
    except NONE:
        return False
    return isinstance(row, dict) and "query" in row


def rows(path: Path) -> list[Asked]:
    """Of such a file; of each query the id is its ``qid``. Raises AnnotationError."""
    found = []
    for number, line in lines(path):
        try:
            row = json.loads(line)
            found.append(asked(str(row["qid"]), row))
        except NONE as error:
            raise wrong(path, number, error) from error
    return distinct(path, found)


def of_films(path: Path, told: Callable[[Any, Any], Row]) -> list[Asked]:
    """Of a JSON of films, each with its ``timestamps`` and ``sentences``; rows are read as rows.

    ``told`` makes of a film and a timestamp what is known besides video and query. The id is the
    film's name and the sentence's place in it. Raises AnnotationError.
    """
    if is_rows(path):
        return rows(path)
    try:
        films = json.loads(text(path)).items()
    except NONE as error:
        raise AnnotationError(f"{path} is no JSON of films ({error!r})") from error
    found = []
    for video, film in films:
        try:
            pairs = zip(film["timestamps"], film["sentences"], strict=True)
            for number, (stamp, sentence) in enumerate(pairs):
                row = {"vid": video, "query": sentence.strip(), **told(film, stamp)}
                found.append(asked(f"{video}/{number}", row))
        except (*NONE, ZeroDivisionError) as error:
            raise wrong(path, video, error) from error
    return distinct(path, found)


def wrong(path: Path, place: object, error: Exception) -> AnnotationError:
    """What is said of a line that is none."""
    return AnnotationError(f"{path}, {place}: no query of this benchmark ({error!r})")


def distinct(path: Path, found: list[Asked]) -> list[Asked]:
    """The same. Raises AnnotationError where there are none, or an id comes twice."""
    if not found:
        raise AnnotationError(f"{path} has no query in it")
    seen: set[str] = set()
    for each in found:
        if each.id in seen:
            raise AnnotationError(f"{path}: query {each.id} is in it twice")
        seen.add(each.id)
    return found


def _window(told: Sequence[float]) -> Window:
    """In order of time: some annotators began at the end."""
    start, end = sorted(float(each) for each in told)
    if not (math.isfinite(start) and math.isfinite(end)):
        raise ValueError("a window is not finite")
    return start, end
