"""Parts of clips that are encoded already, kept for the next time that they are shown."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field

from evals.film import Reel

ROOM = 256 << 20
"""Bytes that are kept: more than an hour of film."""


@dataclass
class Reels:
    """What is known of one clip, or a part of one, in one look."""

    ticks: int | None = None
    """How long it is; None until it was read to its end."""
    parts: dict[int, Reel] = field(default_factory=dict)
    """By the tick at which they begin."""
    size: int = 0
    """Bytes."""

    def keep(self, tick: int, reel: Reel) -> None:
        """What is shown from a tick on."""
        self.parts[tick] = reel
        self.size += sum(len(packet.data) for packet in reel)


class Shelf:
    """Reels by what they show, those that were asked for last if there is no room for all."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._kept: OrderedDict[Hashable, Reels] = OrderedDict()

    def of(self, what: Hashable) -> Reels:
        """What is known of it, to be added to."""
        used = sum(reels.size for reels in self._kept.values())
        while used > self._room:
            used -= self._kept.popitem(last=False)[1].size
        found = self._kept.setdefault(what, Reels())
        self._kept.move_to_end(what)
        return found
