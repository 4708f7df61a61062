"""Files opened and their streams decoded packet by packet: what ``video`` stands on.

FFmpeg gets an open file and a list of formats: no URL, no playlist. Damage is stepped over.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.stream import Discard, Disposition

from vmr_agent.clocks import SURE, Header, settled, unwound
from vmr_agent.errors import VideoTooLargeError, VideoUnreadableError
from vmr_agent.files import regular_file
from vmr_agent.limits import VideoSettings
from vmr_agent.timeline import SLACK, Runup, Skips, Succession, Timeline, believed, spelt

Alive = Callable[[], None]
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,mxf,wav,mp3,aac,flac"
GUARD = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
PATIENCE = (60.0, 10.0)
"""Seconds that opening and one read may take; a file that lies about itself must not hang us."""
RETRIES = 50
"""Failed reads in a row after which the rest is given up; until then each steps over damage."""
RATES = (1_000, 768_001)
"""Samples per second that sound may have; others are damage, and their filters would be huge."""
DAMAGE = (av.FFmpegError, OSError, IndexError)
"""What broken media raises: OSError for a bad sector, IndexError for a stream turning up late."""
ROUGH = {"skip_loop_filter": "noref"}
"""Blocks are smoothed where a later frame refers to them; elsewhere nobody sees it once shrunk."""
BROADCASTS = ("mpegts", "mpeg")
"""FFmpeg's readers of what was recorded, or put together, with a clock that may be set anew."""
EAGER = ("av1", "vp9")
"""Codecs whose decoders cannot be told to leave frames out."""
UNTOLD = ("matroska,webm", "flv", "asf")
"""FFmpeg's readers to which the length of a stream is that of the file."""
UNBROKEN = ("ogg", "flac", "mp3", "aac")
"""FFmpeg's readers of files in which sound never pauses."""
SKIPPED = {"all": "DEFAULT", "reference": "NONREF", "key": "NONKEY"}
"""FFmpeg's words for the frames that are not decoded."""
THREADS = 16
"""Of one decoder at most, as FFmpeg itself would have it: each holds frames of its own, and all of
them have to do with the memory of one process."""
PIECES = 50
"""Packets of sound in a second, more or less."""


def nobody_waits() -> None:
    """Nobody wants to know whether the work gets on."""


@contextmanager
def opened(path: Path, limits: VideoSettings) -> Iterator[InputContainer]:
    """The file, open. Raises VideoNotFoundError or VideoUnreadableError."""
    regular_file(path)
    hush()
    guard = GUARD | {"max_pixels": str(2 * limits.max_pixels), **ROUGH}
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            media = av.open(file, "r", None, guard, metadata_errors="replace", timeout=PATIENCE)
            stack.enter_context(media)
        except DAMAGE as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            what = f"cannot be opened ({reason}); is it a whole film?"
            raise VideoUnreadableError(f"{str(path)!r}: {what}") from error
        stack.callback(hush)
        yield media


def hush() -> None:
    """Take PyAV's log callback out, which others put in (torchvision does when imported).

    It takes the GIL in FFmpeg's threads; freeing a decoder waits for those, holding it: for ever.
    """
    av.logging.restore_default_callback()
    av.logging.set_libav_level(av.logging.PANIC)


def film_track(
    container: InputContainer,
    path: Path,
    limits: VideoSettings,
    zero: float | None = None,
    alive: Alive = nobody_waits,
) -> Track | None:
    """The picture's track, None without one. What grows past twice the limit later on is lost."""
    stream = _pick(container.streams.video)
    if stream is None:
        return None
    width, height = stream.codec_context.width, stream.codec_context.height
    if not width * height:  # FFmpeg forgets the size of what exceeds its own limit
        width, height = _unguarded_size(path)
    if width * height > limits.max_pixels:
        size = f"{width}x{height} pixels are more than {limits.max_pixels}"
        raise VideoTooLargeError(f"{str(path)!r}: {size}; raise settings.video.max_pixels")
    stream.codec_context.options = {"max_pixels": str(2 * limits.max_pixels), **ROUGH}
    return Track(container, stream, zero, alive)


