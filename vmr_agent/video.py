"""Media, opened only here. Time comes from timestamps, never from frame numbers.

    video = probe("talk.mp4", fingerprint, limits)  # raises if it is no film; milliseconds
    with Picture("talk.mp4", limits) as picture:
        for frame in picture.frames():
            look(frame.time, frame.rgb(short_side=260))
        picture.duration, picture.coverage
    for start, samples in sound("talk.mp4"):
        hear(start, samples)

Time zero is the first picture frame, for the sound too; without picture, the first sample.
Damage is skipped and counted. FFmpeg gets an open file and a list of formats: no URL, no playlist.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import av
import numpy as np
from av.container import InputContainer
from av.stream import Discard, Disposition
from numpy.typing import NDArray

from vmr_agent.errors import VideoTooLargeError, VideoUnreadableError
from vmr_agent.files import regular_file
from vmr_agent.settings import VideoSettings
from vmr_agent.timeline import LONGEST, Samples, Skips, Timeline, believed, blocks, laid
from vmr_agent.types import Video

_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,mxf,wav,mp3,aac,flac"
_GUARD = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
_PATIENCE = (60.0, 10.0)
"""Seconds that opening and one read may take; a file that lies about itself must not hang us."""
_RETRIES = 50
"""Failed reads in a row after which the rest is given up; until then each steps over damage."""
_AVERAGE = {"rematrix_maxval": "1"}
"""Mixes channels down by their mean; FFmpeg's own mix of equal channels to floats exceeds 1."""
_LIMITS = VideoSettings()
_DAMAGE = (av.FFmpegError, OSError, IndexError)
"""What broken media raises: OSError for a bad sector, IndexError for a stream turning up late."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture and its time. ``frame.rgb(short_side=260)`` makes an array of it.

    It holds one of the decoder's buffers: take the pixels and let it go, never collect frames.
    """

    time: float
    """Seconds from the start of the video."""
    picture: av.VideoFrame = field(repr=False)
    """As decoded, not yet turned upright."""
    length: float = 1 / 25
    """Seconds it says that it is shown; the next frame's time knows better."""

    @classmethod
    def of(cls, time: float, pixels: NDArray[np.uint8], length: float = 1 / 25) -> Frame:
        """A frame made from an RGB array ``(H, W, 3)``."""
        return cls(time, av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24"), length)

    def rgb(self, short_side: int | None = None) -> NDArray[np.uint8]:
        """Upright pixels ``(H, W, 3)``, shrunk to ``short_side``; aspect kept, never enlarged."""
        width, height = self.picture.width, self.picture.height
        scale = min(1.0, (short_side or math.inf) / min(width, height))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        try:
            small = self.picture.reformat(*size, "rgb24", interpolation="AREA", threads=1)
        except av.FFmpegError as error:
            kind = f"pixels of the kind {self.picture.format.name} cannot be converted"
            raise VideoUnreadableError(f"{kind}; encode the film as H.264 first") from error
        return np.ascontiguousarray(np.rot90(small.to_ndarray(), round(self.picture.rotation / 90)))


def probe(path: str | Path, fingerprint: Callable[[Path], str], limits: VideoSettings) -> Video:
    """What the file is, after decoding a frame and a stretch of sound to be sure."""
    path = Path(path).absolute()
    with _opened(path, limits) as container:
        film = _film(container, path, limits)
        seen = film and film.first()
        rate, duration = (film.stream.average_rate, film.promise()) if film and seen else (0, 0.0)
    with _opened(path, limits) as container:
        audio = _sound(container)
        heard = audio and audio.first()
        duration = audio.promise() if audio and heard and not seen else duration
    if not seen and not heard:
        raise VideoUnreadableError(f"{str(path)!r}: neither picture nor sound in it can be decoded")
    height, width = Frame(0.0, seen).rgb().shape[:2] if seen else (0, 0)
    return Video(
        path=str(path),
        fingerprint=fingerprint(path),
        duration=duration,
        fps=float(rate or 0),
        width=width,
        height=height,
        has_picture=bool(seen),
        has_audio=bool(heard),
    )


class Picture:
    """The picture of a film, decoded once from front to back."""

    duration: float = 0.0
    """Seconds: the end of the last frame handed out."""

    def __init__(self, path: str | Path, limits: VideoSettings = _LIMITS) -> None:
        self._path, self._limits = Path(path).absolute(), limits

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            container = stack.enter_context(_opened(self._path, self._limits))
            film = _film(container, self._path, self._limits)
            if film is None:
                raise VideoUnreadableError(f"{str(self._path)!r}: there is no picture in it")
            self._film, self._open = film, stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def frames(self) -> Iterator[Frame]:
        """Every frame that can be decoded, times strictly rising from 0. Can be had once."""
        spacing = 1 / float(self._film.stream.average_rate or 25)
        for time, picture in self._film.frames():
            length = float((picture.duration or 0) * (picture.time_base or 0))
            frame = Frame(time, picture, min(max(length or spacing, 0.001), LONGEST))
            self.duration = round(time + frame.length, 6)
            yield frame

    @property
    def lost(self) -> int:
        """Packets and frames that were broken, had no time or were out of order."""
        return self._film.line.met - self._film.line.kept

    @property
    def coverage(self) -> float:
        """Share of the film that was decoded; ask after the last frame.

        kept / (kept + lost), times duration / promise if the film ends more than 0.25 s before the
        header's promise. A promise of more than 48 hours is taken for damage and ignored.
        """
        return self._film.line.coverage(self.duration, self._film.promise())


def sound(
    path: str | Path, rate: int = 16_000, chunk: float = 600.0, limits: VideoSettings = _LIMITS
) -> Iterator[tuple[float, Samples]]:
    """(start in seconds, mono samples in [-1, 1]), blocks of ``chunk`` seconds save the last.

    Sample ``i`` of all blocks joined is heard at ``i / rate``: what is missing is silence, what
    lies before time zero is cut. A film without sound gives nothing.
    """
    path = Path(path).absolute()
    with _opened(path, limits) as container:
        film = _film(container, path, limits)
        zero = film.line.zero if film and film.first() else None
    with _opened(path, limits) as container:
        track, size = _sound(container, zero), max(1, round(chunk * rate))
        pieces = laid(_resampled(track, rate), rate) if track else ()
        for index, block in enumerate(blocks(pieces, size)):
            yield index * size / rate, block


@contextmanager
def _opened(path: Path, limits: VideoSettings) -> Iterator[InputContainer]:
    regular_file(path)
    _hush()
    guard = _GUARD | {"max_pixels": str(2 * limits.max_pixels)}
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            media = av.open(file, "r", None, guard, metadata_errors="replace", timeout=_PATIENCE)
            stack.enter_context(media)
        except _DAMAGE as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            what = f"cannot be opened ({reason}); is it a whole film?"
            raise VideoUnreadableError(f"{str(path)!r}: {what}") from error
        stack.callback(_hush)
        yield media


def _hush() -> None:
    """Take PyAV's log callback out, which others put in (torchvision does when imported).

    It takes the GIL in FFmpeg's threads; freeing a decoder waits for those, holding it: for ever.
    """
    av.logging.restore_default_callback()
    av.logging.set_libav_level(av.logging.PANIC)


def _film(container: InputContainer, path: Path, limits: VideoSettings) -> _Track | None:
    """The picture's track, None without one. What grows past twice the limit later on is lost."""
    stream = _pick(container.streams.video)
    if stream is None:
        return None
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > limits.max_pixels:
        size = f"{width}x{height} pixels are more than {limits.max_pixels}"
        raise VideoTooLargeError(f"{str(path)!r}: {size}; raise settings.video.max_pixels")
    stream.codec_context.options = {"max_pixels": str(2 * limits.max_pixels)}
    return _Track(container, stream)


def _sound(container: InputContainer, zero: float | None = None) -> _Track | None:
    stream = _pick(container.streams.audio)
    return stream and _Track(container, stream, zero)


def _pick(streams: Iterable[Any]) -> Any:
    """The default stream, else the first; cover art and unknown codecs do not count."""
    cover = Disposition.attached_pic
    usable = [each for each in streams if each.codec_context and not each.disposition & cover]
    preferred = [each for each in usable if each.disposition & Disposition.default]
    return next(iter(preferred or usable), None)


class _Track:
    """One stream of an open file, decoded packet by packet; what is damaged is stepped over."""

    def __init__(self, container: InputContainer, stream: Any, zero: float | None = None) -> None:
        self.skips = Skips(container.format.name, getattr(stream, "average_rate", None))
        for other in container.streams:
            other.discard = Discard.default if self.skips.rate or other is stream else Discard.all
        stream.thread_type = "AUTO"
        self.container, self.stream, self.line = container, stream, Timeline(zero)
        self.start = (container.start_time or 0) / av.time_base
        self.whole = believed((container.duration or 0) / av.time_base)
        self.own = believed((stream.duration or 0) * (stream.time_base or 0))

    def frames(self) -> Iterator[tuple[float, Any]]:
        """(seconds from time zero, frame), strictly rising."""
        return self.line.frames(self._decoded())

    def first(self) -> Any:
        """The first frame, None if nothing can be decoded."""
        return next((frame for _, frame in self.frames()), None)

    def promise(self) -> float:
        """Seconds from time zero that the header promises, 0 if nothing believable."""
        late = max(0.0, (self.line.zero or self.start) - self.start)
        return self.own or max(0.0, self.whole - late)

    def _decoded(self) -> Iterator[Any]:
        for packet in self._packets():
            try:
                frames = packet.decode()
            except _DAMAGE:
                self.line.met += 1
            else:
                yield from frames

    def _packets(self) -> Iterator[av.Packet[Any]]:
        failed = 0
        while failed < _RETRIES:
            try:
                for packet in self.container.demux():
                    mine = packet.stream is self.stream
                    self.line.met += failed + self.skips.before(packet, mine)
                    failed = 0
                    if mine and packet.size:
                        yield packet
                break
            except _DAMAGE:
                failed += 1
        rest: av.Packet[Any] = av.Packet()  # has the decoder give out what it still holds
        rest.stream, rest.time_base = self.stream, self.stream.time_base
        yield rest


def _resampled(track: _Track, rate: int) -> Iterator[tuple[float, Samples]]:
    """(seconds from time zero, mono samples), whatever form the sound has or changes to."""
    form: Any = None
    resampler, end = None, 0.0
    for time, frame in track.frames():
        if not 1_000 <= frame.sample_rate <= 768_000:
            continue  # Hz; no sound has such a rate, and its filter would be huge
        last, form = form, (frame.format.name, frame.layout.name, frame.sample_rate)
        if resampler is None or form != last:
            resampler = av.AudioResampler("flt", "mono", rate, options=_AVERAGE)
        try:
            yield time, _mono(resampler.resample(frame))
        except _DAMAGE:
            resampler = None
        end = time + frame.samples / frame.sample_rate
    if resampler:
        yield end, _mono(resampler.resample(None))


def _mono(frames: Iterable[Any]) -> Samples:
    parts = [frame.to_ndarray()[0] for frame in frames if frame]
    joined = np.concatenate(parts) if parts else np.empty(0, np.float32)
    return np.nan_to_num(joined, posinf=1.0, neginf=-1.0).clip(-1.0, 1.0)
