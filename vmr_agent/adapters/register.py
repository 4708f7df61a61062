"""The folder of a program that can crash: which films are in it, and whether it may be opened.

<folder>/films.json    the films that are in it whole
<folder>/stamp.json    its files, when it was last left in good order; gone while somebody is in it
<folder>.lock          held by the one process that is in it
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import TypeAdapter

from vmr_agent.errors import ShelfError
from vmr_agent.types import Record

logger = logging.getLogger(__name__)

BUSY = 600.0  # seconds to wait for others: far longer than the largest film takes to put
CHECK = 60.0  # seconds after which a check is taken to hang, and
CHECK_ROW = 1e-3  # as many more for each row: ten times what it takes
ROOM = 64_000_000  # bytes of the disk that stay free
DATABASE = ".sqlite3"  # changes whenever it is opened, and can tell by itself whether it is sound


class Held(Record):
    """A film all of whose rows are in."""

    mark: str
    """What its rows were made from: the name of its entry on the shelf."""
    path: str
    """Where the film was last seen."""
    rows: dict[str, int]
    """How many rows it has of each kind."""


class Stamp(Record):
    """What a folder looked like when it was left in good order."""

    version: str
    """Of the package that wrote it."""
    files: dict[str, tuple[int, int]]
    """Bytes and time of change of each file."""
    digests: dict[str, str]
    """What was in them, but for the database."""


HELD = TypeAdapter(dict[str, Held])


def films_in(folder: Path) -> dict[str, Held]:
    """What is in the folder, by fingerprint; nothing when nothing readable says so."""
    try:
        return HELD.validate_json((folder / "films.json").read_bytes())
    except (OSError, ValueError):
        return {}


class Register:
    """Guards a folder that ``package`` writes; ``check`` is what Python is told to try it with.

    A folder that was not left in good order (a crash, a kill, other hands, another version) is
    tried by another process, for it can take down the one that opens it. If that does not end
    well, or what it leaves is ``overgrown``, the folder is emptied.
    """

    def __init__(
        self,
        folder: Path,
        package: str,
        check: Sequence[str],
        overgrown: Callable[[Path], bool],
    ) -> None:
        self._folder = folder
        self._package = package
        self._check = check
        self._overgrown = overgrown
        self._stamp = folder / "stamp.json"

    def films(self) -> dict[str, Held]:
        """What is in the folder, as it says: waits for nobody, tries nothing."""
        return films_in(self._folder)

    def sound_films(self) -> dict[str, Held]:
        """What is in the folder, which is tried if need be."""
        if self._folder.exists() and not self._untouched():
            with self._alone():
                pass
        return self.films()

    def write(self, held: Mapping[str, Held]) -> None:
        """From now on these are in. For visitors only."""
        self._publish(self._folder / "films.json", HELD.dump_json(dict(held)))

    @contextmanager
    def visit(self) -> Iterator[None]:
        """Be in the folder, alone. Whoever crashes in there, or raises, leaves it in doubt."""
        with self._alone():
            before = self._stamped()
            self._folder.mkdir(exist_ok=True, mode=0o700)
            self._stamp.unlink(missing_ok=True)
            yield
            self._leave(before)

    def need(self, size: int) -> None:
        """Raises OSError unless so many bytes fit on the disk and leave some room. For visitors."""
        if shutil.disk_usage(self._folder).free < size + ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with FileLock(f"{self._folder}.lock", timeout=BUSY):
                self._settle()
                yield
        except Timeout as error:
            raise ShelfError(
                f"another process is in {self._folder} and has not left it for {BUSY:.0f} s: end "
                "it or try again later"
            ) from error
        except OSError as error:
            raise ShelfError(
                f"cannot write to {self._folder} ({error.strerror or error}): free some room or "
                "set VMR_HOME elsewhere"
            ) from error

    def _settle(self) -> None:
        if self._untouched():
            return
        if self.films() and self._unchanged() and self._survives() and self._leave(None):
            return
        if self._clear():
            logger.warning("%s was damaged: it is empty now and will be filled again", self._folder)

    def _leave(self, before: Stamp | None) -> bool:
        """Stamp the folder. Whether it is in good order."""
        if self._overgrown(self._folder):
            return False
        files = self._files()
        same = {
            name: digest
            for name, digest in (before.digests if before else {}).items()
            if before and before.files[name] == files.get(name)
        }
        digests = {
            name: same.get(name) or _digest(self._folder / name)
            for name in files
            if not name.endswith(DATABASE)
        }
        stamp = Stamp(version=version(self._package), files=files, digests=digests)
        self._publish(self._stamp, stamp.model_dump_json().encode())
        return True

    def _stamped(self) -> Stamp | None:
        try:
            return Stamp.model_validate_json(self._stamp.read_bytes())
        except (OSError, ValueError):
            return None

    def _untouched(self) -> bool:
        """As far as can be seen from outside."""
        stamp = self._stamped()
        try:
            return stamp is not None and (stamp.version, stamp.files) == (
                version(self._package),
                self._files(),
            )
        except OSError:  # another process is in there
            return False

    def _unchanged(self) -> bool:
        """Whether no file was changed by other hands, as far as that can be known."""
        if self._overgrown(self._folder):
            return False
        stamp = self._stamped()
        try:
            return stamp is None or all(
                _digest(self._folder / name) == digest for name, digest in stamp.digests.items()
            )
        except OSError:
            return False

    def _files(self) -> dict[str, tuple[int, int]]:
        return {
            path.relative_to(self._folder).as_posix(): (stat.st_size, stat.st_mtime_ns)
            for path in sorted(self._folder.rglob("*"))
            if path != self._stamp and path.is_file()
            for stat in [path.stat()]
        }

    def _survives(self) -> bool:
        rows = sum(sum(held.rows.values()) for held in self.films().values())
        with subprocess.Popen(
            [sys.executable, *self._check, str(self._folder)],
            stdin=subprocess.PIPE,  # its end tells the child that we are gone
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,  # an interrupt from the keyboard is no sign of damage
        ) as child:
            try:
                return child.wait(CHECK + rows * CHECK_ROW) == 0
            except subprocess.TimeoutExpired:
                child.kill()
                return False

    def _clear(self) -> bool:
        """Empty the folder. Whether there was anything."""
        if not self._folder.is_dir():
            there = self._folder.exists()
            self._folder.unlink(missing_ok=True)
            return there
        # First, for a kill may leave some of the rest.
        (self._folder / "films.json").unlink(missing_ok=True)
        rest = list(self._folder.iterdir())
        for path in rest:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        return bool(rest)

    def _publish(self, path: Path, content: bytes) -> None:
        scratch = path.with_suffix(".tmp")
        scratch.write_bytes(content)
        scratch.replace(path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()
