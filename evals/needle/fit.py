"""What the baselines would have to choose, chosen on films other than those reported.

    python -m evals.needle fit FILM.mp4 … --out tastes.json

``frames`` and ``stretches`` always answer: their one number is the best for R1@0.5. ``threshold``
may say that there is nothing: its two numbers are the best for the mean of R1@0.5 of queries about
something and the share of those about nothing that it refuses.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from evals.needle.naive import Naive, NaiveDesk, Taste
from evals.needle.questions import asked, places
from evals.playlist import JoinError
from vmr_agent import Settings, Span
from vmr_agent.protocols import Array
from vmr_agent.toolbox import Toolbox, build_toolbox

WINDOWS = (4.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0)
"""Seconds that are tried."""
DEVIATIONS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
"""That are tried."""
QUANTILES = np.linspace(0, 0.95, 20)
"""Of the highest cosines of absent queries: these cosines are tried."""
ENOUGH = 0.5
NAMES = ("frames", "stretches", "threshold")
OURS = Path(__file__).parent / "tastes.json"
"""Chosen on six films of ten minutes, of development clips: see ``evals/LOG.md``."""


class Heard(NamedTuple):
    """A query, and what a baseline goes by."""

    truth: tuple[Span, ...]
    curve: Array
    """(T,) cosine, one a second."""

    def right(self, taste: Taste) -> bool:
        """Whether the first window is a true moment, or there is rightly none."""
        found = taste.answer(self.curve, float(len(self.curve)))
        if not self.truth or not found:
            return not self.truth and not found
        return any(found[0][0].iou(true) >= ENOUGH for true in self.truth)


def fit(
    films: Sequence[Path],
    settings: Settings,
    build: Callable[[Settings], Toolbox] = build_toolbox,
) -> dict[str, Taste]:
    """The best taste of each baseline, by name. Raises JoinError."""
    frames = [Taste("frames", size) for size in WINDOWS]
    stretches = [Taste("stretches", size) for size in DEVIATIONS]
    desk = NaiveDesk(Naive(settings, frames[0], places(films), build))
    heard = [
        Heard(tuple(Span(start=a, end=b) for a, b in each.truth or ()), desk.curve(each))
        for each in asked(films)
    ]
    present = [each for each in heard if each.truth]
    absent = [each for each in heard if not each.truth]
    if not (present and absent):
        raise JoinError("films to choose on must be asked about something and about nothing")
    least = np.quantile([each.curve.max() for each in absent], QUANTILES)
    doubtful = [replace(taste, least=float(cosine)) for taste in stretches for cosine in least]
    return {
        "frames": _best(frames, [present]),
        "stretches": _best(stretches, [present]),
        "threshold": _best(doubtful, [present, absent]),
    }


def save(path: Path, tastes: dict[str, Taste]) -> None:
    """As JSON."""
    told = {name: asdict(taste) for name, taste in tastes.items()}
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def load(path: Path) -> dict[str, Taste]:
    """From a file that `save` wrote. Raises JoinError."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        tastes = {name: Taste(**taste) for name, taste in told.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise JoinError(f"{path} is not what fit writes: {error!r}") from error
    for name, taste in tastes.items():
        if name not in NAMES or not taste.is_one():
            raise JoinError(f"{path} is not what fit writes: {name!r} is no baseline, or {taste}")
    return tastes


def _best(tastes: Iterable[Taste], parts: Sequence[Sequence[Heard]]) -> Taste:
    """That with the highest mean over the parts of the share that is right."""
    return max(
        tastes,
        key=lambda taste: sum(np.mean([each.right(taste) for each in part]) for part in parts),
    )
