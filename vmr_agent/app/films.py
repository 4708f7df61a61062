"""What may be chosen: every film has a key, and a page can only ever name keys."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from vmr_agent.errors import VideoNotFoundError
from vmr_agent.files import is_folder, regular_file
from vmr_agent.show import plain

KEY = 16  # bytes of chance in a key: nobody guesses one


class Offered(NamedTuple):
    """A film on offer."""

    key: str
    label: str
    """What people see: where it lies in the folder that was given; its name if it was uploaded."""
    path: Path
    uploaded: bool = False


class Films:
    """The films on offer. Safe between threads.

    >>> films = Films(["films"], {".mp4"})   # every .mp4 below the folder
    >>> films.path(films.listed()[0].key)
    """

    def __init__(self, paths: Iterable[str], endings: Iterable[str]) -> None:
        self._lock, self._films = Lock(), dict[str, Offered]()
        endings = frozenset(endings)
        for label, path in (found for given in paths for found in _found(Path(given), endings)):
            if all(path != each.path for each in self._films.values()):
                self._offer(label, path)

    def listed(self, *uploads: str) -> list[Offered]:
        """Those from folders, and these uploads: nobody is shown what others have uploaded."""
        with self._lock:
            films = list(self._films.values())
        return [film for film in films if not film.uploaded or film.key in uploads]

    def upload(self, path: Path) -> Offered:
        """Offer an uploaded file too."""
        return self._offer(path.name, path, uploaded=True)

    def film(self, key: object) -> Offered:
        """The film of a key. Raises VideoNotFoundError for what is not on offer."""
        with self._lock:
            found = self._films.get(key) if isinstance(key, str) else None
        if found is None:
            raise VideoNotFoundError("this film is not on offer; choose one from the list")
        return found

    def _offer(self, label: str, path: Path, uploaded: bool = False) -> Offered:
        film = Offered(secrets.token_urlsafe(KEY), plain(label), path, uploaded)
        with self._lock:
            self._films[film.key] = film
        return film


def _found(given: Path, endings: frozenset[str]) -> Iterator[tuple[str, Path]]:
    """Films below a folder, sorted; a file that is named itself may be called anything.

    Links that lead out of the folder are not followed: nothing outside it is opened.
    """
    if given == Path():
        raise VideoNotFoundError("'' is no film and no folder: name one")
    path = given.absolute()
    if not is_folder(path):
        regular_file(path)
        yield path.name, path
        return
    root, seen = path.resolve(), 0
    for folder, inner, names in os.walk(path):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            film = Path(folder, name)
            if film.suffix.lower() in endings and film.resolve().is_relative_to(root):
                seen += 1
                yield str(film.relative_to(path)), film
    if not seen:
        raise VideoNotFoundError(f"{str(given)!r}: there is no film in this folder")
