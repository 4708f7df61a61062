"""What the command line writes: results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stdout, suppress
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from vmr_agent.errors import MachineError

if TYPE_CHECKING:
    from vmr_agent.cli.board import Board
    from vmr_agent.cli.epochs import Epochs

B = TypeVar("B")
UNREAD = 141  # as other programs exit: 128 + SIGPIPE


def dump(content: Any, indent: int | None = 2) -> str:
    """JSON in ASCII: whatever a film says, no control character of it reaches a terminal."""
    return json.dumps(content, indent=indent) + "\n"


def write(text: str, encoding: str | None = None) -> None:
    """A result, the only thing that goes to stdout; ends the program when nobody reads it.

    ``encoding`` is that of the result where it has one of its own.
    """
    out: Any = sys.__stdout__
    if out is None:  # closed by whoever called
        return
    try:
        if encoding:
            out.reconfigure(encoding=encoding)
        out.write(text)
        out.flush()
    except OSError as error:
        # Python would try again, and complain, when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
        if isinstance(error, BrokenPipeError):
            leave(UNREAD)
        raise MachineError(f"the answer cannot be written: {error.strerror}") from error


def answer(text: str, code: int) -> NoReturn:
    """Write the result and end."""
    write(text)
    raise SystemExit(code)


def say(message: str) -> None:
    """One line on stderr."""
    from vmr_agent.show import plain

    with suppress(OSError):
        sys.stderr.write(f"vmr: {plain(' '.join(message.split()))}\n")
        sys.stderr.flush()


def leave(code: int) -> NoReturn:
    """End at once: rooms that are still at work are not waited for."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


@contextmanager
def work(quiet: bool = False, films: int = 1) -> Iterator[Board | None]:
    """Where rooms are busy: stdout is kept for results alone, people at a terminal see progress."""

    def board() -> Board:
        from vmr_agent.cli.board import Board

        return Board(films)

    with _shown(board, quiet) as shown:
        yield shown


@contextmanager
def learning(epochs: int, quiet: bool = False) -> Iterator[Epochs | None]:
    """The same where a network learns."""

    def board() -> Epochs:
        from vmr_agent.cli.epochs import Epochs

        return Epochs(epochs)

    with _not_to_stdout(), _shown(board, quiet) as shown:
        yield shown


@contextmanager
def _not_to_stdout() -> Iterator[None]:
    """Whatever libraries write there, those not in Python too: gloo says how many are connected."""
    if sys.__stdout__ is None or sys.__stderr__ is None:
        yield
        return
    out, err = sys.__stdout__.fileno(), sys.__stderr__.fileno()
    kept = os.dup(out)
    os.dup2(err, out)
    try:
        yield
    finally:
        os.dup2(kept, out)
        os.close(kept)


@contextmanager
def _shown(board: Callable[[], AbstractContextManager[B]], quiet: bool) -> Iterator[B | None]:
    with redirect_stdout(sys.stderr):
        if quiet or not sys.stderr.isatty():
            yield None
            return
        with board() as shown:
            yield shown
