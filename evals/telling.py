"""How far a run is, and how well it goes so far: a bar at a terminal, else a line now and then."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from evals.logbook import Sample, Window
from vmr_agent import Span
from vmr_agent.metrics.matching import tiou

EVERY = 10.0  # seconds between two plain lines


class Telling:
    """Hears of every sample. ``with Telling(1550) as telling: telling.hear(sample)``.

    ``before`` are samples of a run that is gone on with: they are of the total, and said with it.
    """

    def __init__(
        self, total: int, console: Console | None = None, before: Iterable[Sample] = ()
    ) -> None:
        self._console = console or Console(stderr=True)
        self._total, self._asked, self._last = total, 0, 0.0
        self._found, self._failed = 0, 0
        self._overlaps: list[float] = []
        self._bars = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=self._console,
            transient=True,
        )
        for sample in before:
            self._count(sample)
        self._known = self._asked
        self._task = self._bars.add_task("", total=total, completed=self._known)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._bars.stop()
        if self._asked > self._known:
            self._console.print(self._line(), highlight=False, soft_wrap=True)

    def hear(self, sample: Sample) -> None:
        """One more is asked."""
        self._count(sample)
        if self._console.is_terminal:
            self._bars.update(self._task, completed=self._asked, description=self._well())
        elif time.monotonic() - self._last >= EVERY and self._asked < self._total:
            self._last = time.monotonic()
            self._console.print(self._line(), highlight=False, soft_wrap=True)

    def _count(self, sample: Sample) -> None:
        self._asked += 1
        self._failed += sample.report is None
        if sample.report is not None:
            self._found += bool(sample.report.moments)
            if sample.truth:
                self._overlaps.append(first_overlap(sample))

    def _line(self) -> str:
        return f"{self._asked} of {self._total} asked; {self._well()}"

    def _well(self) -> str:
        """Strict: what found nothing overlaps nothing."""
        scored, overlaps = self._asked - self._failed, self._overlaps
        parts = [f"{self._found} of {scored} found something"]
        if overlaps:
            at = {t: sum(each >= t for each in overlaps) / len(overlaps) for t in (0.5, 0.7)}
            parts += [f"R1@{t} {share:.1%}" for t, share in at.items()]
            parts.append(f"mIoU {sum(overlaps) / len(overlaps):.1%}")
        if self._failed:
            parts.append(f"{self._failed} failed")
        return ", ".join(parts)


def first_overlap(sample: Sample) -> float:
    """IoU of the first moment with the true one that it overlaps best, 0 without one."""
    moments = sample.report.moments if sample.report else ()
    if not moments:
        return 0.0
    return nearest(moments[0].span, sample.truth)


def nearest(span: Span, truth: Sequence[Window]) -> float:
    """IoU with the true moment that it overlaps best, 0 where nothing is true."""
    if not truth:
        return 0.0
    return float(tiou(np.array([span.start, span.end]), np.array(truth)).max())
