"""Films that were downloaded: each lies under its address until it is forgotten.

    path = downloads.film(shelf, address, settings.video)
    downloads.size(shelf, path)
    downloads.drop(shelf, path)

<home>/fetched/<digest of the address>/<digest of the content>
"""

from __future__ import annotations

import shutil
from pathlib import Path

from vmr_agent.fetch import Limits, fetch
from vmr_agent.files import PRINT, there
from vmr_agent.library import Shelf, digest

FETCHED = "fetched"


def film(shelf: Shelf, address: str, limits: Limits) -> Path:
    """The film at an address, downloaded the first time it is asked for."""
    folder = shelf.home / FETCHED / digest(address)
    with shelf.alone(f"{FETCHED}/{folder.name}"):
        return found(shelf, address) or fetch(address, folder, limits)


def found(shelf: Shelf, address: str) -> Path | None:
    """Where the film at an address lies, None if it was not downloaded."""
    return next((shelf.home / FETCHED / digest(address)).glob("[0-9a-f]" * PRINT), None)


def size(shelf: Shelf, path: Path) -> int:
    """Bytes of what was downloaded, 0 for any other film."""
    return sum(seen.st_size for _, seen in there([path] if _ours(shelf, path) else []))


def drop(shelf: Shelf, path: Path) -> None:
    """Throw away what was downloaded; any other film is left alone."""
    if _ours(shelf, path):
        with shelf.alone(f"{FETCHED}/{path.parent.name}"):
            shutil.rmtree(path.parent, ignore_errors=True)


def _ours(shelf: Shelf, path: Path) -> bool:
    # A path that climbs may lead anywhere.
    return ".." not in path.parts and path.parent.parent == shelf.home / FETCHED
