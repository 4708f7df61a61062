"""Ctrl-C and SIGTERM end the program at once, whatever it is doing.

Python hears a signal only between two steps of its own, and a model library can take many seconds
to load in one. So the work is done in a child, and the process that was started does nothing but
wait for it. Whatever is shelved is whole at any instant, so that the child can simply be killed;
where files are written elsewhere, it takes away what is half-made first: ``tidily``.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vmr_agent import threads

BUG, UNFIT = 70, 3  # as other programs exit: EX_SOFTWARE; and as ours do for want of something
SIGNALS = (signal.SIGINT, signal.SIGTERM)
DEFAULT = (signal.default_int_handler, signal.SIG_DFL)
TIDY = 0.5  # seconds that a child may take to clear up
KILLED = 1.0  # seconds to wait for a child that was killed
SHOW_CURSOR = "\x1b[?25h\n"  # below the bars, which hide it
STOPPED = "vmr: stopped; what was finished is kept, run it again to go on\n"
CUT_SHORT = "vmr: stopped; clips that were finished are kept\n"
LOST = "vmr: killed, perhaps for want of memory; what was finished is kept, run it again to go on\n"

_inside = threading.Event()


def guard(stopped: str = STOPPED) -> None:
    """Returns in the child, where the work is to be done; the process that called never does.

    ``stopped`` is said of a run that was stopped.
    """
    if _inside.is_set():
        return
    _inside.set()
    held = [number for number in SIGNALS if signal.getsignal(number) in DEFAULT]  # not by nohup
    heard = {*held, signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, heard)
    ours, theirs = os.pipe()
    child = os.fork()
    if child:
        _wait(child, heard, stopped)
    if signal.SIGINT in held:  # the keyboard's goes to all, decoders too
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, heard)
    os.close(theirs)
    os.environ.update({**threads.ONE, **os.environ})  # nothing heavy is imported yet
    threading.Thread(target=_end_with_parent, args=(ours,), daemon=True).start()


def _wait(child: int, heard: set[signal.Signals], stopped: str) -> None:
    """End as the child does, or when told to.

    Signals are waited for, not handled: a handler of Python's runs when ``waitpid`` has returned,
    and one that comes right before it is called would be heard no sooner than the child's end.
    """
    signal.signal(signal.SIGCHLD, lambda *_: None)  # or some systems would not keep it waiting
    ended, status = 0, 0
    while not ended:
        if (number := signal.sigwait(heard)) != signal.SIGCHLD:
            _stop(child, number, stopped)
        ended, status = os.waitpid(child, os.WNOHANG)
    code = os.waitstatus_to_exitcode(status)
    if -code in SIGNALS:
        _leave(stopped, 128 - code)
    if code == -signal.SIGKILL:
        _leave(LOST, UNFIT)
    if code < 0:
        _leave(f"vmr: crashed ({signal.Signals(-code).name}); this is a bug\n", BUG)
    os._exit(code)


def _stop(child: int, number: int, stopped: str) -> None:
    """Kill the child and its decoders, say so and end, as other programs do."""
    decoders = tuple(_children(child))
    if not _ended(child, signal.SIGTERM, TIDY):
        _ended(child, signal.SIGKILL, KILLED)
    for process in decoders:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    _leave(stopped, 128 + number)


def _ended(child: int, number: int, within: float) -> bool:
    """Whether it ends of the signal within so many seconds."""
    until = time.monotonic() + within
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(child, number)
        while os.waitpid(child, os.WNOHANG) == (0, 0):
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
    return True


@contextmanager
def tidily() -> Iterator[None]:
    """Where a file is half-made: a signal to stop ends the block first, and then the process."""

    def stop(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _children(process: int) -> Iterator[int]:
    """As far as the system tells; where it does not, they see for themselves, and end."""
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            yield from map(int, path.read_text().split())


def _leave(message: str, code: int) -> None:
    """Say it if anybody listens: a terminal that was halted does not."""
    above = SHOW_CURSOR if os.isatty(2) and os.environ.get("TERM") != "dumb" else ""
    with suppress(OSError, ValueError):
        if select.select([], [2], [], 0)[1]:
            os.write(2, f"{above}{message}".encode())
    os._exit(code)


def _end_with_parent(pipe: int) -> None:
    os.read(pipe, 1)
    os._exit(UNFIT)
