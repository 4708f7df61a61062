"""Questions in a file, one a line: a plain form that anybody's curves and windows can be put into.

    {"step": 2.0,
     "curves": {"picture": [0.1, 0.7, 0.6], "speech": [0.0, 0.0, 0.2]},
     "candidates": {"retrieval": [[2.0, 6.0, 0.9], [0.0, 2.0, 0.1]]},
     "moments": [[2.0, 6.0]],
     "film": "a name"}

All times are seconds from the start of the film. ``curves`` have one value for each ``step``,
whatever its scale; ``candidates`` are a start, an end and a score in [0, 1], in any order;
``moments`` are what is true, none if it is not there. Questions with the same ``film``, which may
be left out, are never split between what is learned from and what is held out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vmr_agent.errors import TrainingError
from vmr_agent.files import is_file

Value = Annotated[float, Field(ge=-1e9, le=1e9)]
"""Of a curve: beyond that, single floats do not hold its variance."""
SLACK = 1e-6
"""Seconds by which a time may miss the film: it was a product of floats."""


class Line(BaseModel):
    """One question."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )

    step: float = Field(gt=0)
    """Seconds between the values of a curve."""
    curves: dict[str, tuple[Value, ...]] = Field(min_length=1)
    """Relevance of each step, by the name of who says so; all of one length."""
    candidates: dict[str, tuple[tuple[float, float, float], ...]] = Field(min_length=1)
    """Windows by the name of who proposes them: start and end in seconds, score in [0, 1]."""
    moments: tuple[tuple[float, float], ...]
    """True starts and ends in seconds; none where there is no such moment."""
    film: str | None = None
    """Which film it is about."""

    @property
    def steps(self) -> int:
        """Of the film."""
        return max(map(len, self.curves.values()))

    def fault(self) -> str | None:
        """What is wrong with it, though it has the right form."""
        lengths = {name: len(curve) for name, curve in self.curves.items()}
        if 0 in lengths.values():
            return "has an empty curve"
        if len(set(lengths.values())) > 1:
            return f"has curves of different lengths: {lengths}"
        end = self.steps * self.step + SLACK
        named = [(f"candidates of {name!r}", w) for name, ws in self.candidates.items() for w in ws]
        for what, window in [*named, *(("moments", moment) for moment in self.moments)]:
            start, stop = window[:2]
            if not -SLACK <= start < stop <= end:
                return (
                    f"has {list(window)} among its {what}: "
                    f"0 <= start < end <= {self.steps} steps x {self.step:g} s it must be"
                )
            if len(window) > 2 and not 0 <= window[2] <= 1:
                return f"has {list(window)} among its {what}: scores are from 0 to 1"
        return None


def parse(content: bytes, name: str) -> list[Line]:
    """The questions of a file. Raises TrainingError, by the number of the line."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TrainingError(f"{name!r} is no text in UTF-8: {error.reason}") from error
    lines: list[Line] = []
    for number, line in _told(text):
        try:
            read = Line.model_validate_json(line)
        except ValidationError as error:
            raise TrainingError(f"{name}:{number} {_first(error)}") from error
        fault = read.fault() or (_other(read, lines[0]) if lines else None)
        if fault:
            raise TrainingError(f"{name}:{number} {fault}")
        lines.append(read)
    if not lines:
        raise TrainingError(f"{name!r} has no questions: give one JSON object a line")
    return lines


def content(path: Path) -> bytes:
    """What is in the file. Raises TrainingError."""
    if path.exists() and not is_file(path):
        raise TrainingError(f"{str(path)!r} is no regular file: give one with a question a line")
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TrainingError(
            f"{str(path)!r}: {reason}; give a file with a question a line, or simulated:N"
        ) from error


def write(path: Path, lines: Sequence[Line]) -> None:
    """Whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    told = (line.model_dump_json(exclude_none=True) + "\n" for line in lines)
    part.write_text("".join(told), encoding="utf-8")
    part.replace(path)


def _told(text: str) -> Iterator[tuple[int, str]]:
    # Not splitlines: a name may hold what Unicode takes for the end of a line.
    return ((n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip())


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"is no question: {f'{where}: ' if where else ''}{first['msg']}"


def _other(line: Line, first: Line) -> str | None:
    for what, mine, known in (
        ("curves", line.curves, first.curves),
        ("candidates", line.candidates, first.candidates),
    ):
        if mine.keys() != known.keys():
            return f"has {what} {sorted(mine)}, the first question {sorted(known)}"
    return None
