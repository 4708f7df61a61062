"""Files that appear whole or not at all."""

from __future__ import annotations

import fcntl
import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from vmr_agent.errors import ExportError, MachineError
from vmr_agent.files import FULL, is_file

FRESH = 2.0
"""Seconds for which a file that nobody holds may be one that somebody is about to."""


def put(path: Path, told: str) -> None:
    """Write a text file. Raises ExportError."""
    with appearing(path) as part, part.open("wb") as out:
        out.write(told.encode())
        out.flush()
        os.fsync(out.fileno())


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """A name beside ``path`` to write to: at the end of the block it is renamed, or it is gone.

    It is there from the start, and held as long as somebody writes to it. Raises ExportError where
    that cannot be, before the block as far as that can be known; MachineError on a full disk.
    """
    free(path)
    _sweep(path.parent)
    part = path.with_name(f".vmr-{os.getpid()}-{threading.get_ident()}.part{path.suffix}")
    try:
        with part.open("xb") as held:
            _hold(held)
            yield part
            part.replace(path)
    except OSError as error:
        told = f"{str(path)!r} cannot be written: {error.strerror}"
        if error.errno in FULL:
            raise MachineError(f"{told}; free some room") from error
        raise ExportError(told) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _hold(file: BinaryIO) -> None:
    # Disks that know of no locks keep what killed processes leave there.
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sweep(folder: Path) -> None:
    """Throw away what processes left there that were killed while they wrote."""
    for part in filter(is_file, folder.glob(".vmr-*.part*")):  # to open a pipe is to wait
        # The system lets go of what a process held, however that ended, on whatever machine.
        with suppress(OSError), part.open("rb") as left:
            fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if time.time() - part.stat().st_mtime > FRESH:
                part.unlink()


def free(path: Path) -> None:
    """Raises ExportError unless a file can be put there: devices and folders are no files."""
    try:
        there = path.stat() if path.exists() else None
        folder = path.parent.is_dir()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ExportError(f"{str(path)!r} cannot be written: {reason}") from error
    if not folder:
        raise ExportError(
            f"{str(path)!r} cannot be written: there is no folder {str(path.parent)!r}"
        )
    if there is not None and not stat.S_ISREG(there.st_mode):
        raise ExportError(f"{str(path)!r} cannot be written: that is no regular file")