def _unguarded_size(path: Path) -> tuple[int, int]:
    """Pixels that the picture says it has, whatever they are."""
    try:
        with path.open("rb") as file, av.open(file, "r", None, GUARD, timeout=PATIENCE) as media:
            stream = _pick(media.streams.video)
            return stream.codec_context.width, stream.codec_context.height
    except DAMAGE:
        return 0, 0


def sound_track(
    container: InputContainer, zero: float | None = None, alive: Alive = nobody_waits
) -> Track | None:
    """The sound's track, None without one; ``zero`` is where the picture starts."""
    rates = range(*RATES)
    known = (each for each in container.streams.audio if each.codec_context)
    stream = _pick(each for each in known if each.sample_rate in rates)
    return stream and Track(container, stream, zero, alive)


def _pick(streams: Iterable[Any]) -> Any:
    """The default stream, else the first; cover art and unknown codecs do not count."""
    cover = Disposition.attached_pic
    usable = [each for each in streams if each.codec_context and not each.disposition & cover]
    preferred = [each for each in usable if each.disposition & Disposition.default]
    return next(iter(preferred or usable), None)


class Track:
    """One stream of an open file, decoded packet by packet; what is damaged is stepped over."""

    def __init__(
        self, container: InputContainer, stream: Any, zero: float | None, alive: Alive
    ) -> None:
        reader = container.format.name
        pieces = PIECES if reader in UNTOLD else None  # of others only the one stream is read
        self.skips = Skips(reader, getattr(stream, "average_rate", pieces))
        for other in container.streams:
            seen = self.skips.rate or reader in UNTOLD or other is stream
            other.discard = Discard.default if seen else Discard.all
        stream.thread_type = "AUTO"
        # Half the cores, as every part of the front half: on two, a second thread costs a tenth.
        stream.codec_context.thread_count = min(THREADS, max(1, (os.cpu_count() or 1) // 2))
        self.container, self.stream, self.line = container, stream, Timeline(zero)
        self.since, self._last, self._alone = 0.0, 0.0, False
        self._furthest, self._place, self._alive = 0.0, 0, alive
        self._ticks: dict[int, float] = {}  # seconds, by stream
        self._resets = reader in BROADCASTS
        self._untimed = reader == "avi" and stream.type == "video"
        self._succession, self.pauses = Succession(), reader not in UNBROKEN
        self._spacing = 1 / float(getattr(stream, "average_rate", None) or 25)
        self.start = (container.start_time or 0) / av.time_base
        self.whole = believed((container.duration or 0) / av.time_base)
        own = 0 if reader in UNTOLD else (stream.duration or 0) * (stream.time_base or 0)
        self.own, self.end = believed(own), believed(spelt(stream.metadata.get("DURATION", "")))

    def skip(self, frames: str, since: float) -> None:
        """Decode only such frames, and none long before ``since`` seconds."""
        whole = self._untimed and frames == "reference"  # only all of them say which is when
        self.stream.codec_context.skip_frame = SKIPPED["all" if whole else frames]
        self.since, self._alone = since, frames == "key"

    @property
    def reach(self) -> float:
        """Seconds from time zero to the end of the last packet met."""
        return self._last - (self.line.zero or 0.0)

    def frames(self) -> Iterator[tuple[float, Any]]:
        """(seconds from time zero, frame), strictly rising."""
        return self.line.frames(self._decoded())

    def first(self) -> Any:
        """The first frame, None if nothing can be decoded."""
        return next((frame for _, frame in self.frames()), None)

    def promise(self) -> float:
        """Seconds from time zero that the header promises, 0 if nothing believable."""
        zero = self.line.zero or self.start
        if self.end:
            return max(0.0, self.end - zero)
        if self.own:
            return self.own
        if self._furthest > self.start + self.whole - SLACK:
            return 0.0  # the file is all there: the sound may go on where the picture ends
        return max(0.0, self.whole - max(0.0, zero - self.start))

    def until(self, first: float) -> float:
        """Where the track ends as its own header says, if it begins at ``first``; 0 if unknown."""
        return self.end - (self.line.zero or 0.0) if self.end else self.own and first + self.own

    def _decoded(self) -> Iterator[Any]:
        for lost, packet in self.wanted():
            self.line.met += lost
            try:
                frames = self._by_itself(packet) if self._alone else packet.decode()
            except DAMAGE:
                self.line.met += 1
            else:
                yield from self._placed(frames, packet) if self._untimed else frames

    def _placed(self, frames: Iterable[Any], packet: av.Packet[Any]) -> Iterator[Any]:
        self._succession.begin(packet.dts or 0)
        for frame in frames:
            frame.pts = packet.dts if self._alone else self._succession.place(frame.dts)
            yield frame

    def _by_itself(self, packet: av.Packet[Any]) -> list[Any]:
        """A key frame decoded as if there was no other.

        Decoders put key frames of open groups in the wrong order when all between is left out.
        """
        if not packet.is_keyframe:  # gives nothing, unless it is damaged
            return [] if self.stream.codec.canonical_name in EAGER else packet.decode()
        try:
            return [*packet.decode(), *self._rest().decode()]
        finally:
            self.stream.codec_context.flush_buffers()

    def wanted(self) -> Iterator[tuple[int, av.Packet[Any]]]:
        """Packets from the last key frame but one before ``since`` on, and what was lost before."""
        packets, run = self._steady(), Runup()
        for lost, packet in packets:
            if not self.since or self.time(packet) >= self.since or run.full:
                yield from (*run.packets(), (lost, packet))
                break
            run.add(lost, packet)
        else:
            yield from run.packets()
        yield from packets

    def time(self, packet: av.Packet[Any]) -> float:
        """Seconds from time zero; minus infinity if the packet does not say."""
        if packet.pts is None:
            return -math.inf
        return float(packet.pts * packet.time_base) - (self.line.zero or 0.0)

    def _steady(self) -> Iterator[tuple[int, av.Packet[Any]]]:
        """The packets, of broadcasts by a clock that goes on where theirs was set back."""
        packets = unwound(self._packets()) if self._resets else self._packets()
        second = max(1, round(1 / (self.stream.time_base or 1)))
        for lost, packet in settled(packets, second, self._header()):
            if packet.pts is not None:
                self._last = max(self._last, self._end(packet))
            yield lost, packet

    def _header(self) -> Header:
        """How long the film is; of broadcasts nobody knows, for they have no header."""
        if self._resets:
            return Header()
        told = SURE + self.start + max(self.end, self.own, self.whole)
        return Header(told, told if self.end else math.inf)

    def _end(self, packet: av.Packet[Any]) -> float:
        # Of every packet: fractions would take a twentieth of all decoding.
        tick = self._ticks.get(packet.stream_index) or float(packet.time_base)
        self._ticks[packet.stream_index] = tick
        return (packet.pts or 0) * tick + ((packet.duration or 0) * tick or self._spacing)

    def _packets(self) -> Iterator[tuple[int, av.Packet[Any]]]:
        failed, lost = 0, 0
        while failed < RETRIES:
            try:
                for packet in self.container.demux():
                    mine = packet.stream is self.stream
                    lost += failed + self.skips.before(packet, mine)
                    failed = 0
                    if packet.size:
                        self._got_on(packet)
                    if mine and packet.size:
                        yield lost, packet
                        lost = 0
                break
            except DAMAGE:
                failed += 1
        yield lost, self._rest()

    def _got_on(self, packet: av.Packet[Any]) -> None:
        """Give a sign of life, unless no packet led on: a reader may run in circles."""
        end = self._end(packet) if packet.pts is not None else 0.0
        place = packet.pos or 0
        if end > self._furthest or place > self._place:
            self._furthest, self._place = max(self._furthest, end), max(self._place, place)
            self._alive()

    def _rest(self) -> av.Packet[Any]:
        """Has the decoder give out what it still holds."""
        rest: av.Packet[Any] = av.Packet()
        rest.stream, rest.time_base = self.stream, self.stream.time_base
        return rest
