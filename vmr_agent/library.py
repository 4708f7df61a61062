"""The shelf on disk: artefacts named by content and settings, made once, whole or not at all.

<home>/shelf/<film fingerprint>/<stage>-<digest>.npz     one artefact: a record and its arrays
<home>/shelf/<film …>/<stage>-<digest>.pieces/00007.npz  its journal: what a kill cannot undo
<home>/prints/<digest of path>.json                      what a file's fingerprint was, and when
<home>/locks/                                            who is making what
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from itertools import count, takewhile
from pathlib import Path
from tokenize import TokenError
from typing import TypeVar

import numpy as np
from filelock import FileLock, Timeout

from vmr_agent.errors import ShelfError
from vmr_agent.files import PRINT, below, fingerprint, is_file, regular_file, there
from vmr_agent.protocols import Arrays
from vmr_agent.settings import Settings
from vmr_agent.types import Record

logger = logging.getLogger(__name__)

R = TypeVar("R", bound=Record)
RECORD = "record"  # the array that holds the record's JSON as bytes
POLL = 0.2  # seconds between two tries for a lock, in which waiting can be broken off
DAMAGE = (
    *(OSError, RuntimeError, ValueError, KeyError, EOFError, NotImplementedError),
    *(zipfile.BadZipFile, zlib.error, SyntaxError, TokenError),
)
"""What zipfile and NumPy, which reads its headers as Python, make of flipped bits."""
IN_MEMORY = 32  # artefacts kept loaded: a few films' worth, so that a second query reads no disk


def home(settings: Settings) -> Path:
    """Where everything is kept that outlives a run."""
    if settings.home is not None:
        return settings.home.expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("vmr_agent", appauthor=False)


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
        """The first 40 hex digits of the whole file's SHA-256.

        It is remembered while size and times stay the same. Raises VideoNotFoundError for a film
        that is gone, as when a disk is unplugged half way.
        """
        stat = regular_file(path)
        memo = self.home / "prints" / f"{digest(str(path))}.json"
        seen = [stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
        try:
            known = json.loads(memo.read_text())
            if known["seen"] == seen:
                return str(known["fingerprint"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        found = fingerprint(path)
        self._publish(memo, json.dumps({"seen": seen, "fingerprint": found}).encode())
        return found

    # ── artefacts ─────────────────────────────────────────────────────────────────────────────

    def keep(
        self,
        name: str,
        kind: type[R],
        make: Callable[[], tuple[R, Arrays]],
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        """Make the artefact unless it is there; ``alive`` may raise to end the waiting for others.

        While one process makes it, others wait and then find it. Whoever is killed leaves nothing.
        """
        if self.has(name, kind):
            return
        with self.alone(name, alive):
            if not self.has(name, kind):
                self.put(name, *make())

    def has(self, name: str, kind: type[Record]) -> bool:
        """Whether the artefact is there, and whole."""
        # Memory does not know what another process has thrown away since.
        return is_file(self._path(name)) and self._find(name, kind) is not None

    def get(self, name: str, kind: type[R]) -> tuple[R, Arrays]:
        """The record and arrays of an artefact. Raises ShelfError when it is not there."""
        found = self._find(name, kind)
        if found is None:
            raise ShelfError(f"{self._path(name)} is gone or damaged: run the film again")
        return found

    def put(self, name: str, record: Record, arrays: Arrays) -> None:
        """Publish the artefact. Of two who do so at once, with the same content, one wins."""
        self._publish(self._path(name), _packed(record, arrays, compressed=True))
        self._remember(name, (record, arrays))

    # ── the journal ───────────────────────────────────────────────────────────────────────────

    def once(
        self, name: str, number: int, kind: type[R], make: Callable[[], tuple[R, Arrays]]
    ) -> tuple[R, Arrays]:
        """Piece ``number`` of an artefact in the making: from its journal, or made and noted."""
        path = self._piece(name, number)
        found = _read(path, kind)
        if found is None:
            found = make()
            self._publish(path, _packed(*found))
        return found

    def piece(self, name: str, number: int, kind: type[R]) -> tuple[R, Arrays]:
        """One piece from the journal. Raises ShelfError if it is damaged, and throws it away."""
        path = self._piece(name, number)
        found = _read(path, kind)
        if found is None:
            path.unlink(missing_ok=True)
            raise ShelfError(f"{path} was damaged and is thrown away: run the film again")
        return found

    def noted(self, journals: Mapping[str, type[Record]]) -> int:
        """How many pieces these journals all have, whole, from the first on without a gap."""
        number = 0
        while all(_read(self._piece(name, number), kind) for name, kind in journals.items()):
            number += 1
        return number

    def pieces(self, name: str, kind: type[R]) -> Iterator[tuple[R, Arrays]]:
        """What the journal has, in order. Raises ShelfError at a piece that is damaged."""
        return (self.piece(name, number, kind) for number in self.numbers(name))

    def numbers(self, name: str) -> Iterator[int]:
        """Of the pieces that lie there, whole or not, from the first on without a gap."""
        return takewhile(lambda number: is_file(self._piece(name, number)), count())

    def sweep(self, name: str) -> None:
        """Throw the journal away, once the artefact it led to is published."""
        shutil.rmtree(self._piece(name, 0).parent, ignore_errors=True)

    # ── films ─────────────────────────────────────────────────────────────────────────────────

    def films(self) -> list[str]:
        """Fingerprints of all films of which something is shelved."""
        return sorted(path.name for path in (self.home / "shelf").glob("[0-9a-f]" * PRINT))

    def sizes(self, film: str) -> dict[str, int]:
        """Bytes by stage; ``strip`` is what ``footage`` was gathered from."""
        found: dict[str, int] = {}
        folder = self.home / "shelf" / film
        for path, seen in there(sorted(below(folder))):
            if path.suffix != ".npz":
                continue
            first, *rest = path.relative_to(folder).parts
            stage = first.partition("-")[0]
            stage = "strip" if stage == "footage" and rest else stage
            found[stage] = found.get(stage, 0) + seen.st_size
        return found

    def entries(self, film: str, stage: str, kind: type[R]) -> list[R]:
        """All artefacts of a stage, whatever the settings they were made with, the last first."""
        paths = there((self.home / "shelf" / film).glob(f"{stage}-*.npz"))
        latest = sorted(paths, key=lambda each: each[1].st_mtime, reverse=True)
        return [found[0] for path, _ in latest if (found := _read(path, kind)) is not None]

    def forget(self, film: str) -> None:
        """Throw away everything shelved about a film."""
        with self.alone(film):
            shutil.rmtree(self.home / "shelf" / film, ignore_errors=True)
        for name in [name for name in list(self._loaded) if name.startswith(f"{film}/")]:
            self._loaded.pop(name, None)

    @contextmanager
    def alone(self, name: str, alive: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Nobody else is in such a block for this name. ``alive`` may raise to end the waiting."""
        lock = FileLock(self.home / "locks" / f"{digest(name)}.lock")
        while not lock.is_locked:
            try:
                lock.acquire(timeout=POLL)
            except Timeout:
                alive()
            except OSError as error:
                raise ShelfError(
                    f"cannot write to {self.home} ({error.strerror}): set VMR_HOME elsewhere"
                ) from error
        try:
            # Under the lock nobody else writes this: these are from someone killed.
            for pattern in (f"{name}.npz.*.tmp", f"{name}/*.tmp", f"{name}/*.pieces/*.tmp"):
                for stale in (self.home / "shelf").glob(pattern):
                    stale.unlink(missing_ok=True)
            yield
        finally:
            lock.release()

    def _find(self, name: str, kind: type[R]) -> tuple[R, Arrays] | None:
        held = self._loaded.get(name)
        if held is not None and isinstance(held[0], kind):
            return held[0], held[1]
        found = _read(self._path(name), kind)
        if found is not None:
            self._remember(name, found)
        return found

    def _remember(self, name: str, artefact: tuple[Record, Arrays]) -> None:
        self._loaded[name] = artefact
        while len(self._loaded) > IN_MEMORY:
            self._loaded.popitem(last=False)

    def _path(self, name: str) -> Path:
        return self.home / "shelf" / f"{name}.npz"

    def _piece(self, name: str, number: int) -> Path:
        return self.home / "shelf" / f"{name}.pieces" / f"{number:05}.npz"

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


def _packed(record: Record, arrays: Arrays, compressed: bool = False) -> bytes:
    buffer = BytesIO()
    text = np.frombuffer(record.model_dump_json().encode(), dtype=np.uint8)
    save = np.savez_compressed if compressed else np.savez
    save(buffer, allow_pickle=False, **{RECORD: text, **arrays})
    return buffer.getvalue()


def _read(path: Path, kind: type[R]) -> tuple[R, Arrays] | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        return kind.model_validate_json(arrays.pop(RECORD).tobytes()), arrays
    except FileNotFoundError:
        return None
    except DAMAGE as error:
        logger.warning("%s is damaged and will be made again (%s)", path, type(error).__name__)
        return None
