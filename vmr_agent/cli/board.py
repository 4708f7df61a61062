"""Progress for people at a terminal: a line for each stage of each film at work."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from vmr_agent.bars import STAGES
from vmr_agent.show import clock, plain

if TYPE_CHECKING:
    from vmr_agent.events import Progress

CUT = "cut"
"""What is no room, and takes long as well: ``vmr cut``."""
NAMES = {**STAGES, CUT: "cut clips"}
REDRAWN = 5  # times a second
BAR, NAME = 20, 40  # columns of the terminal


@dataclass
class Stage:
    """How far a room is with a film. Seconds of film, and instants of this machine's clock."""

    first: float
    """Where it began: what was there already is no measure of its speed."""
    began: float
    done: float = 0.0
    total: float = 0.0
    now: float = 0.0

    def move(self, done: float, total: float) -> None:
        """So far it is."""
        self.done, self.total, self.now = min(done, total), total, time.monotonic()

    @property
    def speed(self) -> float:
        """Seconds of film a second; 0 until that is known."""
        spent = self.now - self.began
        return (self.done - self.first) / spent if spent > 0 else 0.0

    @property
    def left(self) -> float | None:
        """Seconds until it is through."""
        if self.done >= self.total:
            return None
        since = time.monotonic() - self.now
        return max(0.0, (self.total - self.done) / self.speed - since) if self.speed > 0 else None

    def row(self) -> Iterator[ProgressBar | Text]:
        """What people see of it."""
        left = self.left
        yield ProgressBar(max(self.total, 1e-9), self.done, BAR)
        yield Text(f"{short_clock(self.done)} of {short_clock(self.total)}")
        yield Text(f"{self.speed:.1f} × real time" if self.speed else "")
        yield Text(f"{short_clock(left)} left" if left is not None else "")


class Board:
    """Give its ``watch`` to an agent, and say ``over`` of each film; films may be at work at once.

    with Board(films=3) as board:
        VMRAgent(progress=board.watch).index(film)
        board.over(film)
    """

    def __init__(self, films: int = 1) -> None:
        self._films, self._over = films, 0
        self._work: dict[str, dict[str, Stage]] = {}
        self._console = Console(stderr=True)
        self._live = self._drawn()

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def watch(self, event: Progress) -> None:
        """A room says how far it is."""
        stages = self._work.setdefault(event.path, {})
        stage = stages.setdefault(event.room, Stage(first=event.done, began=time.monotonic()))
        stage.move(event.done, event.total)

    def over(self, path: str) -> None:
        """Nothing more is done about the film."""
        self._over += 1
        self._work.pop(path, None)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Where something else is written to the terminal."""
        self._live.stop()
        try:
            yield
        finally:
            self._live = self._drawn()  # the old one would draw over what was written
            self._live.start()

    def _drawn(self) -> Live:
        return Live(self, console=self._console, transient=True, refresh_per_second=REDRAWN)

    def __rich__(self) -> Table:
        grid = Table.grid(padding=(0, 2, 0, 0))
        for path, stages in list(self._work.items()):
            if self._films > 1:
                grid.add_row(Text(_short(plain(Path(path).name)), style="bold"))
            for room, stage in list(stages.items()):
                told = stage.row() if room in NAMES else ()  # the rest takes no time
                grid.add_row(Text(f"  {NAMES.get(room, room)}"), *told)
        if self._films > 1:
            grid.add_row(Text(f"{self._over} of {self._films} films done", style="bold"))
        return grid


def short_clock(seconds: float) -> str:
    """``75.25`` as ``1:15``."""
    return clock(seconds).partition(".")[0]


def _short(name: str) -> str:
    return name if len(name) <= NAME else f"{name[: NAME - 1]}…"
