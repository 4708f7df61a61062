"""Times that lie, put right: frames in order, sound without holes. Pure; ``video`` is the user."""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

LONGEST = 48 * 3600.0
"""Seconds; no film is longer, so a later timestamp or a longer promise is damage."""
SLACK = 0.25
"""Seconds by which a film may end before its header says, since headers round."""
SILENT = ("matroska,webm", "flv", "mpegts")
"""FFmpeg's readers that step over damage without a word."""
HOLE = 0.5
"""Seconds without a frame above which frames are missing."""
REORDERED = 16
"""Frames that a codec may hold back, so that packets seem to leap; no codec holds more."""
AHEAD = 2 * REORDERED + 1
"""Frames that are still to come when a loss behind them is met: reordered, and in threads."""
LATE = 60.0
"""Seconds by which no packet is late: it is those before that had a wrong clock."""
SKIPPED = 1024
"""Bytes between two packets that no header explains."""
MOST_HELD = 64_000_000
"""Bytes of packets kept at most until it is known what to do with them."""
JOIN = 0.1
"""Seconds by which sound may stray from its timestamps before silence is put in."""


class Stamped(Protocol):
    """A decoded frame of picture or sound."""

    @property
    def time(self) -> float | None:
        """Seconds by the file's own clock, None if the file does not say."""

    @property
    def is_corrupt(self) -> bool:
        """Whether the decoder made parts of it up."""


class Packet(Protocol):
    """A piece of the file."""

    dts: int | None
    """When it is decoded, in ticks: rising."""
    pts: int | None
    """When it is seen or heard, in ticks."""

    @property
    def pos(self) -> int | None:
        """First byte, shared by pieces in one box."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def time_base(self) -> Fraction:
        """Seconds in a tick."""


F = TypeVar("F", bound=Stamped)


class Timeline:
    """The frames of one stream whose times can be believed, and a count of the others."""

    def __init__(self, zero: float | None = None) -> None:
        self.zero = zero
        """The file's own time at which ours starts; that of the first frame unless given."""
        self.met = 0
        """Frames and packets met, broken ones included."""
        self.kept = 0
        """Frames handed on."""
        self.told = 0
        """Frames and packets met up to the frame that was handed on last."""
        self._earliest = 0.0 if zero is None else -LONGEST

    def frames(self, decoded: Iterable[F]) -> Iterator[tuple[float, F]]:
        """(seconds from time zero, frame), strictly rising.

        Each is held until the next is known: of two out of order the one that leapt ahead goes, so
        that one wild timestamp costs one frame and not the rest of the film.
        """
        last, met = -math.inf, 0
        held: tuple[float, F] | None = None
        for item in self._timed(decoded):
            if held is not None and item[0] > held[0]:
                self.kept, self.told = self.kept + 1, met
                last, met = held[0], self.met
                yield held
                held = item
            elif item[0] > last:
                held, met = item, self.met
        if held is not None:
            self.kept, self.told = self.kept + 1, met
            yield held

    def _timed(self, decoded: Iterable[F]) -> Iterator[tuple[float, F]]:
        now = None
        for frame in decoded:
            self.met += frame.time is None or frame.time != now
            if frame.time is None:
                continue
            now = frame.time
            self.zero = now if self.zero is None else self.zero
            if not frame.is_corrupt and self._earliest <= now - self.zero <= LONGEST:
                yield round(now - self.zero, 6), frame


class Skips:
    """Finds what a reader left out without a word to get past damage.

    A pause alone proves nothing, a film of slides has many: bytes must be missing with it. Only
    broadcasts, which stuff their bytes but never pause, are judged by the pause.
    """

    def __init__(self, reader: str, rate: Fraction | int | None) -> None:
        self.rate = float(rate) if rate and reader in SILENT else 0.0
        """Frames per second; 0 for a reader that tells of damage itself."""
        self._never_pauses = reader == "mpegts"
        self._end = 0
        self._left_out = False
        self._last: float | None = None

    def before(self, packet: Packet, mine: bool) -> int:
        """Frames left out before a packet of the stream. Show it every packet, in file order."""
        if not self.rate or packet.pos is None:
            return 0
        self._left_out |= packet.pos - self._end > SKIPPED
        self._end = packet.size + max(packet.pos, self._end)
        return self._missing(packet) if mine and packet.pts is not None else 0

    def _missing(self, packet: Packet) -> int:
        time = float((packet.pts or 0) * packet.time_base)
        last = time if self._last is None else self._last
        pause, left_out = time - last, self._left_out or self._never_pauses
        self._last, self._left_out = time if pause < -LATE else max(time, last), False
        frames = pause * self.rate - 1
        return round(frames) if left_out and pause > HOLE and frames > REORDERED else 0


