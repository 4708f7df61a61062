"""What counts as a file to open: a regular one, on this machine."""

from __future__ import annotations

import stat
from pathlib import Path

from vmr_agent.errors import VideoNotFoundError


def regular_file(path: Path) -> None:
    """Raises VideoNotFoundError for what is missing, a folder, a device, a pipe or no file name."""
    try:
        str(path).encode()
        found = path.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise VideoNotFoundError(f"{str(path)!r}: {reason}; give a local file") from error
    if stat.S_ISDIR(found.st_mode):
        raise VideoNotFoundError(f"{str(path)!r} is a folder; give a film")
    if not stat.S_ISREG(found.st_mode):
        raise VideoNotFoundError(f"{str(path)!r} is not a regular file; give a film")
