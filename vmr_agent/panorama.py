"""What lies on the shelf beside an answer, small enough to be drawn: curves, shots, words, stills.

    around = gather(report)
    around.curves[0].values  # relevance in [0, 1], at most 600 values for the whole film

Only files of the shelf are read; no model is loaded, nothing is decoded, and the film itself may be
gone. Where the shelf has nothing (the report was made elsewhere, or the film forgotten), parts of
it are empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
from pydantic import Field, FiniteFloat, ValidationError

from vmr_agent.artefacts import Curves, Footage, Screen, Speech
from vmr_agent.errors import ShelfError
from vmr_agent.files import is_folder
from vmr_agent.gallery import Gallery
from vmr_agent.library import Shelf
from vmr_agent.library import home as usual
from vmr_agent.limits import Group, StripSettings, VideoSettings
from vmr_agent.protocols import Array
from vmr_agent.report import RunReport
from vmr_agent.settings import Settings
from vmr_agent.types import Channel, Moment, Record, ScreenText, Seconds, Share, Shot, Utterance

G = TypeVar("G", bound=Group)
R = TypeVar("R", bound=Record)
VALUES = 600  # of a curve: about as many as a screen has room for
EVENLY = 10  # pictures spread over the film
TOLD = 12  # moments that have a picture of their own
SIDE = 135  # pixels of the short side of a picture
BYTES = 400_000  # of all pictures together
NAME = re.compile(r"[0-9a-f]{40}/[a-z]+[-/][0-9a-f]{16}")
"""What artefacts are called: a report from elsewhere may not name any other file."""


class Curve(Record):
    """Relevance of one channel."""

    channel: Channel
    """Which."""
    step: Annotated[FiniteFloat, Field(gt=0)]
    """Seconds a value stands for; value i belongs to ``[i * step, (i + 1) * step)``."""
    values: tuple[Share, ...]
    """The highest relevance in each step, at most ``VALUES`` of them."""


class Thumbnail(Record):
    """A small picture."""

    time: Seconds
    """When it is on show."""
    jpeg: bytes
    """The picture, ``SIDE`` pixels at its short side."""


class Panorama(Record):
    """What there is to be drawn beside an answer."""

    curves: tuple[Curve, ...] = ()
    """Of the last round of the search, one for each channel."""
    shots: tuple[Shot, ...] = ()
    """In order, tiling the picture."""
    utterances: tuple[Utterance, ...] = ()
    """What was said, in order of time."""
    texts: tuple[ScreenText, ...] = ()
    """What was written, in order of time."""
    thumbnails: tuple[Thumbnail, ...] = ()
    """Rising: one for each of the best moments, the others evenly over the film."""


def gather(report: RunReport, home: Path | None = None) -> Panorama:
    """What the shelf under ``home`` has about the answer; None is where the report was made."""
    place = home or _home(report.settings.get("home"))
    if not is_folder(place / "shelf"):
        return Panorama()
    try:
        shelf = Shelf(place)
    except ShelfError:
        return Panorama()
    names = {stage: name for stage, name in report.shelved.items() if _is_ours(report, name)}
    found = _find(shelf, names, "curves", Curves)
    footage = _find(shelf, names, "footage", Footage)
    speech = _find(shelf, names, "speech", Speech)
    screen = _find(shelf, names, "screen", Screen)
    return Panorama(
        curves=tuple(_curves(found[0], found[1]["curves"])) if found else (),
        shots=footage[0].shots if footage else (),
        utterances=speech[0].utterances if speech else (),
        texts=screen[0].texts if screen else (),
        thumbnails=_thumbnails(report, shelf, names["footage"]) if footage else (),
    )


def highest(row: Array, most: int) -> tuple[Array, int]:
    """A curve (T,) as at most so many values: the highest of each run, and how long runs are."""
    run = max(1, -(-len(row) // most))
    return np.maximum.reduceat(row, np.arange(0, len(row), run)), run


def _home(told: object) -> Path:
    return usual(Settings.model_construct(home=Path(told) if isinstance(told, str) else None))


def _is_ours(report: RunReport, name: str) -> bool:
    return NAME.fullmatch(name) is not None and name.startswith(f"{report.video.fingerprint}/")


def _find(
    shelf: Shelf, names: Mapping[str, str], stage: str, kind: type[R]
) -> tuple[R, dict[str, Any]] | None:
    """The artefact, None where it is not there or damaged."""
    with suppress(ShelfError):
        if stage in names:
            record, arrays = shelf.get(names[stage], kind)
            return record, dict(arrays)
    return None


def _curves(found: Curves, rows: Array) -> Iterator[Curve]:
    for channel, row in zip(found.channels, rows, strict=True):
        values, run = highest(row, VALUES)
        told = tuple(round(float(value), 4) for value in np.clip(values, 0, 1))
        yield Curve(channel=channel, step=found.step * run, values=told)


def _thumbnails(report: RunReport, shelf: Shelf, footage: str) -> tuple[Thumbnail, ...]:
    """As many as there is room for; moments come first."""
    settings = Settings.model_construct(
        video=_given(VideoSettings, report.settings.get("video")),
        strip=_given(StripSettings, report.settings.get("strip")),
    )
    gallery = Gallery(shelf, footage, Path(report.video.path), settings)
    found: list[Thumbnail] = []
    left = BYTES
    with suppress(ShelfError):
        for time in dict.fromkeys(_worth_seeing(report)):
            [jpeg] = gallery.shelved([time], SIDE)
            left -= len(jpeg)
            if left < 0:
                break
            found.append(Thumbnail(time=time, jpeg=jpeg))
    return tuple(sorted(found, key=lambda each: each.time))


def _worth_seeing(report: RunReport) -> Iterator[float]:
    nearest: tuple[Moment, ...] = (report.rejected,) if report.rejected else ()
    yield from (each.span.middle for each in (*report.moments[:TOLD], *nearest))
    yield from ((k + 0.5) * report.video.duration / EVENLY for k in range(EVENLY))


def _given(kind: type[G], told: object) -> G:
    """Settings as the report tells them; what another version told otherwise counts for nothing."""
    try:
        return kind.model_validate(told)
    except ValidationError:
        return kind()
