"""Small whole films of many kinds, for ``evals.mutants`` to break."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream

SECONDS = 3
FPS, SIZE = 25, (96, 64)
RATE, CHUNK = 48_000, 1024
_CODING = {"g": "12", "x264-params": "mbtree=0"}
"""A key frame every half second; and x264's look ahead is not the same every time."""
_SAME = {"fflags": "bitexact"}
"""Has the muxer put in no date and no random number, so that a film is the same every time."""


@dataclass(frozen=True)
class Seed:
    """A kind of file that people have; a stream without a codec is left out."""

    name: str
    picture: str = ""
    sound: str = ""
    options: dict[str, str] = field(default_factory=dict)
    """For the muxer."""


SEEDS = (
    Seed("behind.mp4", "libx264", "aac"),
    Seed("front.mp4", "libx264", "aac", {"movflags": "faststart"}),
    Seed("pieces.mp4", "mpeg4", "aac", {"movflags": "frag_keyframe+empty_moov"}),
    Seed("film.mov", "mjpeg", "aac"),
    Seed("film.mkv", "libx264", "flac"),
    Seed("film.webm", "libvpx", "libopus"),
    Seed("film.ts", "libx264", "aac"),
    Seed("film.mpg", "mpeg2video", "mp2"),
    Seed("film.avi", "mpeg4", "libmp3lame"),
    Seed("film.flv", "flv", "aac"),
    Seed("sound.ogg", "", "libopus"),
    Seed("sound.mp3", "", "libmp3lame"),
)


def whole(seed: Seed) -> bytes:
    """Three seconds of moving colours and a tone, as a file of this kind."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / seed.name
        with av.open(str(path), "w", options=_SAME | seed.options) as out:
            picture = _shown(out, seed.picture) if seed.picture else None
            sound = _heard(out, seed.sound) if seed.sound else None
            if picture:
                for image in [*_pictures(str(picture.pix_fmt)), None]:
                    out.mux(picture.encode(image))
            if sound:
                for samples in [*_sounds(), None]:
                    out.mux(sound.encode(samples))
        return path.read_bytes()


def _shown(out: OutputContainer, codec: str) -> VideoStream:
    stream = out.add_stream(codec, rate=FPS, options=_CODING)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = SIZE
    stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    return stream


def _heard(out: OutputContainer, codec: str) -> AudioStream:
    stream = out.add_stream(codec, rate=RATE, layout="stereo")
    assert isinstance(stream, AudioStream)
    return stream


def _pictures(pixels: str) -> Iterator[av.VideoFrame]:
    """In the encoder's own pixels: converting them would not give the same bits every time."""
    width, height = SIZE
    for number in range(FPS * SECONDS):
        planes = np.full((height * 3 // 2, width), 60 + number // FPS * 60, np.uint8)
        planes[height:] = 128 + number // FPS * 40
        planes[20:30, number : number + 10] = 230
        frame = av.VideoFrame.from_ndarray(planes, pixels)
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        yield frame


def _sounds() -> Iterator[av.AudioFrame]:
    wave = (np.sin(np.arange(RATE * SECONDS) / 20) / 3).astype(np.float32)
    for at in range(0, len(wave), CHUNK):
        frame = av.AudioFrame.from_ndarray(np.tile(wave[at : at + CHUNK], (2, 1)), "fltp", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
        yield frame
