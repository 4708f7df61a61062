"""What a run found, line by line: a header, one line for each sample, and the metrics.

A line is on the disk before the next one begins, so that a kill costs what was in flight and
nothing that is finished; the line that a kill cut short is cut off when the run goes on. Metrics
are written again whenever a run ends: the last ones count.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedRandom
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vmr_agent import RunReport, VmrError

Window = tuple[float, float]
"""Start and end in seconds."""


class LogbookError(VmrError):
    """A file that is no logbook, or of another run; the message says so in one line."""

    exit_code = 2


class Line(BaseModel):
    """Base of all lines: frozen and closed."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Dataset(Line):
    """What was asked."""

    name: str
    """Of the benchmark: ``qvhighlights``, ``charades-sta``, ``needle`` …"""
    split: str
    """Which part of it."""
    file: str
    """Name of the annotation file, without its folder."""
    sha256: str
    """Its digest."""
    queries: int
    """How many it asks, before a limit or a shard."""
    missing: tuple[str, ...] = ()
    """Videos that it names and that are not in the folder."""


class Header(Line):
    """Under what a run was made: two runs with different ones are different runs."""

    kind: Literal["header"] = "header"
    system: str = "vmr_agent"
    """Who answers: vmr_agent, or a baseline by name."""
    dataset: Dataset
    """What was asked."""
    commit: str
    """Checked out, with "+changes" where something was not committed."""
    versions: dict[str, str]
    """Of vmr_agent and of the packages that answers depend on."""
    settings: dict[str, Any]
    """The settings in force; no key is among them."""
    models: dict[str, str] = Field(default_factory=dict)
    """By role."""
    prompts: dict[str, str] = Field(default_factory=dict)
    """Version and digest of each."""
    machine: dict[str, Any] = Field(default_factory=dict)
    """What it ran on."""
    command: str = ""
    """The command line, as it can be given again."""
    began: str = ""
    """Date and time, ISO 8601."""


class Trouble(Line):
    """Why a sample has no report: it is unscored, and counted."""

    kind: str
    """Of the error, by its class."""
    message: str
    """In one line."""


class Sample(Line):
    """A query and what came of it."""

    kind: Literal["sample"] = "sample"
    id: str
    """Unlike any other in the run."""
    video: str
    """The dataset's name for the film."""
    query: str
    """As asked."""
    group: str = ""
    """Which kind of query it is, where the dataset has kinds."""
    duration: float
    """Of the film in seconds."""
    truth: tuple[Window, ...]
    """Every true moment; none where the thing is absent, or where no labels are published."""
    report: RunReport | None = None
    """The answer, whole; None when there is none."""
    saliency: tuple[float, ...] | None = None
    """A score for each clip of the film, where the benchmark wants one."""
    lost: str = ""
    """The room in which the right answer was lost, where that is measured; empty if it was not."""
    seconds: float = 0.0
    """How long it took."""
    error: Trouble | None = None
    """Why there is no report."""


class Metrics(Line):
    """What the samples so far come to."""

    kind: Literal["metrics"] = "metrics"
    scored: int
    """Samples that were scored."""
    failed: int
    """Samples that were not."""
    figures: dict[str, Any]
    """By name; nested as the benchmark has it."""


class Logbook(NamedTuple):
    """A whole file."""

    header: Header
    samples: tuple[Sample, ...]
    """Of each id the last."""
    metrics: Metrics | None
    """The last ones, None while the run goes on for the first time."""


BEGINNING = b'{"kind":"header",'
"""Of every logbook."""
KINDS: dict[str, type[Header | Sample | Metrics]] = {
    "header": Header,
    "sample": Sample,
    "metrics": Metrics,
}


def entries(path: Path) -> Iterator[Header | Sample | Metrics]:
    """Line by line, the header first, without a line that a kill cut short. Raises LogbookError."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                entry = _parsed(path, number, line)
                if number == 1 and not isinstance(entry, Header):
                    break
                yield entry
    except OSError as error:
        raise LogbookError(f"{path} cannot be read: {error.strerror}") from error


def read(path: Path) -> Logbook:
    """A whole file. Raises LogbookError."""
    lines = [*entries(path)]
    if not lines or not isinstance(lines[0], Header):
        raise LogbookError(f"{path} does not begin with the header of a run")
    samples = {line.id: line for line in lines if isinstance(line, Sample)}
    metrics = [line for line in lines if isinstance(line, Metrics)]
    return Logbook(lines[0], tuple(samples.values()), metrics[-1] if metrics else None)


def is_run(path: Path) -> bool:
    """Whether a file begins as these do. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(BEGINNING)) == BEGINNING


class Writer:
    """Adds lines to an open file. Made by `writing`."""

    def __init__(self, file: BufferedRandom) -> None:
        self._file = file

    def clear(self) -> None:
        """Begin anew, as if nothing had been written."""
        self._file.seek(0)
        self._file.truncate()

    def add(self, line: Line) -> None:
        """Write a line; it is on the disk when this returns."""
        self._file.write(line.model_dump_json().encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """A writer at the end of a file, after what is whole in it; of a new one if there is none.

    Raises LogbookError for a file that is no logbook, which stays as it is, for one that another
    process is writing, and for a place where nothing can be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        file = path.open("r+b")
    except OSError as error:
        raise LogbookError(f"{path} cannot be written: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # a kill lets go of it
        except OSError as error:
            raise LogbookError(f"{path} is being written by another process") from error
        content = file.read()
        if content[: len(BEGINNING)] != BEGINNING[: len(content)]:
            raise LogbookError(f"{path} is there, and is no run: name another file")
        file.seek(content.rfind(b"\n") + 1)
        file.truncate()
        yield Writer(file)


def _parsed(path: Path, number: int, line: bytes) -> Header | Sample | Metrics:
    try:
        told = json.loads(line)
        return KINDS[told["kind"]].model_validate_json(line)
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError) as error:
        raise LogbookError(
            f"{path}, line {number}, is not of a run: {error}".split("\n")[0]
        ) from error
