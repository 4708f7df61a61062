"""What is to be seen of a run while it goes on: stages that grow, curves, then moments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vmr_agent.artefacts import Curves
from vmr_agent.events import Progress, Visit
from vmr_agent.library import Shelf
from vmr_agent.report import RunReport
from vmr_agent.types import Channel, Scored, Video

if TYPE_CHECKING:
    from vmr_agent.app.work import Told

STAGES = {
    "detect_shots": "Watching the picture",
    "embed_frames": "Describing it",
    "read_text": "Reading text",
    "listen": "Listening",
    "transcribe": "Hearing speech",
    "index_video": "Filing",
}
"""Rooms that take their time with a film, in the order in which they are shown."""
DOING = {
    "index_video": "Opening what is known of the film",
    "understand": "Understanding the question",
    "retrieve": "Searching",
    "filter_relevance": "Sifting what was found",
    "caption": "Describing what is left",
    "trim": "Cutting it down",
    "ground": "Placing boundaries",
    "verify": "Checking",
    "widen": "Looking again, more finely",
}
"""What the rooms of a question are at."""
POINTS = 400  # of a curve as it is drawn: one for every second or third pixel


class Trace(NamedTuple):
    """Relevance curves as they are drawn."""

    duration: float
    """Seconds of film that they span."""
    curves: dict[Channel, tuple[float, ...]]
    """At most ``POINTS`` values in [0, 1] each, equally far apart; channels without any are out."""


def trace(record: Curves, curves: np.ndarray[Any, Any], most: int = POINTS) -> Trace:
    """Of curves ``(C, T)``: where they are too many to be drawn, the highest of each few."""
    length = curves.shape[1]
    step = -(-length // most) or 1
    padded = np.pad(curves, ((0, 0), (0, -length % step)))
    peaks = padded.reshape(len(curves), -1, step).max(axis=2) if curves.size else padded
    told = {
        channel: tuple(round(float(value), 3) for value in row)
        for channel, row in zip(record.channels, peaks, strict=True)
        if row.size and row.max() > 0
    }
    return Trace(padded.shape[1] * record.step, told)


class Follow:
    """Give it events with ``take``; look at its fields whenever you like."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self.stages: dict[str, tuple[float, float]] = {}
        """Seconds of film done and in all, by room of ``STAGES``."""
        self.doing = ""
        """What it is at, in words; nothing while the film is looked at."""
        self.trace: Trace | None = None
        self.proposals: tuple[Scored, ...] = ()
        """Not yet verified."""
        self.moments: tuple[Scored, ...] = ()
        self.report: RunReport | None = None
        self.video: Video | None = None
        """The film once it is looked at."""
        self.length = 0.0
        """Seconds of film, 0 while that is not known."""

    @property
    def share(self) -> float:
        """How much of the film has been looked at, in [0, 1]: as the slowest stage has it."""
        shares = [done / total if total else 0.0 for done, total in self.stages.values()]
        return min(shares, default=0.0)

    def take(self, events: Iterable[Told]) -> None:
        """What happened since."""
        for event in events:
            if isinstance(event, RunReport):
                self.report, self.moments, self.proposals = event, event.moments, ()
            elif isinstance(event, Video):
                self.video = event
            elif isinstance(event, Visit):
                self._left(event.made)
            elif isinstance(event, Progress):
                self._at_work(event.room, event.done, event.total)
            elif isinstance(event, str):
                self.doing = event

    def _at_work(self, room: str, done: float, total: float) -> None:
        self.length = max(self.length, total)
        # A film that was looked at before is only opened: there is nothing to watch.
        if room in STAGES and (room != "index_video" or self.stages):
            self.stages[room] = min(done, total), total
        else:
            self.doing = DOING.get(room, "")

    def _left(self, made: Any) -> None:
        if found := made.get("retrieval"):
            record, arrays = self._shelf.get(found.curves, Curves)
            self.trace, self.moments = trace(record, arrays["curves"]), ()
            self.proposals = found.candidates
        if "proposals" in made:
            self.proposals = made["proposals"]
        if verdict := made.get("verdict"):
            self.moments, self.proposals = verdict.moments, verdict.rejected
