"""Writing films for the benchmarks.

A tick is one picture and exactly the samples that are heard while it is shown. Sound and picture
are handed over together, so they cannot drift apart however long the film gets.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""RGB, (height, width, 3)."""

Sound = NDArray[np.float32]
"""Mono samples in [-1, 1], (n,)."""


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


class FilmWriter:
    """Encodes ticks into an open container. Made by `write_film`."""

    def __init__(self, box: OutputContainer, form: Form) -> None:
        self.form = form
        self.ticks = 0
        self._box = box
        self._video = _video_stream(box, form)
        self._audio = _audio_stream(box, form)

    @property
    def seconds(self) -> float:
        """How long the film is by now."""
        return float(self.ticks / self.form.fps)

    @property
    def samples(self) -> int:
        """How many samples have been written by now."""
        return int(self.ticks * self.form.rate / self.form.fps)

    @property
    def due(self) -> int:
        """How many samples belong to the next picture."""
        return int((self.ticks + 1) * self.form.rate / self.form.fps) - self.samples

    def write(self, picture: Picture, sound: Sound) -> None:
        """Add one tick: a picture of the film's size and exactly `due` samples."""
        if len(sound) != self.due:
            raise ValueError(f"{len(sound)} samples for a tick of {self.due}")
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = self.ticks, 1 / self.form.fps
        heard = av.AudioFrame.from_ndarray(sound[None].astype(np.float32), "fltp", "mono")
        heard.sample_rate, heard.time_base = self.form.rate, Fraction(1, self.form.rate)
        heard.pts = self.samples
        self._box.mux(self._video.encode(frame))
        self._box.mux(self._audio.encode(heard))
        self.ticks += 1

    def flush(self) -> None:
        """Write what the encoders still hold."""
        self._box.mux(self._video.encode(None))
        self._box.mux(self._audio.encode(None))


@contextmanager
def write_film(path: Path, form: Form) -> Iterator[FilmWriter]:
    """A writer for `path`, which appears only when the block ends well and is then complete."""
    part = path.with_name(f".{path.name}.part")
    try:
        with av.open(part, "w", format="mp4", options={"movflags": "+faststart"}) as box:
            writer = FilmWriter(box, form)
            yield writer
            writer.flush()
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _video_stream(box: OutputContainer, form: Form) -> VideoStream:
    stream = box.add_stream("libx264", rate=form.fps)
    stream.width, stream.height, stream.pix_fmt = form.width, form.height, "yuv420p"
    stream.time_base = 1 / form.fps
    # A fixed number of threads: x264's output depends on it.
    stream.options = {"crf": str(form.crf), "preset": form.preset, "threads": "2"}
    if form.tune is not None:
        stream.options |= {"tune": form.tune}
    return stream


def _audio_stream(box: OutputContainer, form: Form) -> AudioStream:
    stream = box.add_stream("aac", rate=form.rate, layout="mono")
    stream.bit_rate = form.audio_bits
    return stream
