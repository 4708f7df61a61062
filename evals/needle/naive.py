"""What somebody would write in an afternoon with the same picture encoder: what we compare with.

A frame a second, one vector each, cosine with the query, no speech, no text, no shots. ``frames``
takes the best frames and a window of fixed length around each; ``stretches`` takes those in
which the cosine stands out from the whole film's. Both numbers that a user would have to choose,
and the cosine below which there is nothing, are chosen by ``fit`` on films other than those
reported.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from evals.datasets import Asked
from evals.desk import Told
from vmr_agent import Moment, RunReport, Settings, Span, __version__
from vmr_agent.protocols import Array, Image
from vmr_agent.report import Coverage
from vmr_agent.toolbox import Toolbox, build_toolbox
from vmr_agent.types import Evidence

RATE = 1.0
"""Frames a second."""
MOST = 10
"""Windows of an answer."""
BATCH = 32
"""Frames that are looked at together."""
GAP = 2
"""Seconds of dip that do not end a stretch."""


@dataclass(frozen=True)
class Taste:
    """What a user would have to choose."""

    way: Literal["frames", "stretches"]
    size: float
    """Seconds of a window, or standard deviations above the film's mean at which one begins."""
    least: float = -1.0
    """Cosine that the best frame must have, or nothing is found."""

    def is_one(self) -> bool:
        """Whether it can be gone by; what was read from a file may be anything."""
        numbers = all(isinstance(each, int | float) for each in (self.size, self.least))
        return self.way in ("frames", "stretches") and numbers and 0 < self.size < math.inf

    def answer(self, curve: Array, duration: float) -> list[tuple[Span, float]]:
        """Windows of a film and their cosines, best first, from one cosine (T,) a second."""
        if curve.max() < self.least:
            return []
        found = self._around(curve) if self.way == "frames" else self._above(curve)
        spans = ((max(0.0, a), min(b, duration), s) for a, b, s in found)
        kept = [(Span(start=a, end=b), s) for a, b, s in spans if a < b]
        return sorted(kept, key=lambda each: -each[1])[:MOST]

    def _around(self, curve: Array) -> Iterator[tuple[float, float, float]]:
        """A window around the best frame, then around the best that is in none yet, and so on."""
        left = curve.copy()
        for _ in range(min(MOST, len(curve))):
            best = int(left.argmax())
            if left[best] == -np.inf:
                return
            middle = (best + 0.5) / RATE
            yield middle - self.size / 2, middle + self.size / 2, float(curve[best])
            reach = int(self.size * RATE)
            left[max(0, best - reach) : best + reach + 1] = -np.inf

    def _above(self, curve: Array) -> Iterator[tuple[float, float, float]]:
        high = np.flatnonzero(curve >= curve.mean() + self.size * curve.std())
        for run in np.split(high, np.flatnonzero(np.diff(high) > GAP * RATE) + 1):
            if len(run):
                yield run[0] / RATE, (run[-1] + 1) / RATE, float(curve[run].mean())


@dataclass(frozen=True)
class Naive:
    """A ``Source`` that answers by cosine alone."""

    settings: Settings
    taste: Taste
    places: Mapping[str, Path] = field(repr=False)
    """Of each film."""
    build: Callable[[Settings], Toolbox] = build_toolbox
    looked: dict[str, Array] = field(default_factory=dict, repr=False)
    """What films look like, as far as it is known: whoever shares it looks once."""

    def open(self) -> NaiveDesk:
        """With an encoder of its own."""
        return NaiveDesk(self)

    def models(self) -> dict[str, str]:
        """The encoder alone."""
        return {"picture": self.build(self.settings).encoder.name}

    def check(self, asked: Sequence[Asked]) -> None:
        """Nothing can be wrong with a query."""


class NaiveDesk:
    """A ``Desk`` that looks at each film once and keeps its vectors in memory."""

    def __init__(self, source: Naive) -> None:
        self._source, self._box = source, source.build(source.settings)

    def ask(self, asked: Asked) -> Told:
        """Looks at the film first, if it has not."""
        path = self._source.places[asked.video]
        video = self._box.probe(path.absolute())
        found = self._source.taste.answer(self.curve(asked), video.duration)
        report = RunReport(
            status="found" if found else "not_found",
            query=asked.query,
            video=video,
            moments=tuple(_moment(span, cosine) for span, cosine in found),
            rounds=1,
            coverage=Coverage(picture=1, speech=0, text=0),
            models=self._source.models(),
            settings={"taste": vars(self._source.taste)},
            version=__version__,
        )
        return Told(report)

    def curve(self, asked: Asked) -> Array:
        """(T,) cosine of each second of the film with the query."""
        looked = self._source.looked
        if asked.video not in looked:
            looked[asked.video] = self._look(self._source.places[asked.video])
        return looked[asked.video] @ self._box.encoder.place(asked.query)

    def _look(self, path: Path) -> Array:
        """(T, D)."""
        parts, batch = [], list[Image]()
        for frame in frames(path):
            batch.append(frame)
            if len(batch) == BATCH:
                parts.append(self._box.encoder.look(batch))
                batch = []
        return np.concatenate([*parts, *([self._box.encoder.look(batch)] if batch else [])])


def frames(path: Path) -> Iterator[Image]:
    """A frame for each second of a film, from its beginning."""
    film = cv2.VideoCapture(str(path))
    apart, due, place = film.get(cv2.CAP_PROP_FPS) / RATE, 0.0, 0
    while film.grab():
        if place >= due:
            due += apart
            yield np.asarray(cv2.cvtColor(film.retrieve()[1], cv2.COLOR_BGR2RGB), np.uint8)
        place += 1
    film.release()


def _moment(span: Span, cosine: float) -> Moment:
    why = Evidence(source="picture", note="cosine of a frame with the query", score=cosine)
    return Moment(span=span, score=min(1.0, max(0.0, cosine)), evidence=(why,))
