"""Which paths agents may have opened: films in folders that were named, and nothing else.

    allowed = Allowed([Path("/films")])
    allowed.film("talk.mp4")            # /films/talk.mp4, with every link followed

Who may write into those folders is trusted: a link that is put in a file's place between this look
and the opening is not noticed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from vmr_agent.errors import SettingsError, VideoNotFoundError
from vmr_agent.fetch import is_url
from vmr_agent.files import FILMS, is_file, is_folder, regular_file

SYSTEM = tuple(map(Path, ("/proc", "/sys", "/dev")))
"""What is no place for films, whatever folders are named: files there are the system itself."""
LONGEST = 4096  # characters of a path: what the system takes


class Allowed:
    """The folders. Raises SettingsError if there is none, or one that is no folder."""

    def __init__(self, roots: Sequence[Path]) -> None:
        if not roots:
            raise SettingsError(
                "no folder is named whose films agents may open: give --allow FOLDER, or set "
                "VMR_MCP__ROOTS='[\"/path/to/films\"]'"
            )
        for root in roots:
            if not is_folder(root.expanduser()):
                raise SettingsError(
                    f"{str(root)!r} is no folder: name one whose films may be opened"
                )
        self.roots = tuple(dict.fromkeys(_real(root.expanduser()) for root in roots))
        for root in self.roots:
            if _within(root, SYSTEM):
                raise SettingsError(f"{str(root)!r} belongs to the system: no film there is opened")

    def film(self, named: str) -> Path:
        """The file of that name, every link followed; relative names are looked for in the folders.

        Raises VideoNotFoundError, in the same words whether or not there is something outside.
        """
        inside = [path for path in self._meant(named) if self._inside(path)]
        if not inside:
            raise VideoNotFoundError(
                f"{named[:200]!r} is not in a folder that this server may open; "
                "ask it for its films"
            )
        found = next(filter(is_file, inside), inside[0])
        regular_file(found)
        return found

    def has(self, path: str) -> bool:
        """Whether that is such a file, and still there: what is shelved is told of only then."""
        real = next(self._meant(path), None)
        return real is not None and self._inside(real) and is_file(real)

    def real(self, path: str) -> Path:
        """That path with every link followed: two ways to a file are one file."""
        return _real(Path(path))

    def films(self, most: int) -> tuple[list[Path], bool]:
        """Films by their names, links to such inside too; whether these are all."""
        found = list(islice(self._all(), most + 1))
        return sorted(found[:most]), len(found) <= most

    def _all(self) -> Iterator[Path]:
        seen: set[Path] = set()
        for root in self.roots:
            for folder, inner, names in os.walk(root):  # which follows no link to a folder
                inner[:] = sorted(name for name in inner if not name.startswith("."))
                for name in sorted(names):
                    path = Path(folder, name)
                    if name.startswith(".") or path.suffix.lower() not in FILMS:
                        continue
                    real = _real(path)
                    if real not in seen and self._inside(real) and is_file(real):
                        seen.add(real)
                        yield real

    def _meant(self, named: str) -> Iterator[Path]:
        """Where it may lie, with links followed; nothing for what is no path."""
        if not named or len(named) > LONGEST or "\0" in named or is_url(named):
            return
        try:
            named.encode()
        except UnicodeEncodeError:
            return
        for root in (Path("/"),) if Path(named).is_absolute() else self.roots:
            lexical = Path(os.path.normpath(root / named))
            if not _within(lexical, SYSTEM):
                yield _real(root / named)

    def _inside(self, real: Path) -> bool:
        return _within(real, self.roots) and not _within(real, SYSTEM)


def _real(path: Path) -> Path:
    # Not Path.resolve, which raises where links lead round in a circle: such a path stays as it is,
    # and cannot be opened.
    return Path(os.path.realpath(path))


def _within(path: Path, folders: Sequence[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)
