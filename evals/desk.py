"""Where queries are asked, one after the other, and whatever comes of one becomes a sample."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, Protocol

from evals.datasets import Asked
from evals.logbook import Sample, Trouble
from evals.saliency import Noting
from vmr_agent import RunReport, Settings, VMRAgent
from vmr_agent.errors import ChatRefusedError, SettingsError, ShelfError, Stopped, WeightsError
from vmr_agent.toolbox import Toolbox, build_toolbox

HOPELESS = (ChatRefusedError, SettingsError, ShelfError, Stopped, WeightsError)
"""What the next query would meet as well: the run ends with it."""
LONGEST = 500  # characters of an error's message


class Told(NamedTuple):
    """What came of a query."""

    report: RunReport
    """The answer."""
    saliency: tuple[float, ...] | None = None
    """A score for each clip, where that is wanted."""
    lost: str = ""
    """The room that lost the right answer, where that is measured."""


class Desk(Protocol):
    """Answers queries."""

    def ask(self, asked: Asked) -> Told:
        """One of them."""
        ...


class Source(Protocol):
    """Where the films of a benchmark are, and who answers. It can be sent to another process."""

    @property
    def settings(self) -> Settings:
        """Those in force."""
        ...

    def open(self) -> Desk:
        """Ready to be asked; models load when they are needed."""
        ...

    def models(self) -> dict[str, str]:
        """Which model does what. Raises SettingsError where one cannot be asked."""
        ...

    def check(self, asked: Sequence[Asked]) -> None:
        """Whether it can be asked this, as far as that is seen before any work. Raises VmrError."""
        ...


@dataclass(frozen=True)
class Films:
    """A ``Source``: files, whole, asked about through the front door."""

    settings: Settings
    places: Mapping[str, Path] = field(repr=False)
    """Of each film of the benchmark."""
    clip: float | None = None
    """Seconds of a clip, where each wants a score."""
    build: Callable[[Settings], Toolbox] = build_toolbox

    def open(self) -> FilmDesk:
        """With an agent of its own."""
        return FilmDesk(self)

    def models(self) -> dict[str, str]:
        """Those of the toolbox."""
        return self.build(self.settings).models

    def check(self, asked: Sequence[Asked]) -> None:  # noqa: ARG002
        """Whether a chat model that is to be asked can be."""
        self.build(self.settings).check()


class FilmDesk:
    """A ``Desk`` for films."""

    def __init__(self, source: Films) -> None:
        box = source.build(source.settings)
        self._source, self._shelf = source, Noting(box.shelf.home)
        self._agent = VMRAgent(toolbox=replace(box, shelf=self._shelf))

    def ask(self, asked: Asked) -> Told:
        """Looks at the film first, if nobody has."""
        report = self._agent.run(self._source.places[asked.video], asked.query)
        clip, duration = self._source.clip, asked.duration or report.video.duration
        return Told(report, self._shelf.saliency(clip, duration) if clip else None)


def answered(desk: Desk, asked: Asked) -> Sample:
    """What came of a query. Raises what the next one would meet as well."""
    began = time.monotonic()
    try:
        told = desk.ask(asked)
    except HOPELESS:
        raise
    except Exception as error:  # noqa: BLE001 - a bug in one query is told, and costs no other
        return failed(asked, type(error).__name__, str(error), time.monotonic() - began)
    seconds = round(time.monotonic() - began, 3)
    duration = asked.duration or told.report.video.duration
    return blank(asked, duration, seconds).model_copy(update=told._asdict())


def failed(asked: Asked, kind: str, message: str, seconds: float = 0.0) -> Sample:
    """A query without an answer: unscored, and counted."""
    told = Trouble(kind=kind, message=" ".join(message.split())[:LONGEST])
    return blank(asked, asked.duration, round(seconds, 3)).model_copy(update={"error": told})


def blank(asked: Asked, duration: float, seconds: float) -> Sample:
    """A sample as yet without an answer."""
    return Sample(
        id=asked.id,
        video=asked.video,
        query=asked.query,
        group=str(asked.row.get("kind", "")),
        duration=duration,
        truth=asked.truth or (),
        seconds=seconds,
    )
