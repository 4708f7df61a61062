"""Queries asked by several processes at once, film by film; only the caller writes anything.

A process that is killed costs the query it was at a second try, in a new one; a query that kills
two is failed, and the others go on.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection, wait
from typing import NamedTuple

from evals.datasets import Asked
from evals.desk import HOPELESS, Source, answered, failed
from evals.logbook import Sample
from vmr_agent import VmrError

Task = tuple[Asked, ...]
"""Queries about one film."""
TRIES = 2  # processes that a query may cost


class HopelessError(VmrError):
    """What a process met that all others would meet as well."""


class News(NamedTuple):
    """What a process says: a sample, or why it has given up."""

    sample: Sample | None
    error: str = ""
    exit_code: int = 0


def alone(source: Source, tasks: Sequence[Task]) -> Generator[Sample]:
    """Samples one after the other, in this process."""
    desk = source.open()
    yield from (answered(desk, each) for task in tasks for each in task)


def spread(source: Source, tasks: Sequence[Task], jobs: int) -> Generator[Sample]:
    """Samples as they come, from so many processes; each has an agent of its own.

    Raises HopelessError where it is of no use to go on.
    """
    waiting, tried = deque(tasks), dict[str, int]()
    with ExitStack() as leaving:
        hands: list[Hand] = []
        while waiting or any(hand.left for hand in hands):
            while waiting and len(hands) < jobs:
                hands.append(Hand(source))
                leaving.callback(hands[-1].end)
            for hand in hands:
                if waiting and not hand.left:
                    hand.give(waiting.popleft())
            busy = {hand.pipe: hand for hand in hands if hand.left}
            for pipe in wait([*busy]):
                hand = busy[pipe]  # type: ignore[index]
                try:
                    yield hand.take()
                except (EOFError, OSError):
                    hands.remove(hand)
                    ended, (lost, *others) = hand.end(), hand.left
                    tried[lost.id] = tried.get(lost.id, 0) + 1
                    if tried[lost.id] < TRIES:
                        others = [lost, *others]
                    else:
                        yield failed(lost, "Killed", f"{ended}, {TRIES} times at this query")
                    if others:
                        waiting.appendleft(tuple(others))


class Hand:
    """A process at work, and what is left of what it was given."""

    def __init__(self, source: Source) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.pipe, theirs = spawn.Pipe()
        self.left: deque[Asked] = deque()
        self._process = spawn.Process(target=_work, args=(source, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def give(self, task: Task) -> None:
        """Queries about one film."""
        self.left.extend(task)
        with suppress(OSError):  # it is dead, which whoever takes will find
            self.pipe.send(task)

    def take(self) -> Sample:
        """The next sample. Raises EOFError or OSError if the process is gone, or HopelessError."""
        news: News = self.pipe.recv()
        if news.sample is None:
            hopeless = HopelessError(news.error)
            hopeless.exit_code = news.exit_code
            raise hopeless
        self.left.popleft()
        return news.sample

    def end(self) -> str:
        """No more work. How it ended, in words."""
        self.pipe.close()
        self._process.join(1)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        return f"its process ended with {self._process.exitcode}"


def _work(source: Source, pipe: Connection) -> None:
    """What the process does until nobody listens any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller says when to stop
    threading.Thread(target=_orphaned, daemon=True).start()
    try:
        desk = source.open()
        while True:
            for asked in pipe.recv():
                pipe.send(News(answered(desk, asked)))
    except HOPELESS as error:
        pipe.send(News(None, str(error), error.exit_code))
    except (EOFError, BrokenPipeError):
        pass


def _orphaned() -> None:
    """Ends the process when the one that started it is gone, whatever it is at."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
