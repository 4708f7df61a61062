"""What the command line writes: results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import TYPE_CHECKING, Any, NoReturn

from vmr_agent.errors import MachineError

if TYPE_CHECKING:
    from vmr_agent.cli.board import Board

UNREAD = 141  # as other programs exit: 128 + SIGPIPE


def dump(content: Any, indent: int | None = 2) -> str:
    """JSON in ASCII: whatever a film says, no control character of it reaches a terminal."""
    return json.dumps(content, indent=indent) + "\n"


def write(text: str) -> None:
    """A result, the only thing that goes to stdout; ends the program when nobody reads it."""
    out = sys.__stdout__
    if out is None:  # closed by whoever called
        return
    try:
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
    with redirect_stdout(sys.stderr):
        if quiet or not sys.stderr.isatty():
            yield None
            return
        from vmr_agent.cli.board import Board

        with Board(films) as board:
            yield board
