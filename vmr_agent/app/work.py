"""A run in a thread of its own, that a page can look at and break off."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

from vmr_agent.agent import VMRAgent
from vmr_agent.errors import Stopped, VmrError
from vmr_agent.report import RunReport
from vmr_agent.showing import Showing
from vmr_agent.toolbox import Toolbox
from vmr_agent.types import Video

if TYPE_CHECKING:
    from vmr_agent.events import Progress, Visit

Told: TypeAlias = "Progress | Visit | RunReport | Video | VmrError | str"
"""What a run says: a string is what it is at, in words."""
Tell = Callable[[Told], None]
Job = Callable[[Toolbox, Tell], None]
STOPPED = "stopped; what was finished is kept"
WAITING = "Waiting for another run to end"
GLANCE = 0.1  # seconds between two looks at whether a run that waits is still wanted
LOST = "something went wrong here that should not have; the terminal of the server says what"


def looking(path: Path) -> Job:
    """The once-per-video half of a film."""

    def job(box: Toolbox, tell: Tell) -> None:
        tell(VMRAgent(toolbox=box, progress=tell).index(path))

    return job


def asking(path: Path, question: str) -> Job:
    """A question about a film, and whatever must be done before."""

    def job(box: Toolbox, tell: Tell) -> None:
        for event in VMRAgent(toolbox=box).stream(path, question):
            tell(event)

    return job


class Breaker:
    """Breaks off all that a run looks at, and whatever it would look at next."""

    def __init__(self) -> None:
        self._lock, self._shows = threading.Lock(), list[Showing]()
        self.stopped = False

    def hold(self, showing: Showing) -> None:
        """From now on this is broken off too."""
        with self._lock:
            self._shows.append(showing)
            if self.stopped:
                showing.stop()

    def stop(self) -> None:
        """Every room ends at its next look."""
        with self._lock:
            self.stopped = True
            for showing in self._shows:
                showing.stop()


@dataclass(frozen=True)
class Breakable(Toolbox):
    """A toolbox whose runs somebody else can break off."""

    breaker: Breaker = field(default_factory=Breaker)

    def running(self) -> Toolbox:
        """The same for one run."""
        box = super().running()
        self.breaker.hold(box.showing)
        return box


class Work(threading.Thread):
    """One run. ``news`` has what happened; ``stop`` ends it, though a room may take a while."""

    def __init__(self, box: Toolbox, job: Job, turn: threading.Lock) -> None:
        super().__init__(daemon=True)  # nobody waits for it when the server ends
        self._breaker, self._job, self._turn = Breaker(), job, turn
        parts = {each.name: getattr(box, each.name) for each in fields(Toolbox)}
        self.box = Breakable(**parts, breaker=self._breaker)
        self._news: SimpleQueue[Told | None] = SimpleQueue()

    def run(self) -> None:
        """Do it. An error that is none of ours goes to the terminal, as threads' errors do."""
        try:
            self._await_turn()
            try:
                self._job(self.box, self._news.put)
            finally:
                self._turn.release()
        except VmrError as error:
            self._news.put(error)
        finally:
            self._news.put(None)

    def _await_turn(self) -> None:
        """One run at a time: two would only take the machine from each other."""
        if self._turn.acquire(blocking=False):
            return
        self._news.put(WAITING)
        while not self._turn.acquire(timeout=GLANCE):
            if self._breaker.stopped:
                raise Stopped(STOPPED)
        self._news.put("")

    def stop(self) -> None:
        """Break it off. Whoever reads the news hears of it at once, however long a room takes."""
        self._news.put(Stopped(STOPPED))
        self._breaker.stop()

    def news(self, patience: float) -> Iterator[list[Told]]:
        """What happened, gathered for ``patience`` seconds; at the end there is a film or a report.

        Raises what the run ended in, Stopped among it.
        """
        last: Told | None = None
        while not isinstance(last, Video | RunReport):
            batch = list(self._lately(patience))
            last = batch[-1] if batch else last
            yield batch

    def _lately(self, patience: float) -> Iterator[Told]:
        until = time.monotonic() + patience
        while (left := until - time.monotonic()) > 0:
            try:
                event = self._news.get(timeout=left)
            except Empty:
                return
            if isinstance(event, VmrError):
                raise event
            if event is None:
                raise VmrError(LOST)
            yield event
            if isinstance(event, Video | RunReport):
                return
