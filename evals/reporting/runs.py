"""Run files as they are reported on: the samples that were answered, and those that were not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from math import isfinite
from pathlib import Path

from evals.logbook import Header, Metrics, Sample, Trouble, read
from evals.reporting.errors import ReportError
from vmr_agent import RunReport
from vmr_agent.metrics.scoring import videos as sources

UNTOLD = Trouble(kind="unanswered", message="there is neither a report nor an error")
"""What is said of a sample that says nothing itself."""
ABSENT = "absent"
"""Group of queries about nothing."""
PRESENT_ONLY = ("qvhighlights", "qv-m2", "qvm2", "charades", "activitynet", "tacos")
"""Datasets, as their names begin, in which everything asked for is there: no truth, no label."""


@dataclass(frozen=True, slots=True)
class Run:
    """One file."""

    path: Path
    header: Header
    samples: tuple[Sample, ...]
    """Those with a report; its settings, which are the header's, are taken out."""
    videos: tuple[str, ...]
    """(Q,) of each sample; parts of one source are one, where a dataset names them so."""
    failed: tuple[Sample, ...]
    """Those without."""
    unlabelled: int
    """Answered ones whose truth nobody published: they are in no figure, and not among samples."""
    metrics: Metrics | None
    """What the run itself wrote last."""

    @property
    def dataset(self) -> str:
        """Name of the dataset, lower case."""
        return self.header.dataset.name.lower()


def load(path: Path) -> Run:
    """A run file. Raises LogbookError, and ReportError where nothing in it can be scored."""
    book = read(path)
    _timed(path, book.samples)
    answered = [_lighter(sample) for sample in book.samples if sample.report is not None]
    labelled = _labelled(book.header.dataset.name.lower(), answered)
    failed = tuple(sample for sample in book.samples if sample.report is None)
    if not labelled:
        why = "has no finished sample" if not answered else "has samples without labels alone"
        raise ReportError(f"{path} {why}: there is nothing to report yet")
    unlabelled = len(answered) - len(labelled)
    videos = _videos(book.header.dataset.name.lower(), labelled)
    return Run(path, book.header, labelled, videos, failed, unlabelled, book.metrics)


def together(paths: Sequence[Path]) -> list[Run]:
    """Several files that can be compared. Raises LogbookError, ReportError."""
    runs = [load(path) for path in paths]
    first = runs[0]
    for other in runs[1:]:
        _comparable(first, other)
    return runs


def shared(first: Run, other: Run) -> tuple[list[int], list[int]]:
    """Where, in each, the samples are that both have; in the same order."""
    place = {sample.id: n for n, sample in enumerate(other.samples)}
    pairs = [(n, place[s.id]) for n, s in enumerate(first.samples) if s.id in place]
    return [n for n, _ in pairs], [n for _, n in pairs]


def told(sample: Sample) -> RunReport:
    """The report of a sample that has one."""
    if sample.report is None:
        raise ValueError(f"sample {sample.id} was not answered")
    return sample.report


def trouble(sample: Sample) -> Trouble:
    """Why a sample has no report."""
    return sample.error or UNTOLD


def _videos(dataset: str, samples: Sequence[Sample]) -> tuple[str, ...]:
    names = [sample.video for sample in samples]
    if dataset.startswith(PRESENT_ONLY):
        names = sources([{"qid": name, "vid": name} for name in names])
    return tuple(names)


def _timed(path: Path, samples: Sequence[Sample]) -> None:
    for sample in samples:
        times = (sample.duration, sample.seconds, *chain.from_iterable(sample.truth))
        if not all(map(isfinite, times)):
            raise ReportError(f"{path}: sample {sample.id!r} has a time that is no number")


def _lighter(sample: Sample) -> Sample:
    report = told(sample).model_copy(update={"settings": {}})
    return sample.model_copy(update={"report": report, "saliency": None})


def _labelled(dataset: str, samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """Without truth a query is about nothing, unless a dataset has no such or says no truth."""
    known = any(sample.truth or sample.group == ABSENT for sample in samples)
    if known and not dataset.startswith(PRESENT_ONLY):
        return tuple(samples)
    return tuple(sample for sample in samples if sample.truth)


def _comparable(first: Run, other: Run) -> None:
    about, beside = (run.header.dataset for run in (first, other))
    for what, mine, its in (
        ("dataset", about.name, beside.name),
        ("split", about.split, beside.split),
        ("annotations", about.sha256[:12], beside.sha256[:12]),
    ):
        if mine != its:
            raise ReportError(
                f"{first.path} and {other.path} are not of one dataset: "
                f"{what} {mine!r} and {its!r}; compare runs of the same"
            )
    if not shared(first, other)[0]:
        raise ReportError(f"{first.path} and {other.path} have no finished sample in common")
