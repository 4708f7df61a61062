"""Where the agent is asked about needle films: it also says which room lost the right answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evals.datasets import Asked
from evals.desk import Told
from evals.needle import rooms
from vmr_agent import RunReport, Settings, Span, VMRAgent
from vmr_agent.events import Visit
from vmr_agent.state import State
from vmr_agent.toolbox import Toolbox, build_toolbox


@dataclass(frozen=True)
class Needles:
    """A ``Source``: the agent, watched room by room."""

    settings: Settings
    places: Mapping[str, Path] = field(repr=False)
    """Of each film."""
    build: Callable[[Settings], Toolbox] = build_toolbox

    def open(self) -> NeedleDesk:
        """With an agent of its own."""
        return NeedleDesk(self)

    def models(self) -> dict[str, str]:
        """Those of the toolbox."""
        return self.build(self.settings).models

    def check(self, asked: Sequence[Asked]) -> None:  # noqa: ARG002
        """Whether a chat model that is to be asked can be."""
        self.build(self.settings).check()


class NeedleDesk:
    """A ``Desk`` for them."""

    def __init__(self, source: Needles) -> None:
        self._places, self._box = source.places, source.build(source.settings)
        self._agent = VMRAgent(toolbox=self._box)

    def ask(self, asked: Asked) -> Told:
        """Looks at the film first, if nobody has."""
        *events, report = self._agent.stream(self._places[asked.video], asked.query)
        assert isinstance(report, RunReport)
        truth = [Span(start=start, end=end) for start, end in asked.truth or ()]
        passed_on = rooms.seen(each for each in events if isinstance(each, Visit))
        film = self._box.film(State(video=report.video))
        there = rooms.is_shelved(film, truth, medium(asked))
        return Told(report, lost=rooms.lost(truth, there, passed_on, report))


def medium(asked: Asked) -> rooms.Medium:
    """How what is asked for comes."""
    kind = str(asked.row["kind"])
    return "heard" if asked.row["spoken"] else "read" if kind == "read" else "seen"
