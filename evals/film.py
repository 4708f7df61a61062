"""Writing films for the benchmarks.

A tick is one picture and exactly the samples that are heard while it is shown. Sound and picture
are handed over together, so they cannot drift apart however long the film gets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""RGB, (height, width, 3)."""

Planes = NDArray[np.uint8]
"""I420, (3/2 height, width): brightness, then the two colours one after the other."""

Sound = NDArray[np.float32]
"""Mono samples in [-1, 1], (n,)."""


DELAY = 2
"""Pictures by which x264 hands them out later than they are shown, at most: pictures that refer to
later ones may be referred to themselves."""


class Packet(NamedTuple):
    """A picture as it is encoded."""

    data: bytes
    place: int
    """When it is shown, in ticks after the first that is encoded with it."""
    whole: bool
    """Whether it refers to no other."""


Reel = tuple[Packet, ...]
"""Pictures that are encoded together, the first of them whole; in the order of decoding."""


@dataclass(frozen=True)
class Form:
    """What a film is made of."""

    width: int = 640
    """Pixels; even."""
    height: int = 360
    """Pixels; even."""
    fps: Fraction = Fraction(25)
    """Pictures per second."""
    rate: int = 48_000
    """Samples per second."""
    crf: int = 23
    """Constant quality of x264: higher is smaller."""
    preset: str = "veryfast"
    """Effort of x264."""
    tune: str | None = None
    """What x264 tunes for, if anything: 'stillimage', 'film' …"""
    audio_bits: int = 64_000
    """Bits per second of sound."""
    audio_coder: str | None = None
    """How AAC searches, if not its own way: 'fast' takes half the time for a twentieth more."""


class FilmWriter:
    """Encodes ticks into an open container. Made by `write_film`.

    Pictures between two cuts are encoded together, and can be laid again as they are. All are
    encoded alike, so that what the file says of one holds for all.
    """

    def __init__(self, box: OutputContainer, form: Form) -> None:
        self.form = form
        self.ticks = 0
        self._last: tuple[Planes, av.VideoFrame] | None = None
        self._box = box
        self._tick, self._beat = 1 / form.fps, Fraction(1, form.rate)
        self._pace = form.rate / form.fps
        self._video = _video_stream(box, form)
        self._audio = _audio_stream(box, form)
        self._encoder: VideoCodecContext | None = None
        self._first = self._muxed = 0
        self._kept: list[Packet] | None = None

    @property
    def seconds(self) -> float:
        """How long the film is by now."""
        return float(self.ticks / self.form.fps)

    @property
    def samples(self) -> int:
        """How many samples have been written by now."""
        return self._heard(self.ticks)

    @property
    def due(self) -> int:
        """How many samples belong to the next picture."""
        return self._heard(self.ticks + 1) - self.samples

    def _heard(self, ticks: int) -> int:
        return ticks * self._pace.numerator // self._pace.denominator

    def write(self, picture: Picture | Planes, sound: Sound) -> None:
        """Add one tick: a picture of the film's size and exactly `due` samples."""
        if self._encoder is None:
            self._first, self._encoder = self.ticks, _encoder(self.form)
        frame = self._frame(picture)
        frame.pts, frame.time_base = self.ticks - self._first, self._tick
        self._sort(self._encoder.encode(frame))
        self._hear(sound)

    def cut(self, keep: bool = False) -> Reel:
        """What comes next is encoded by itself. What was, if it was to be kept.

        ``keep`` says whether what comes next is to be kept.
        """
        if self._encoder is not None:
            self._sort(self._encoder.encode(None))
        kept, self._kept = tuple(self._kept or ()), [] if keep else None
        self._encoder = None
        return kept

    def splice(self, reel: Reel, sounds: Iterable[Sound]) -> None:
        """Add pictures that are encoded already, each with exactly `due` samples, one by one."""
        self.cut()
        self._first = self.ticks
        for packet in reel:
            self._mux(packet)
        for sound in sounds:
            self._hear(sound)

    def _sort(self, packets: Iterable[av.Packet[Any]]) -> None:
        for each in packets:
            packet = Packet(bytes(each), each.pts or 0, each.is_keyframe)
            self._mux(packet)
            if self._kept is not None:
                self._kept.append(packet)

    def _mux(self, packet: Packet) -> None:
        made = av.Packet(packet.data)
        made.stream, made.time_base, made.duration = self._video, self._tick, 1
        made.pts, made.dts = self._first + packet.place, self._muxed - DELAY
        made.is_keyframe = packet.whole
        self._box.mux(made)
        self._muxed += 1

    def _hear(self, sound: Sound) -> None:
        if len(sound) != self.due:
            raise ValueError(f"{len(sound)} samples for a tick of {self.due}")
        heard = av.AudioFrame.from_ndarray(sound[None].astype(np.float32), "fltp", "mono")
        heard.sample_rate, heard.time_base = self.form.rate, self._beat
        heard.pts = self.samples
        self._box.mux(self._audio.encode(heard))
        self.ticks += 1

    def _frame(self, picture: Picture | Planes) -> av.VideoFrame:
        """For the encoder. Planes may not be copied: nobody may change them afterwards."""
        if picture.ndim == 3:
            return av.VideoFrame.from_ndarray(picture, format="rgb24")
        if self._last is None or self._last[0] is not picture:
            # A buffer is taken for whole rows of colours: right if the height has 4 as a factor.
            whole = picture.shape[0] % 6 == 0
            make = av.VideoFrame.from_numpy_buffer if whole else av.VideoFrame.from_ndarray
            self._last = picture, make(picture, format="yuv420p")
        return self._last[1]

    def flush(self) -> None:
        """Write what the encoders still hold."""
        self.cut()
        self._box.mux(self._audio.encode(None))


@contextmanager
def write_film(path: Path, form: Form) -> Iterator[FilmWriter]:
    """A writer for `path`, which appears only when the block ends well and is then complete."""
    part = path.with_name(f".{path.name}.part")
    try:
        with av.open(part, "w", format="mp4", options={"movflags": "+faststart"}) as box:
            writer = FilmWriter(box, form)
            box.start_encoding()  # its encoder is never asked, but says what the file is
            yield writer
            writer.flush()
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _video_stream(box: OutputContainer, form: Form) -> VideoStream:
    stream = box.add_stream("libx264", rate=form.fps)
    stream.width, stream.height, stream.pix_fmt = form.width, form.height, "yuv420p"
    stream.time_base, stream.options = 1 / form.fps, {**_options(form)}
    return stream


def _encoder(form: Form) -> VideoCodecContext:
    """One more like the stream's own."""
    made = av.CodecContext.create("libx264", "w")
    assert isinstance(made, VideoCodecContext)
    made.width, made.height, made.pix_fmt = form.width, form.height, "yuv420p"
    made.framerate, made.time_base = form.fps, 1 / form.fps
    made.options = _options(form)
    made.flags |= Flags.global_header
    return made


def _options(form: Form) -> dict[str, str]:
    # A fixed number of threads: x264's output depends on it.
    options = {"crf": str(form.crf), "preset": form.preset, "threads": "2"}
    return options if form.tune is None else {**options, "tune": form.tune}


def _audio_stream(box: OutputContainer, form: Form) -> AudioStream:
    stream = box.add_stream("aac", rate=form.rate, layout="mono")
    stream.bit_rate = form.audio_bits
    if form.audio_coder is not None:
        stream.options = {"aac_coder": form.audio_coder}
    return stream
