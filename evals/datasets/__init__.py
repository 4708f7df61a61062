"""The benchmarks: what they ask, read from their own files as they are published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from evals.datasets import activitynet, charades, tacos
from evals.datasets.asked import AnnotationError as AnnotationError
from evals.datasets.asked import Asked as Asked
from evals.datasets.asked import rows


class Benchmark(NamedTuple):
    """One of them."""

    load: Callable[[Path], list[Asked]]
    """Reads its annotation files. Raises AnnotationError."""
    clip: float | None = None
    """Seconds of a clip of published features; None: the film's length over their number."""
    saliency: bool = False
    """Whether every clip wants a score."""


BENCHMARKS: dict[str, Benchmark] = {
    "qvhighlights": Benchmark(rows, clip=2.0, saliency=True),
    "qvm2": Benchmark(rows, clip=2.0, saliency=True),
    "charades-sta": Benchmark(charades.load, clip=1.0),
    "charades-audiomatter": Benchmark(charades.load, clip=1.0),
    "activitynet": Benchmark(activitynet.load),
    "tacos": Benchmark(tacos.load),
}
