"""What the tools do, for films that are allowed. Knows nothing of the protocol."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from vmr_agent.errors import QueryError, VideoUnreadableError
from vmr_agent.gallery import jpeg
from vmr_agent.mcp import answers
from vmr_agent.mcp.allowed import Allowed
from vmr_agent.playback import Alive, probe, stills
from vmr_agent.protocols import Image
from vmr_agent.report import RunReport
from vmr_agent.types import Hit, Video

if TYPE_CHECKING:
    from vmr_agent.agent import VMRAgent
    from vmr_agent.events import Progress, Visit
    from vmr_agent.settings import Settings

INSIDE = 4  # pictures of a moment: enough to see what goes on in it
WIDEST = 4096  # places asked for at most, of which those in other folders are left out
SHRINK = 0.9  # of the size that would just do: packed, pictures differ
SMALLEST = 16  # pixels


class Taken(NamedTuple):
    """Pictures, and what is told about them."""

    told: answers.Pictures
    jpegs: tuple[bytes, ...]


class Desk:
    """One agent for all calls: models are loaded once, and calls may come side by side."""

    def __init__(self, agent: VMRAgent, settings: Settings) -> None:
        self._agent, self._settings = agent, settings
        self._allowed = Allowed(settings.mcp.roots)

    def films(self, _: Alive) -> Iterator[answers.Films]:
        """What may be opened, and what of it is indexed."""
        paths, whole = self._allowed.films(self._settings.mcp.listed)
        ready = [each.video for each in self._agent.shelved() if each.video and each.ready]
        known = {self._allowed.real(video.path): video for video in ready}
        listed = (_listed(path, known.get(path)) for path in paths)
        yield answers.Films(films=tuple(listed), whole=whole)

    def index(self, path: str, alive: Alive) -> Iterator[Progress | Visit | answers.Indexed]:
        """The once-per-video half."""
        film = self._allowed.film(path)
        already = self._agent.ready(film)
        for event in self._agent.stream_index(film, alive=alive):
            if isinstance(event, Video):
                yield answers.indexed(event, already)
            else:
                yield event

    def find(
        self, path: str, query: str, limit: int, alive: Alive
    ) -> Iterator[Progress | Visit | answers.Moments]:
        """Every moment that the query describes."""
        film = self._allowed.film(path)
        for event in self._agent.stream(film, query, alive=alive):
            if isinstance(event, RunReport):
                yield answers.moments(event, limit)
            else:
                yield event

    def search(self, query: str, limit: int, alive: Alive) -> Iterator[answers.Places]:
        """The nearest places of all films that are indexed and allowed."""
        wide, kept = limit, list[Hit]()
        while True:
            alive()
            hits = self._agent.search(query, wide)
            kept = [hit for hit in hits if self._allowed.has(hit.path)]
            if len(kept) >= limit or len(hits) < wide or wide >= WIDEST:
                break
            wide = min(4 * wide, WIDEST)  # films in other folders took the places
        yield answers.Places(places=tuple(map(_place, kept[:limit])))

    def pictures(
        self,
        path: str,
        times: Sequence[float] | None,
        moment: tuple[float | None, float | None],
        width: int,
        alive: Alive,
    ) -> Iterator[Taken]:
        """Pictures at these times, or some of a moment."""
        film, most = self._allowed.film(path), self._settings.mcp
        wanted = _wanted(times, moment, most.frames)
        video = probe(film, "", self._settings.video, alive)
        if not video.has_picture:
            raise VideoUnreadableError(f"{str(film)!r} has sound alone: there is nothing to show")
        late = max(wanted)
        if late > video.duration:
            raise QueryError(
                f"the film lasts {video.duration:.1f} s: there is nothing at {late:g} s"
            )
        wide = min(width, most.width, video.width)
        side = max(SMALLEST, round(wide * min(video.width, video.height) / video.width))
        images = stills(film, self._settings.video, wanted, side, alive)
        packed, sizes = _packed(images, side, most.picture_bytes)
        shown = [
            answers.Shown(time=time, width=across, height=down)
            for time, (across, down) in zip(wanted, sizes, strict=True)
        ]
        yield Taken(answers.Pictures(path=str(film), pictures=tuple(shown)), packed)


def _wanted(
    times: Sequence[float] | None, moment: tuple[float | None, float | None], most: int
) -> list[float]:
    start, end = moment
    if times and start is None and end is None:
        wanted = list(times)
    elif not times and start is not None and end is not None and start < end:
        number = min(INSIDE, most)
        wanted = [start + (end - start) * (index + 0.5) / number for index in range(number)]
    else:
        raise QueryError("give times, or start and a later end of a moment, in seconds")
    if len(wanted) > most:
        raise QueryError(f"{len(wanted)} pictures are too many at once: ask for {most} at most")
    if not all(math.isfinite(time) and time >= 0 for time in wanted):
        raise QueryError("times are seconds from the start of the film, 0 or more")
    return wanted


def _packed(
    images: Sequence[Image], side: int, most: int
) -> tuple[tuple[bytes, ...], list[tuple[int, int]]]:
    """All as JPEG, smaller where they would be too much together; and their (width, height)."""
    side = min([side, *(min(image.shape[:2]) for image in images)])
    while True:
        packed = tuple(jpeg(image, side) for image in images)
        total = sum(map(len, packed))
        if total <= most or side <= SMALLEST:
            return packed, [_size(image, side) for image in images]
        side = max(SMALLEST, int(side * SHRINK * math.sqrt(most / total)))


def _size(image: Image, side: int) -> tuple[int, int]:
    height, width = image.shape[:2]
    scale = min(1.0, side / min(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _listed(path: Path, known: Video | None) -> answers.Listed:
    duration = known.duration if known else None
    return answers.Listed(path=str(path), indexed=known is not None, duration=duration)


def _place(hit: Hit) -> answers.Place:
    told = hit.model_dump(include={"path", "kind", "cosine"})
    return answers.Place(**told, start=hit.span.start, end=hit.span.end)
