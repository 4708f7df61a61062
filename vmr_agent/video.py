"""Media, opened only here. Time comes from timestamps, never from frame numbers.

    video = probe("talk.mp4", limits)  # raises if it is no film; milliseconds
    with Picture("talk.mp4", limits) as picture:
        for frame in picture.frames():
            look(frame.time, frame.rgb(short_side=260))
        picture.duration, picture.coverage
    for start, samples in sound("talk.mp4"):
        hear(start, samples)

It runs in a process of its own: see ``decoder``, which serves films, and ``playback``, which asks.

Time zero is the first picture frame, for the sound too; without picture, the first sample.
Damage is skipped and counted. FFmpeg gets an open file and a list of formats: no URL, no playlist.
Where it takes long, ``alive`` is called for every packet that leads on in the file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import av
import numpy as np
from numpy.typing import NDArray

from vmr_agent.container import (
    DAMAGE,
    RATES,
    Alive,
    Track,
    film_track,
    nobody_waits,
    opened,
    sound_track,
)
from vmr_agent.errors import VideoUnreadableError
from vmr_agent.limits import VideoSettings
from vmr_agent.timeline import (
    AHEAD,
    HOLE,
    JOIN,
    LONGEST,
    Samples,
    believed,
    blocks,
    falls_short,
    laid,
)

if TYPE_CHECKING:
    from vmr_agent.types import Video

Hole = tuple[float, float]
_AVERAGE = {"rematrix_maxval": "1"}
"""Mixes channels down by their mean; FFmpeg's own mix of equal channels to floats exceeds 1."""
_LIMITS = VideoSettings()


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """One picture and its time. ``frame.rgb(short_side=260)`` makes an array of it.

    It holds one of the decoder's buffers: take the pixels and let it go, never collect frames.
    """

    time: float
    """Seconds from the start of the video."""
    picture: av.VideoFrame = field(repr=False)
    """As decoded, not yet turned upright."""
    length: float = 1 / 25
    """Seconds it says that it is shown; the next frame's time knows better."""
    met: int = 1
    """Frames and packets met since the one before: what exceeds 1 is lost."""
    dark: float = 0.0
    """Seconds right before it of which nothing is to be seen, because frames were lost."""

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


def probe(
    path: str | Path, fingerprint: str, limits: VideoSettings, alive: Alive = nobody_waits
) -> Video:
    """What the file is, after decoding a frame and a stretch of sound to be sure."""
    from vmr_agent.types import Video

    path = Path(path).absolute()
    with opened(path, limits) as container:
        film = film_track(container, path, limits, None, alive)
        seen = film and film.first()
        rate, duration = (film.stream.average_rate, film.promise()) if film and seen else (0, 0.0)
    with opened(path, limits) as container:
        audio = sound_track(container, None, alive)
        heard = audio and audio.first()
        duration = audio.promise() if audio and heard and not seen else duration
    if not seen and not heard:
        raise VideoUnreadableError(f"{str(path)!r}: neither picture nor sound in it can be decoded")
    height, width = Decoded(0.0, seen).rgb().shape[:2] if seen else (0, 0)
    starts = [track.line.zero for track in (film, audio) if track and track.line.zero is not None]
    return Video(
        path=str(path),
        fingerprint=fingerprint,
        duration=duration,
        offset=starts[0],
        lead=max(0.0, starts[0] - starts[-1]),
        fps=float(rate or 0),
        width=width,
        height=height,
        has_picture=bool(seen),
        has_audio=bool(heard),
    )


