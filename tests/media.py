"""Makes small films whose pictures, cuts, times and sounds are known exactly."""

from __future__ import annotations

import random
import struct
import wave
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

from vmr_agent.video import sound

FPS = 25
SIZE = (96, 64)
TICKS = Fraction(1, 1000)
COLOURS = ((200, 30, 30), (30, 160, 40), (40, 60, 210), (220, 210, 60), (120, 120, 120))
Sound = NDArray[np.float32]
LONG: dict[str, Any] = {"frames": 250, "cuts": (60, 130, 190)}


def picture(shot: int, step: int = 0, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """The shot's colour, a white bar that moves at every step, the top left corner black."""
    width, height = size
    pixels = np.full((height, width, 3), COLOURS[shot % len(COLOURS)], np.uint8)
    left = step * 2 % (width - 8)
    pixels[height // 2 : height // 2 + 8, left : left + 8] = 255
    pixels[: height // 4, : width // 4] = 0
    return pixels


def tone(seconds: float, *beeps: float, rate: int = 48_000) -> Sound:
    """Silence with 50 ms of 1 kHz at each of ``beeps``."""
    samples = np.zeros(round(seconds * rate), np.float32)
    beep = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(round(0.05 * rate)) / rate)
    for start in beeps:
        at = round(start * rate)
        samples[at : at + len(beep)] = beep[: max(0, len(samples) - at)]
    return samples


def humming(seconds: float, *beeps: float) -> Sound:
    """The same with a low hum, so that every second of it takes as many bytes."""
    hum = 0.02 * np.sin(np.arange(round(seconds * 48_000)) / 30)
    return tone(seconds, *beeps) + hum.astype(np.float32)


def beeps(samples: Sound, rate: int = 16_000) -> list[float]:
    """Where in the samples beeps begin, in seconds."""
    loud = np.flatnonzero(np.abs(samples) > 0.15) / rate
    return [float(at) for at in loud[np.diff(loud, prepend=-1.0) > 0.02]]


def film(
    path: Path,
    *,
    frames: int = 50,
    cuts: Sequence[int] = (),
    times: Sequence[float] | None = None,
    size: tuple[int, int] = SIZE,
    codec: str = "libx264",
    sound: Sequence[tuple[float, Sound]] = (),
    sound_codec: str = "aac",
    cover: bool = False,
    pictures: int = 1,
    encoder: Mapping[str, str] | None = None,
    **options: str,
) -> Path:
    """``frames`` frames at ``times`` (25 a second unless given), a new shot at each of ``cuts``,
    and ``sound``: pieces, each with the second at which it starts. ``encoder`` is told to the
    picture's encoder; ``options`` go to the muxer."""
    with av.open(str(path), "w", options=options) as out:
        videos = [_video(out, codec, size, encoder) for _ in range(pictures if frames else 0)]
        heard = out.add_stream(sound_codec, rate=48_000, layout="mono") if sound else None
        if cover:
            _cover(out)
        for index in range(frames):
            time = times[index] if times else index / FPS
            for number, video in enumerate(videos):
                shot = number + sum(index >= cut for cut in cuts)
                out.mux(video.encode(_frame(picture(shot, index, size), time)))
        for video in videos:
            out.mux(video.encode(None))
        if heard:
            _hear(out, heard, sound)
    return path


BOTH_WAYS = {"g": "24", "bf": "3", "b_strategy": "0"}
"""Frames that refer to later ones, as most films have."""
OPEN = "open-gop=1:keyint=24:min-keyint=24:bframes=3:b-adapt=0:scenecut=0"
TOLD_LARGE = {"size": (320, 240), "encoder": BOTH_WAYS}
UNEVEN = [
    *(i / 25 for i in range(75)),
    *(3 + i / 10 for i in range(30)),
    *(7 + i / 50 for i in range(145)),
]
"""Times of 250 frames: 25 a second, then 10, and after a pause of a second 50."""

KINDS: dict[str, Callable[[Path], Path]] = {
    "both ways": lambda to: film(to / "a.mp4", **LONG, encoder=BOTH_WAYS),
    "open groups": lambda to: film(to / "a.mkv", **LONG, encoder={"g": "24", "x264-params": OPEN}),
    "open hevc": lambda to: film(
        to / "a.mp4", **LONG, codec="libx265", encoder={"x265-params": f"log-level=none:{OPEN}"}
    ),
    "broadcast": lambda to: film(
        to / "a.ts", **LONG, codec="mpeg2video", sound_codec="mp2", encoder={"g": "15", "bf": "2"}
    ),
    "uneven": lambda to: film(to / "a.mkv", **LONG, times=UNEVEN, encoder=BOTH_WAYS),
    "avi": lambda to: film(to / "a.avi", **LONG, encoder=BOTH_WAYS),
    "one key frame": lambda to: film(
        to / "a.mp4", **LONG, encoder={"g": "9999", "x264-params": "scenecut=0"}
    ),
    "starting late": lambda to: film(
        to / "a.ts", **LONG, times=[500 + i / 25 for i in range(250)], encoder=BOTH_WAYS
    ),
    "damaged mp4": lambda to: damaged(
        film(to / "a.mp4", **LONG, **TOLD_LARGE, movflags="faststart"), 0.4, 0.7
    ),
    "damaged mkv": lambda to: damaged(film(to / "a.mkv", **LONG, **TOLD_LARGE), 0.2, 0.6),
    "damaged ts": lambda to: damaged(
        film(to / "a.ts", **LONG, **TOLD_LARGE, codec="mpeg2video"), 0.2, 0.6
    ),
}
"""Films of ten seconds and some cuts that are hard to enter in the middle."""


def silent(source: Path, path: Path, seconds: float) -> Path:
    """The first seconds of the source's picture, packet by packet, without its sound."""
    with av.open(str(source)) as film, av.open(str(path), "w") as out:
        stream = out.add_stream_from_template(film.streams.video[0])
        for packet in film.demux(film.streams.video[0]):
            if packet.dts is not None and packet.pts * packet.time_base < seconds:
                packet.stream = stream
                out.mux(packet)
    return path


def sounding(source: Path, path: Path, seconds: float) -> Path:
    """The source's picture, packet by packet, with a low hum to it."""
    hum = 0.01 * np.sin(np.arange(round(seconds * 8000)) / 20)
    with av.open(str(source)) as film, av.open(str(path), "w") as out:
        stream = out.add_stream_from_template(film.streams.video[0])
        sound = out.add_stream("flac", rate=8000, layout="mono")
        for packet in film.demux(film.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
        for at in range(0, len(hum), 4096):
            part = (hum[None, at : at + 4096] * 32_767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(part, "s16", "mono")
            frame.sample_rate, frame.time_base, frame.pts = 8000, Fraction(1, 8000), at
            out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
    return path


def spoken(source: Path, path: Path, start: float, end: float) -> Path:
    """What is heard in the source between two seconds, as a WAV file."""
    heard = np.concatenate([samples for _, samples in sound(source)])[
        round(start * 16_000) : round(end * 16_000)
    ]
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 16_000, 0, "NONE", ""))
        out.writeframes((heard * 32_767).astype("<i2").tobytes())
    return path


def resized(path: Path, *sizes: tuple[int, int], shots: Sequence[int] = ()) -> Path:
    """An MPEG-TS film whose picture changes its size every ten frames, or 50 if it has shots."""
    part = 50 if shots else 10
    with av.open(str(path), "w", format="mpegts") as out:
        stream = _video(out, "libx264", sizes[0])
        for number, size in enumerate(sizes):
            encoder = av.CodecContext.create("libx264", "w")
            encoder.width, encoder.height, encoder.pix_fmt = *size, "yuv420p"
            encoder.time_base = TICKS
            numbers = range(number * part, (number + 1) * part)
            seen = [(sum(n >= cut for cut in shots), n) for n in numbers]
            stills = [_frame(picture(shot, n % part, size), n / FPS) for shot, n in seen]
            for still in [*stills, None]:
                for packet in encoder.encode(still):
                    packet.stream, packet.time_base = stream, TICKS
                    out.mux(packet)
    return path


def turned(path: Path) -> Path:
    """The mp4 film's header says: turn it a quarter clockwise, as telephones do."""
    data = bytearray(path.read_bytes())
    upright = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    at = data.index(upright, data.index(b"tkhd"))
    data[at : at + 36] = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def promising(path: Path, seconds: float) -> Path:
    """The mkv film's header says that it lasts ``seconds``, and no tag says anything else."""
    data = bytearray(path.read_bytes().replace(b"DURATION", b"DURATIOX"))
    at = data.index(b"\x44\x89\x88") + 3
    data[at : at + 8] = struct.pack(">d", seconds * 1000)
    path.write_bytes(data)
    return path


def mistimed(path: Path, number: int) -> Path:
    """One bit of a number in the mkv or mp4 film is wrong: a stretch of it is hours too late.

    Of an mkv film whose clock begins at 100 s, or of one in fragments, the stretch with a number.
    """
    data, at = bytearray(path.read_bytes()), -1
    mark, step = (b"\xe7\x83", 2) if path.suffix == ".mkv" else (b"tfdt\1\0\0\0", 12)
    for _ in range(number + 1):
        at = data.index(mark, at + 1)
    data[at + step] |= 0x80 if path.suffix == ".mkv" else 0x10
    path.write_bytes(data)
    return path


def cut_short(path: Path, share: float) -> Path:
    """Only the first ``share`` of the file's bytes."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def damaged(path: Path, start: float, end: float, seed: int = 1) -> Path:
    """Noise in place of the bytes between two shares of the file."""
    data = bytearray(path.read_bytes())
    first, last = int(len(data) * start), int(len(data) * end)
    data[first:last] = random.Random(seed).randbytes(last - first)
    path.write_bytes(data)
    return path


def mutant(data: bytes, seed: int) -> bytes:
    """The bytes with some flipped, some removed, or the end gone; always the same for a seed."""
    dice, out = random.Random(seed), bytearray(data)
    for _ in range(dice.choice((1, 4, 16, 64))):
        out[dice.randrange(len(out))] = dice.randrange(256)
    if dice.random() < 0.3:
        at = dice.randrange(len(out))
        del out[at : at + dice.randrange(1, 2000)]
    return bytes(out[: dice.randrange(1, len(out))] if dice.random() < 0.2 else out)


def _video(
    out: Any, codec: str, size: tuple[int, int], encoder: Mapping[str, str] | None = None
) -> Any:
    stream = out.add_stream(codec, rate=FPS, options={"g": "12", **(encoder or {})})
    stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
    stream.codec_context.time_base = Fraction(1, FPS) if codec.startswith("mpeg") else TICKS
    return stream


def _frame(pixels: NDArray[np.uint8], time: float) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
    frame.pts, frame.time_base = round(time / TICKS), TICKS
    return frame


def _cover(out: Any) -> None:
    stream = out.add_stream("mjpeg", rate=FPS)
    stream.width, stream.height, stream.pix_fmt = 64, 64, "yuvj420p"
    stream.disposition = Disposition.attached_pic
    still = _frame(picture(0, 0, (64, 64)), 0).reformat(format="yuvj420p")
    out.mux(stream.encode(still) + stream.encode(None))


def _hear(out: Any, stream: Any, sound: Sequence[tuple[float, Sound]]) -> None:
    size = stream.codec_context.frame_size or 1024
    for start, samples in sound:
        for at in range(0, len(samples), size):
            part = np.ascontiguousarray(samples[None, at : at + size])
            frame = av.AudioFrame.from_ndarray(part, "fltp", "mono")
            frame.sample_rate, frame.time_base = 48_000, Fraction(1, 48_000)
            frame.pts = round(start * 48_000) + at
            out.mux(stream.encode(frame))
    out.mux(stream.encode(None))


def as_rgb(planes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture of the encoder's own colours, as `evals.planes` has it, as RGB (H, W, 3)."""
    return np.asarray(cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420), np.uint8)
