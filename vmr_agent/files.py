"""What counts as a file to open, and how to look at files that others may throw away meanwhile."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from vmr_agent.errors import VideoNotFoundError, VideoUnreadableError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says where there is no room left for a file."""
PRINT = 40
"""Hex digits of a film's fingerprint."""

FILMS = frozenset(
    """.3g2 .3gp .aac .asf .avi .divx .f4v .flac .flv .m2ts .m4a .m4v .mka .mkv .mov .mp3 .mp4
    .mpeg .mpg .mts .mxf .oga .ogg .ogv .opus .ts .vob .wav .webm .wmv""".split()
)
"""How names of films and of sound end; a file that is named itself may be called anything. There is
no .m2v: such a bare stream of pictures does not say when they are shown."""


def regular_file(path: Path) -> os.stat_result:
    """What the system says of the file.

    Raises VideoNotFoundError for what is missing, a folder, a device, a pipe or no file name.
    """
    try:
        str(path).encode()
        found = path.stat()
    except UnicodeEncodeError as error:
        raise VideoNotFoundError(f"{str(path)!r}: the name is no UTF-8; rename it") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise VideoNotFoundError(f"{str(path)!r}: {reason}; give a local file") from error
    if stat.S_ISDIR(found.st_mode):
        raise VideoNotFoundError(f"{str(path)!r} is a folder; give a film")
    if not stat.S_ISREG(found.st_mode):
        raise VideoNotFoundError(f"{str(path)!r} is not a regular file; give a film")
    return found


def fingerprint(path: Path) -> str:
    """The first 40 hex digits of the whole file's SHA-256, by which films are known.

    Raises VideoNotFoundError, or VideoUnreadableError for what cannot be read to its end.
    """
    regular_file(path)
    try:
        with path.open("rb") as file:
            # Processors have instructions for this one: a GB takes 0.7 s, with BLAKE2b 1.2.
            return hashlib.file_digest(file, "sha256").hexdigest()[:PRINT]
    except OSError as error:
        reason = f"cannot be read ({error.strerror}); is it all there, and yours to read?"
        raise VideoUnreadableError(f"{str(path)!r}: {reason}") from error


def is_file(path: Path) -> bool:
    """Whether it is a regular file. What cannot be looked at is none: opening it says why."""
    return stat.S_ISREG(_mode(path))


def is_folder(path: Path) -> bool:
    """Whether it is a folder. What cannot be looked at is none: opening it says why."""
    return stat.S_ISDIR(_mode(path))


def below(folder: Path) -> Iterator[Path]:
    """All files in a folder and in those in it."""
    # Not rglob: it fails at a folder that another process throws away while it looks.
    return (Path(where, name) for where, _, names in os.walk(folder) for name in names)


def there(paths: Iterable[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    """Those of the files that still are, and what the system says of them."""
    for path in paths:
        try:
            found = path.stat()
        except FileNotFoundError:
            continue
        yield path, found


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except (OSError, ValueError):  # too long a name, or access denied: Path.is_file would raise
        return 0
