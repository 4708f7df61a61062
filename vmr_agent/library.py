"""The shelf on disk: artefacts named by content and settings, made once, whole or not at all.

<home>/shelf/<film fingerprint>/<stage>-<digest>.npz     one artefact: a record and its arrays
<home>/prints/<digest of path>.json                      what a file's fingerprint was, and when
<home>/locks/                                            who is making what
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import numpy as np
from filelock import FileLock

from vmr_agent.errors import ShelfError
from vmr_agent.protocols import Arrays
from vmr_agent.types import Record

logger = logging.getLogger(__name__)

R = TypeVar("R", bound=Record)
RECORD = "record"  # the array that holds the record's JSON as bytes
IN_MEMORY = 32  # artefacts kept loaded: a few films' worth, so that a second query reads no disk


def digest(*parts: object) -> str:
    """Sixteen hex digits that name the parts; the same parts always give the same digits."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


class Shelf:
    """Artefacts about films. Safe between threads and between processes, and against kills."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._loaded: OrderedDict[str, tuple[Record, Arrays]] = OrderedDict()
        try:
            for folder in ("shelf", "prints", "locks"):
                (home / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise ShelfError(
                f"cannot write to {home} ({error.strerror}): set VMR_HOME to a folder that can be"
            ) from error

    def fingerprint(self, path: Path) -> str:
        """BLAKE2b of the whole file, hex; remembered while size and times stay the same."""
        stat = path.stat()
        memo = self.home / "prints" / f"{digest(str(path))}.json"
        seen = [stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
        try:
            known = json.loads(memo.read_text())
            if known["seen"] == seen:
                return str(known["fingerprint"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        with path.open("rb") as file:
            found = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=20)).hexdigest()
        self._publish(memo, json.dumps({"seen": seen, "fingerprint": found}).encode())
        return found

    def keep(self, name: str, kind: type[R], make: Callable[[], tuple[R, Arrays]]) -> None:
        """Make the artefact unless it is there.

        While one process makes it, others wait and then find it. Whoever is killed leaves nothing.
        """
        if self._find(name, kind) is not None:
            return
        with self._alone(name):
            if self._find(name, kind) is not None:
                return
            record, arrays = make()
            buffer = BytesIO()
            text = np.frombuffer(record.model_dump_json().encode(), dtype=np.uint8)
            np.savez(buffer, allow_pickle=False, **{RECORD: text, **arrays})
            self._publish(self._path(name), buffer.getvalue())
            self._remember(name, (record, arrays))

    def get(self, name: str, kind: type[R]) -> tuple[R, Arrays]:
        """The record and arrays of an artefact. Raises ShelfError when it is not there."""
        found = self._find(name, kind)
        if found is None:
            raise ShelfError(f"{self._path(name)} is gone or damaged: run the film again")
        return found

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        lock = FileLock(self.home / "locks" / f"{digest(name)}.lock")
        try:
            lock.acquire()
        except OSError as error:
            raise ShelfError(
                f"cannot write to {self.home} ({error.strerror}): set VMR_HOME elsewhere"
            ) from error
        try:
            # Under the lock nobody else writes this artefact: these are from someone killed.
            for stale in self._path(name).parent.glob(f"{self._path(name).name}.*.tmp"):
                stale.unlink(missing_ok=True)
            yield
        finally:
            lock.release()

    def _find(self, name: str, kind: type[R]) -> tuple[R, Arrays] | None:
        held = self._loaded.get(name)
        if held is not None and isinstance(held[0], kind):
            return held[0], held[1]
        try:
            with np.load(self._path(name), allow_pickle=False) as file:
                arrays = {key: file[key] for key in file.files}
            record = kind.model_validate_json(arrays.pop(RECORD).tobytes())
        except FileNotFoundError:
            return None
        # RuntimeError and OSError are what zipfile makes of flipped bits in its headers.
        except (OSError, RuntimeError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            logger.warning("%s is damaged and will be made again (%s)", name, error)
            return None
        self._remember(name, (record, arrays))
        return record, arrays

    def _remember(self, name: str, artefact: tuple[Record, Arrays]) -> None:
        self._loaded[name] = artefact
        while len(self._loaded) > IN_MEMORY:
            self._loaded.popitem(last=False)

    def _path(self, name: str) -> Path:
        return self.home / "shelf" / f"{name}.npz"

    def _publish(self, path: Path, content: bytes) -> None:
        """Write whole or not at all: temporary name, fsync, rename."""
        scratch = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, scratch = tempfile.mkstemp(
                dir=path.parent, prefix=f"{path.name}.", suffix=".tmp"
            )
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(scratch).replace(path)
        except OSError as error:
            if scratch is not None:
                Path(scratch).unlink(missing_ok=True)
            raise ShelfError(
                f"cannot write {path} ({error.strerror}): free some room or set VMR_HOME elsewhere"
            ) from error
