"""Clocks that are set anew on the way, or wrong for a while: packets of one stream put right."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

from vmr_agent.timeline import MOST_HELD, REORDERED, Packet

SET_BACK = 1.0
"""Seconds that a clock goes back at least if it was set."""
AGREED = 8
"""Packets in a row from which a clock is believed."""
UNTOLD = 64
"""Packets without a time for which a clock that was set back is not waited for any longer."""
LEAP = 1.0
"""Seconds ahead from which on a clock is looked at more closely."""
SURE = 60.0
"""Seconds that it goes on from there until it is believed: what a file gives one number to, and
so can shift by mistake, is shorter."""
MOST_WAITING = 10_000
"""Packets held until then at most."""

P = TypeVar("P", bound=Packet)


def unwound(packets: Iterable[tuple[int, P]]) -> Iterator[tuple[int, P]]:
    """Packets of one stream, each with what was lost before it, by a clock that is never set back.

    Recordings put end to end begin their clock anew: each stream then goes on where it was. A
    clock is believed when ``AGREED`` packets in a row say the same; what fewer say, ahead or back,
    is left to be found wrong.
    """
    shift, step, usual, ahead = 0, 0, 0, AGREED
    last: int | None = None
    back: list[tuple[int, P]] = []
    for lost, packet in packets:
        back.append((lost, packet))
        _put_on(packet, shift)
        if packet.dts is None:
            if not 1 < len(back) < UNTOLD:
                yield from back
                back = []
            continue
        last = packet.dts if last is None else last
        if (last - packet.dts) * packet.time_base > SET_BACK:
            if sum(each.dts is not None for _, each in back) < AGREED:
                continue
            first = back[0][1].dts or 0
            if ahead < AGREED and first > usual:  # it is not set back, it had been wrong
                last = usual
            else:
                for _, each in back:
                    _put_on(each, last + step - first)
                shift += last + step - first
        leapt = (packet.dts - last) * packet.time_base > SET_BACK
        usual, ahead = (last, 1) if leapt else (usual, ahead + 1)
        for number, each in back:
            if each.dts is not None:
                step, last = max(1, each.dts - last), max(last, each.dts)
            yield number, each
        back = []
    yield from back  # the decoder is emptied with the last of them


def _put_on(packet: Packet, ticks: int) -> None:
    packet.dts = None if packet.dts is None else packet.dts + ticks
    packet.pts = None if packet.pts is None else packet.pts + ticks


class Header(NamedTuple):
    """Seconds, by the file's clock, that a film lasts as far as its header can be trusted."""

    least: float = 0.0
    """What leaps to a place before that may do so."""
    most: float = float("inf")
    """What leaps to a place behind that is wrong."""


def settled(
    packets: Iterable[tuple[int, P]], second: int, header: Header
) -> Iterator[tuple[int, P]]:
    """The packets of a stream of ``second`` ticks a second; what leapt by mistake has no time.

    One wrong number in a file may shift a stretch of it by hours. What leaps ahead is held until it
    has gone on like that for a while, as it does behind a gap, or until the clock has gone back,
    and on from where it was before.
    """
    coming, again = iter(packets), deque[tuple[int, P]]()
    leap: _Leap[P] | None = None
    last = -1
    while True:
        item = again.popleft() if again else next(coming, None)
        if leap is None:
            if item is None:
                return
            now = item[1].pts
            if now is None or now <= last + second * LEAP:
                last = last if now is None else max(last, now)
                yield item
                continue
            leap = _Leap(last, now, second)
        right = leap.ended(header) if item is None else leap.add(item)
        if right is None:
            continue
        if right:
            last = leap.first
            yield leap.held[0]
        again.extendleft(reversed(leap.held[1:] if right else leap.timeless()))
        leap = None


class _Leap(Generic[P]):
    """Packets from one on that leapt ahead, while nobody knows whether its clock is right."""

    def __init__(self, last: int, first: int, second: int) -> None:
        self.held: list[tuple[int, P]] = []
        self.first = first
        self._before, self._second, self._latest = last, second, first
        self._size = self._gone = self._agree = self._against = 0

    def add(self, item: tuple[int, P]) -> bool | None:
        """Hold one more; whether the leap was right, None while that is open."""
        self.held.append(item)
        self._size += item[1].size
        now = item[1].pts
        if now is not None and now >= self.first:
            self._agree, self._against = self._agree + 1, 0
            self._gone += min(self._second, max(0, now - self._latest))
            self._latest = max(self._latest, now)
        elif now is not None and now > self._before:
            self._against += 1
        if self._against > REORDERED:
            return False
        long = self._gone >= SURE * self._second and self._agree >= AGREED
        return True if long or self._size > MOST_HELD or len(self.held) > MOST_WAITING else None

    def ended(self, header: Header) -> bool:
        """Whether it was right, as far as can be said where the film has ended."""
        near = max(header.least * self._second, self._before + SURE * self._second)
        many = self._agree > REORDERED and self._latest <= header.most * self._second
        return self._before < 0 or self._latest <= near or many

    def timeless(self) -> list[tuple[int, P]]:
        """All that is held, without the times that are wrong.

        What refers to it needs it decoded; each of its frames then counts as lost, and nothing
        before it, which was reckoned from its time.
        """
        found = []
        for lost, packet in self.held:
            wrong = packet.pts is not None and packet.pts >= self.first
            packet.pts = None if wrong else packet.pts
            found.append((0 if wrong else lost, packet))
        return found
