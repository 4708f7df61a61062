"""Films at an address, fetched by us where the settings allow it: FFmpeg never sees a URL.

    if is_url(video):
        video = fetch(video, home / "fetched", settings.video)

Off unless asked for. Then: https only, public hosts only, at every redirect (see ``wire``), no more
bytes and no more seconds than allowed, and a file that is there is whole.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from vmr_agent.errors import ShelfError, VideoNotFoundError, VideoTooLargeError

if TYPE_CHECKING:
    # httpx takes a quarter of a second to import, and most films lie on this machine.
    import httpcore

_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PART = ".part"
_ABANDONED = 24 * 3600.0
"""Seconds without a byte after which a part is nobody's any more."""


class Limits(Protocol):
    """What ``fetch`` asks of the settings."""

    @property
    def allow_urls(self) -> bool:
        """Whether addresses are fetched at all."""

    @property
    def max_download(self) -> int:
        """Bytes."""

    @property
    def download_seconds(self) -> float:
        """Seconds that one film may take, from first to last."""


def is_url(text: str) -> bool:
    """Whether it is an address on the net and not a path; no path has ``://`` after one word."""
    return _URL.match(text) is not None


def fetch(
    url: str,
    folder: Path,
    limits: Limits,
    *,
    resolve: Callable[[str], list[str]] | None = None,
    beneath: httpcore.NetworkBackend | None = None,
) -> Path:
    """The film at the address, as a file in the folder that is called after its content.

    Raises VideoNotFoundError for an address that may not be asked for or has nothing to give,
    VideoTooLargeError, ServiceError for a server that fails, ShelfError for a folder that cannot
    be written. ``resolve`` and ``beneath``, the names and the wire, are for tests to replace.
    """
    if not limits.allow_urls:
        hint = "give a local file, or set VMR_VIDEO__ALLOW_URLS=true"
        raise VideoNotFoundError(f"addresses on the net are not opened: {hint}")
    from vmr_agent import wire

    names = resolve or wire.look_up
    with wire.answer(url, limits.download_seconds, names, beneath) as (size, chunks):
        if size > limits.max_download:
            raise _too_large(limits)
        with _ready(folder):
            return _kept(_counted(chunks, limits), folder)


def _counted(chunks: Iterable[bytes], limits: Limits) -> Iterator[bytes]:
    """The chunks, for as long as they are within the limit: a server may promise anything."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limits.max_download:
            raise _too_large(limits)
        yield chunk


def _too_large(limits: Limits) -> VideoTooLargeError:
    most = f"more than {limits.max_download} bytes"
    return VideoTooLargeError(
        f"the film at the address is {most}; raise settings.video.max_download"
    )


def _kept(chunks: Iterable[bytes], folder: Path) -> Path:
    """The chunks in a file called after their BLAKE2b; under another name until it is whole."""
    content = hashlib.blake2b(digest_size=20)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=_PART, delete=False) as file:
        part = Path(file.name)
        try:
            for chunk in chunks:
                content.update(chunk)
                file.write(chunk)
            file.flush()
            return part.replace(folder / content.hexdigest())
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def _ready(folder: Path) -> Iterator[None]:
    """The folder, made, and swept of the parts that a killed process left."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for part in folder.glob(f"*{_PART}"):
            with suppress(FileNotFoundError):
                if part.stat().st_mtime < time.time() - _ABANDONED:
                    part.unlink()
        yield
    except OSError as error:
        hint = "free some room or set VMR_HOME elsewhere"
        raise ShelfError(f"cannot write to {folder} ({error.strerror}): {hint}") from error
