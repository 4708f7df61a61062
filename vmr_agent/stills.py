"""Which pictures a clip shows, and when: pure, so that it can be tried on any times."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any, NamedTuple, Protocol

FINE = 1e-6
"""Seconds by which floats may miss what is halfway between two pictures."""

MOST = 0.05
"""Seconds by which a boundary is moved at most."""


class Shown(Protocol):
    """A picture of a film: ``video.Decoded``."""

    @property
    def time(self) -> float:
        """Seconds from the start of the film."""

    @property
    def length(self) -> float:
        """Seconds that it says that it is shown."""

    @property
    def picture(self) -> Any:
        """As decoded."""


class Still(NamedTuple):
    """A picture of a clip."""

    time: float
    """Seconds from the start of the film."""
    length: float
    """Seconds for which it is shown."""
    picture: Any


class Stills:
    """The pictures of a film between two seconds, each for as long as it is shown there.

    A boundary that is half a picture or less from one of the film's is moved to that, by 50 ms at
    most: nobody wants a flash of what was before. Of a picture that stands longer a part is shown.
    ``begin`` is known at once, ``end`` when all have been had. Raises LookupError where there is no
    picture any more.
    """

    def __init__(self, frames: Iterator[Shown], start: float, end: float) -> None:
        first, second = next(frames, None), next(frames, None)
        if first is None or (second is None and first.time + first.length <= start):
            raise LookupError
        half = _half(second.time - first.time if second else first.length)
        if second is not None and second.time - start <= half:
            first, second = second, next(frames, None)
        near = abs(first.time - start) <= half
        self.begin = first.time if near else max(start, first.time)
        self.end, self.first = end, first
        self._rest = chain([second] if second is not None else (), frames)

    def __iter__(self) -> Iterator[Still]:
        now, begin, over = self.first, self.begin, self.end
        for after in self._rest:
            half = _half(after.time - now.time)
            if after.time >= over - half:
                over = after.time if after.time <= over + half else over
                break
            yield Still(begin, after.time - begin, now.picture)
            now, begin = after, after.time
        else:
            # Nobody knows how long the last one stands but itself.
            ends, half = now.time + now.length, _half(now.length)
            over = ends if ends <= over + half else over
        self.end = max(over, begin + half)
        yield Still(begin, self.end - begin, now.picture)


def _half(picture: float) -> float:
    return min(picture / 2, MOST) + FINE