class Picture:
    """The picture of a film, decoded once from front to back, or from ``since`` seconds on."""

    duration: float = 0.0
    """Seconds: the end of the last frame handed out."""
    _told: int = 0

    def __init__(
        self,
        path: str | Path,
        limits: VideoSettings = _LIMITS,
        since: float = 0.0,
        alive: Alive = nobody_waits,
    ) -> None:
        self._path, self._limits, self._since = Path(path).absolute(), limits, since
        self._alive = alive

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            part = self._since > 0 or self._limits.frames != "all"
            zero = beginning(self._path, self._limits, self._alive) if part else None
            container = stack.enter_context(opened(self._path, self._limits))
            film = film_track(container, self._path, self._limits, zero, self._alive)
            if film is None:
                raise VideoUnreadableError(f"{str(self._path)!r}: there is no picture in it")
            film.skip(self._limits.frames, self._since)
            self._film, self._open = film, stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def frames(self) -> Iterator[Decoded]:
        """Every frame that can be decoded, times strictly rising. Can be had once.

        The first is the last one before ``since``, which may still be on show then. Begun in the
        middle they are the same frames as from the front: decoding starts at an earlier key frame.
        """
        spacing = 1 / float(self._film.stream.average_rate or 25)
        calm = ahead = 1 if self._limits.frames == "key" else AHEAD
        before: Decoded | None = None
        for time, picture in self._film.frames():
            length = float((picture.duration or 0) * (picture.time_base or 0))
            length = min(max(length or spacing, 0.001), LONGEST)
            met = self._film.line.told - self._told
            self._told = self._film.line.told
            calm = 0 if met > 1 else calm + 1  # frames since the last loss
            gap = time - self.duration
            dark = gap if self.duration and gap > HOLE and calm < ahead else 0.0
            self.duration = round(time + length, 6)
            frame = Decoded(time, picture, length, met, dark)
            if time < self._since:
                before = frame
                continue
            if before is not None:
                yield before
                before = None
            yield frame
        if before is not None:
            yield before
        if self._limits.frames != "all":
            # The film goes on behind the last frame that was not skipped.
            self.duration = max(self.duration, believed(round(self._film.reach, 6)))

    @property
    def trailing(self) -> int:
        """Frames and packets met since the last frame handed out."""
        return self._film.line.met - self._told

    @property
    def promise(self) -> float:
        """Seconds that the header promises, 0 if that is nothing or more than 48 hours."""
        return self._film.promise()


def sound(
    path: str | Path,
    rate: int = 16_000,
    chunk: float = 600.0,
    limits: VideoSettings = _LIMITS,
    alive: Alive = nobody_waits,
    holes: list[Hole] | None = None,
) -> Iterator[tuple[float, Samples]]:
    """(start in seconds, mono samples in [-1, 1]), blocks of ``chunk`` seconds save the last.

    Sample ``i`` of all blocks joined is heard at ``i / rate``: what is missing is silence, what
    lies before time zero is cut. A film without sound gives nothing. Where something was lost is
    put into ``holes`` before the block that it begins in comes, or behind the last.
    """
    path, holes = Path(path).absolute(), [] if holes is None else holes
    zero = beginning(path, limits, alive)
    with opened(path, limits) as container:
        track, size = sound_track(container, zero, alive), max(1, round(chunk * rate))
        pieces = laid(heard(track, rate, holes), rate) if track else ()
        for index, block in enumerate(blocks(pieces, size)):
            yield index * size / rate, block


def beginning(path: Path, limits: VideoSettings, alive: Alive) -> float | None:
    """The file's own time of the first picture; None without picture."""
    with opened(path, limits) as container:
        film = film_track(container, path, limits, None, alive)
        return film.line.zero if film and film.first() else None


def heard(
    track: Track, rate: int, holes: list[Hole], layout: str = "mono"
) -> Iterator[tuple[float, Samples]]:
    """(seconds from time zero, samples), whatever form the sound has or changes to.

    Mono samples are (N,), those of other layouts (N, channels).
    """
    form: Any = None
    resampler, end = None, 0.0
    for time, frame in _whole(track, holes):
        if frame.sample_rate not in range(*RATES):
            continue
        last, form = form, (frame.format.name, frame.layout.name, frame.sample_rate)
        if resampler is None or form != last:
            resampler = av.AudioResampler("flt", layout, rate, options=_AVERAGE)
        try:
            yield time, _joined(resampler.resample(frame))
        except DAMAGE:
            resampler = None
        end = time + frame.samples / frame.sample_rate
    if resampler:
        yield end, _joined(resampler.resample(None))


def _whole(track: Track, holes: list[Hole]) -> Iterator[tuple[float, Any]]:
    """The track's frames; where some between two were lost, or behind the last, is a hole."""
    line, told, end, promise = track.line, 0, math.inf, 0.0
    for time, frame in track.frames():
        if time > end + JOIN and (line.told > told + 1 or not track.pauses):
            holes.append((end, time))
        promise = promise or track.until(time)
        told, length = line.told, frame.samples / max(1, frame.sample_rate)
        end = round(max(0.0, time + length), 6)
        yield time, frame
    # Some headers only guess: where nothing was lost, they are not believed.
    if line.kept < line.met and falls_short(end, promise):
        holes.append((end, promise))


def _joined(frames: Iterable[Any]) -> Samples:
    parts = [_samples(frame) for frame in frames if frame]
    joined = np.concatenate(parts) if parts else np.empty(0, np.float32)
    return np.nan_to_num(joined, posinf=1.0, neginf=-1.0).clip(-1.0, 1.0)


def _samples(frame: Any) -> Samples:
    told: Samples = frame.to_ndarray()[0]
    return told if frame.layout.nb_channels == 1 else told.reshape(-1, frame.layout.nb_channels)
