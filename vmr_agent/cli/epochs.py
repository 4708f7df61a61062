"""Progress of a training, for people at a terminal: one line."""

from __future__ import annotations

import time
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from vmr_agent.cli.board import BAR, REDRAWN, Stage, short_clock


class Epochs:
    """Give its ``watch`` to a training of so many epochs.

    with Epochs(12) as board:
        trained(job, board.watch)
    """

    def __init__(self, epochs: int) -> None:
        self._epochs, self._loss = epochs, 0.0
        self._stage: Stage | None = None
        console = Console(stderr=True)
        self._live = Live(self, console=console, transient=True, refresh_per_second=REDRAWN)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def watch(self, over: float, loss: float) -> None:
        """So many epochs are over, the last one in part; its mean loss so far."""
        if self._stage is None:  # what was done before is no measure of its speed
            self._stage = Stage(first=over, began=time.monotonic())
        self._stage.move(over, self._epochs)
        self._loss = loss

    def __rich__(self) -> Table:
        grid = Table.grid(padding=(0, 2, 0, 0))
        if self._stage is None:
            grid.add_row(Text("  look at the questions"))
            return grid
        done, left = self._stage.done, self._stage.left
        grid.add_row(
            Text("  learn"),
            ProgressBar(self._epochs, done, BAR),
            Text(f"epoch {min(int(done) + 1, self._epochs)} of {self._epochs}"),
            Text(f"loss {self._loss:.3f}"),
            Text(f"{short_clock(left)} left" if left is not None else ""),
        )
        return grid
