"""What one run is looking at: the film being decoded, a little ahead of the rooms."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Generic, TypeVar

import numpy as np

from vmr_agent.errors import Stopped
from vmr_agent.playback import GLANCE, RATE, Alive, Block, Reel
from vmr_agent.spoken import FRAME
from vmr_agent.tracing import carried

T = TypeVar("T")
LEAVE = 0.5  # seconds to wait for a thread to end; one that takes longer is left to itself


class Showing:
    """One per run. Rooms ask it for reels and blocks by number; ``stop`` breaks all of it off."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._failure: BaseException | None = None
        self._reels: tuple[int, Ahead[Reel]] | None = None
        self._reel: Reel | None = None
        self._blocks: tuple[int, Ahead[Block]] | None = None
        self._heard: dict[int, Block] = {}

    def stop(self) -> None:
        """Break off whatever waits or decodes; every room ends at its next look."""
        self._stopped.set()

    def alive(self) -> None:
        """Raises Stopped once the run is to end."""
        if self._stopped.is_set():
            raise Stopped("the run was broken off; what was finished is kept")

    @contextmanager
    def visit(self) -> Iterator[None]:
        """Where a room is at work. If it fails, the run is over, and all the others end too."""
        with ExitStack() as leaving:
            leaving.push(self._failed)
            self.alive()
            yield

    def well(self) -> None:
        """Raises what a room failed with, whether or not the others have ended."""
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Let go of the film."""
        self.stop()
        ends = time.monotonic() + LEAVE  # both end at once
        for show in (self._reels, self._blocks):
            if show is not None:
                show[1].close(max(0.0, ends - time.monotonic()))

    def reel(self, number: int, roll: Callable[[int, Alive], Iterator[Reel]]) -> Reel:
        """That reel. ``roll(first, alive)`` decodes from one on; mostly it is simply the next."""
        if self._reel is None or self._reel.number != number:
            following, ahead = self._reels or (-1, None)
            if ahead is None or following != number:
                if ahead is not None:
                    ahead.close()
                ahead = Ahead(lambda alive: roll(number, alive), self.alive)
            self._reels = number + 1, ahead  # first, for whatever happens it must be closed
            self._reel = next(ahead)
        return self._reel

    def block(self, number: int, play: Callable[[int, Alive], Iterator[Block]]) -> Block | None:
        """That block of sound, None behind the last; the one before is kept too."""
        if number not in self._heard:
            first = max(0, number - 1)
            following, ahead = self._blocks or (first, None)
            ahead = ahead or Ahead(lambda alive: play(first, alive), self.alive)
            for index in range(following, number + 1):
                self._blocks = index + 1, ahead
                block = next(ahead, None)
                if block is not None:
                    self._heard[index] = block
            self._heard = {n: block for n, block in self._heard.items() if n >= number - 1}
        return self._heard.get(number)

    def since(self, start: float) -> Block:
        """All sound at hand from a frame's ``start`` on."""
        blocks = [block for _, block in sorted(self._heard.items())]
        first = max(0, round((start - blocks[0].start) * RATE))
        samples = np.concatenate([block.samples for block in blocks])[first:]
        voice = np.concatenate([block.voice for block in blocks])[first // FRAME :]
        return Block(start, samples, blocks[-1].last, voice)

    def _failed(self, _: object, error: BaseException | None, __: TracebackType | None) -> None:
        if error is not None and not self._stopped.is_set():
            self._failure = error
            self.stop()

    def patiently(self, work: Callable[[], T]) -> T:
        """What the work gives; left alone when the run is broken off, for it cannot be stopped."""
        call = _Call(work)
        call.start()
        while call.is_alive():
            self.alive()
            call.join(GLANCE)
        return call.result()


class _Call(threading.Thread, Generic[T]):
    """Work in a thread that nobody has to wait for, not even the end of the program."""

    def __init__(self, work: Callable[[], T]) -> None:
        super().__init__(daemon=True)
        self._work, self._made = work, list[T]()
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._made.append(self._work())
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self._error = error

    def result(self) -> T:
        """What the work gave or raised."""
        if self._error is not None:
            raise self._error
        return self._made[0]


class Ahead(Generic[T]):
    """Has the items of an iterator made in a thread before they are asked for."""

    DEPTH = 1
    """Items made ahead: so many reels are held in memory besides the one at work."""

    def __init__(self, begin: Callable[[Alive], Iterator[T]], alive: Alive) -> None:
        self._alive, self._closed = alive, threading.Event()
        self._items = begin(self._wanted)
        self._thread = ThreadPoolExecutor(1, "ahead", initializer=carried())
        self._coming = deque(self._order() for _ in range(self.DEPTH))

    def __iter__(self) -> Ahead[T]:
        return self

    def __next__(self) -> T:
        self._alive()
        while wait([self._coming[0]], timeout=GLANCE).not_done:
            self._alive()
        self._alive()
        item = self._coming[0].result()
        if item is None:
            raise StopIteration
        self._coming.popleft()
        self._coming.append(self._order())
        return item

    def close(self, patience: float = LEAVE) -> None:
        """End the thread, and with it the iterator; it may be some time before it looks."""
        if self._closed.is_set():
            return
        self._closed.set()
        for item in self._coming:
            item.cancel()
        # Behind what the thread has in hand; and a graph waits for its rooms when it is closed.
        closed = self._thread.submit(getattr(self._items, "close", lambda: None))
        self._thread.shutdown(wait=False)
        wait([closed], timeout=patience)

    def _order(self) -> Future[T | None]:
        return self._thread.submit(next, self._items, None)

    def _wanted(self) -> None:
        self._alive()
        if self._closed.is_set():
            raise Stopped("nobody looks any more")
