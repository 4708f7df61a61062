"""A run in a thread, told of and broken off from an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from vmr_agent.errors import Stopped
from vmr_agent.playback import Alive
from vmr_agent.show import clock
from vmr_agent.state import FRONT
from vmr_agent.tracing import carried

if TYPE_CHECKING:
    from vmr_agent.events import Progress, Visit

T = TypeVar("T")
ROAD = ("understand", "retrieve", "filter_relevance", "caption", "trim", "ground", "verify")
"""Rooms that run once per question; a second round through some of them is no progress."""


class Meter:
    """How far a walk through some rooms is, as one number that only rises."""

    def __init__(self, rooms: Sequence[str]) -> None:
        self._shares = dict.fromkeys(rooms, 0.0)
        self.total, self._last = float(len(rooms)), 0.0

    def moved(self, event: Progress) -> float | None:
        """Rooms that are through by now; None where that are no more than before."""
        share = event.done / event.total if event.total else 0.0
        if event.room in self._shares:
            self._shares[event.room] = max(self._shares[event.room], min(1.0, share))
        if event.room in ROAD:  # whatever lies in front of them is done
            self._shares |= {room: 1.0 for room in FRONT if room in self._shares}
        reached = round(sum(self._shares.values()), 3)
        if reached <= self._last:
            return None
        self._last = reached
        return reached


def said(event: Progress) -> str:
    """``embed_frames, 0:40 of 2:11``."""
    if event.room not in FRONT:
        return event.room
    done, total = (clock(seconds).partition(".")[0] for seconds in (event.done, event.total))
    return f"{event.room}, {done} of {total}"


async def worked(
    pool: Executor,
    begin: Callable[[Alive], Iterator[Progress | Visit | T]],
    told: Callable[[Progress], Awaitable[None]],
) -> T:
    """The last that the iterator gives; ``told`` of all the progress before it.

    Cancelled, it returns at once, and the iterator ends as soon as it looks at ``alive``.
    """
    loop, stop = asyncio.get_running_loop(), threading.Event()
    events: asyncio.Queue[Progress | None] = asyncio.Queue()
    enter = carried()

    def alive() -> None:
        if stop.is_set():
            raise Stopped("the call was cancelled; what was finished is kept")

    def tell(event: Progress | None) -> None:
        with suppress(RuntimeError):  # the loop has ended, and nobody listens
            loop.call_soon_threadsafe(events.put_nowait, event)

    def work() -> T:
        from vmr_agent.events import Progress, Visit

        enter()
        for event in begin(alive):
            alive()
            if isinstance(event, Progress):
                tell(event)
            elif not isinstance(event, Visit):
                last = event
        return last

    done = asyncio.wrap_future(pool.submit(work), loop=loop)
    done.add_done_callback(lambda _: events.put_nowait(None))
    try:
        while (event := await events.get()) is not None:
            await told(event)
        return await done
    finally:
        stop.set()
        done.cancel()
