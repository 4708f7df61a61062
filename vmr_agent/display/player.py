"""Where a page's player finds the film, and what the page's own rules allow for it."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from vmr_agent.errors import CallerError
from vmr_agent.files import is_file
from vmr_agent.report import RunReport

KINDS = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/mp4",
    ".webm": "video/webm",
    ".mkv": "video/webm",
    ".ogv": "video/ogg",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".wav": "audio/wav",
    ".ogg": "audio/ogg",
    ".flac": "audio/flac",
}
"""What browsers call what they can play."""
HOST = re.compile(r"[\w.\-]+(:\d+)?|\[[0-9a-fA-F:]+\](:\d+)?", re.ASCII)


NEAR = 0.05
"""Seconds by which a clip may begin late and still hold a moment; page.js knows it too."""


class Clip(NamedTuple):
    """A stretch of film."""

    start: float
    """Seconds of the film at which it begins."""
    end: float
    """Seconds of the film at which it ends."""
    source: str
    """A data URI."""


class Film(NamedTuple):
    """What the player is given."""

    source: str
    """Address of the whole film; empty where there are clips alone."""
    allowed: str
    """For the page's Content-Security-Policy."""
    clips: tuple[Clip, ...] = ()
    """What there is of it, best moment first."""

    def holds(self, start: float) -> bool:
        """Whether it can be played from that second on."""
        return not self.clips or any(c.start - NEAR <= start < c.end for c in self.clips)

    @property
    def size(self) -> int:
        """Letters of all its addresses."""
        return len(self.source) + sum(len(each.source) for each in self.clips)


def film(report: RunReport, address: str | None) -> Film | None:
    """The film at the address, by default the file where it was; None where nothing can be played.

    An empty address means no player. Raises CallerError for what is no address of a film.
    """
    if address is None:
        path = Path(report.video.path)
        if not (path.is_absolute() and is_file(path)):
            return None
        address = path.as_uri()
    return Film(address, _allowed(address)) if address else None


def embedded(path: Path, most: int) -> str | None:
    """The film itself as a data URI; None if it is larger than ``most`` bytes or plays nowhere."""
    kind = KINDS.get(path.suffix.lower())
    if kind is None or not is_file(path):
        return None
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        return None
    return carried(content, kind)


def carried(content: bytes, kind: str) -> str:
    """A file as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _allowed(address: str) -> str:
    try:
        parts = urlsplit(address[:2000])
    except ValueError as error:
        raise _refused(address) from error
    if parts.scheme in ("http", "https") and HOST.fullmatch(parts.netloc):
        return f"{parts.scheme}://{parts.netloc}"
    if parts.scheme == "data" and re.match(r"data:(video|audio)/[\w.+-]+[;,]", address):
        return "data:"
    if parts.scheme in ("file", "blob"):
        return f"{parts.scheme}:"
    if not parts.scheme and not parts.netloc:
        return "'self' file:"
    raise _refused(address)


def _refused(address: str) -> CallerError:
    return CallerError(
        f"{address[:80]!r} is no address of a film: give a relative one, or one that begins with "
        "file:, https:, http:, blob:, data:video/ or data:audio/"
    )
