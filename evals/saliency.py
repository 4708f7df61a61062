"""How relevant each clip of a film is to a query, by the agent's own curves.

The rooms shelve a relevance curve for each channel in every round of the search; the highest of
them, as `retrieve` fuses them, averaged over each clip, is the clip's saliency.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from vmr_agent.artefacts import Curves
from vmr_agent.library import Shelf
from vmr_agent.protocols import Array, Arrays
from vmr_agent.types import Record

R = TypeVar("R", bound=Record)


class Noting(Shelf):
    """A shelf that knows which curves were asked for last: those on which the answer rests."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.last = ""

    def keep(
        self,
        name: str,
        kind: type[R],
        make: Callable[[], tuple[R, Arrays]],
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        """As every shelf does."""
        super().keep(name, kind, make, alive)
        if kind is Curves:
            self.last = name

    def saliency(self, clip: float, duration: float) -> tuple[float, ...]:
        """A score in [0, 1] for each whole clip of ``clip`` seconds in ``duration``."""
        found, arrays = self.get(self.last, Curves)
        fused = arrays["curves"].max(axis=0, initial=0)
        return tuple(map(float, per_clip(fused, found.step, clip, int(duration / clip))))


def per_clip(curve: Array, step: float, clip: float, clips: int) -> Array:
    """(clips,) means of a curve (T,) over stretches of ``clip`` seconds; 0 where it has ended."""
    sums = np.concatenate([[0.0], np.cumsum(curve, dtype=np.float64)]) * step
    edges = np.interp(np.arange(clips + 1) * clip, np.arange(len(sums)) * step, sums)
    return np.asarray(np.round(np.diff(edges) / clip, 6), np.float32)