class Succession:
    """When pictures are shown of which AVI does not say so: one after the other, as packets are."""

    def __init__(self) -> None:
        self._began: int | None = None
        self._shift: int | None = None
        self._latest = self._step = 0

    def begin(self, dts: int) -> None:
        """The first packet comes at ``dts`` ticks; of later ones nothing is noted."""
        self._began = dts if self._began is None else self._began

    def place(self, dts: int | None) -> int:
        """Ticks at which the next frame is shown.

        Its ``dts`` rises from frame to frame, but begins anywhere; the last few have none.
        """
        if dts is None:
            now = self._latest + self._step
        else:
            self._shift = dts - (self._began or 0) if self._shift is None else self._shift
            now = dts - self._shift
        self._step, self._latest = now - self._latest, now
        return now


class Runup:
    """The latest packets, back to the last key frame but one: where decoding may set in."""

    def __init__(self) -> None:
        self._runs: deque[list[tuple[int, Any]]] = deque([[]], maxlen=2)
        self._sizes: deque[int] = deque([0], maxlen=2)

    @property
    def full(self) -> bool:
        """Whether more is held than memory should be spent on: a film with hardly a key frame."""
        return sum(self._sizes) > MOST_HELD

    def add(self, lost: int, packet: Any) -> None:
        """One more packet, in file order, and how many were lost right before it."""
        if packet.is_keyframe and packet.pts is not None:  # of another nobody knows where it is
            self._runs.append([])
            self._sizes.append(0)
        self._runs[-1].append((lost, packet))
        self._sizes[-1] += packet.size

    def packets(self) -> list[tuple[int, Any]]:
        """Those to decode first."""
        return [each for run in self._runs for each in run]


def falls_short(end: float, promise: float) -> bool:
    """Whether a film ends before its header says, by more than headers round."""
    return end < promise - SLACK


def coverage(kept: int, met: int, end: float, promise: float) -> float:
    """Share of the film that was kept, in [0, 1].

    kept / met, times end / promise if the film fell short of what its header promised.
    """
    reach = end / promise if falls_short(end, promise) else 1.0
    return reach * kept / max(1, met)


def believed(seconds: Fraction | float) -> float:
    """What a header says of a length, 0 if that cannot be."""
    return float(seconds) if 0 < seconds <= LONGEST else 0.0


def spelt(told: str) -> float:
    """Seconds of "00:01:23.456", as Matroska says where a track ends; 0 of anything else."""
    found = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", told)
    if not found:
        return 0.0
    hours, minutes, seconds = map(float, found.groups())
    return 3600 * hours + 60 * minutes + seconds


def laid(pieces: Iterable[tuple[float, Samples]], rate: int) -> Iterator[Samples]:
    """Pieces of sound, each with the time of its first sample, laid end to end from time zero.

    Holes become silence; what lies before zero or was heard already is cut. A piece that fits to
    within ``JOIN`` follows on directly.
    """
    length = 0
    for time, samples in pieces:
        hole = round(time * rate) - length
        if length and abs(hole) <= JOIN * rate:
            hole = 0
        while hole > 0:
            silence = np.zeros((min(rate, hole), *samples.shape[1:]), np.float32)
            hole, length = hole - len(silence), length + len(silence)
            yield silence
        rest = samples[-hole:]
        length += len(rest)
        yield rest


def blocks(pieces: Iterable[Samples], size: int) -> Iterator[Samples]:
    """The pieces joined and cut anew into blocks of ``size``; only the last may be shorter."""
    block, filled = np.empty(size, np.float32), 0
    for piece in pieces:
        while len(piece):
            part, piece = piece[: size - filled], piece[size - filled :]
            block[filled : filled + len(part)] = part
            filled += len(part)
            if filled == size:
                yield block
                block, filled = np.empty(size, np.float32), 0
    if filled:
        yield block[:filled]
