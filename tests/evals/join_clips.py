"""Clips of every kind, made on the spot: colours to see and tones to hear."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np

RED, GREEN, BLUE = (200, 30, 30), (30, 200, 30), (30, 30, 200)
Colour = tuple[int, int, int]


def make_clip(
    path: Path,
    colours: Sequence[Colour],
    times: Sequence[float],
    *,
    size: tuple[int, int] = (160, 90),
    codec: str = "libx264",
    tone: Callable[[np.ndarray], np.ndarray] | None = None,
    layout: str = "mono",
    turned: int = 0,
) -> None:
    """One picture of each colour at its time, the last time being the end, and a 440 Hz tone."""
    rate = 48_000
    with av.open(path, "w") as box:
        video = box.add_stream(codec, rate=Fraction(50))
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        if turned:
            video.set_display_rotation(turned)
        name = "libopus" if path.suffix == ".webm" else "aac"
        audio = box.add_stream(name, rate=rate, layout=layout) if tone else None
        for colour, (start, end) in zip(colours, pairwise(times), strict=True):
            picture = np.full((size[1], size[0], 3), colour, np.uint8)
            picture[: size[1] // 4] //= 4  # the top is dark, so that a turn can be told
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = round(start * 1000), Fraction(1, 1000)
            frame.duration = round((end - start) * 1000)
            box.mux(video.encode(frame))
        box.mux(video.encode(None))
        if audio is not None and tone is not None:
            at = np.arange(round(times[-1] * rate)) / rate
            wave = (np.sin(2 * np.pi * 440 * at) * tone(at)).astype(np.float32)
            wave = np.tile(wave, (2 if layout == "stereo" else 1, 1))
            heard = av.AudioFrame.from_ndarray(wave, "fltp", layout)
            heard.sample_rate, heard.pts = rate, 0
            box.mux(audio.encode(heard))
            box.mux(audio.encode(None))


def steady(at: np.ndarray) -> np.ndarray:
    return np.full_like(at, 0.5)


def beep(at: np.ndarray) -> np.ndarray:
    return 0.5 * ((at >= 0.4) & (at < 0.6))


def even(n: int, rate: float) -> list[float]:
    return [i / rate for i in range(n + 1)]


def fill(here: Path) -> None:
    """Put clips of every kind in a folder: rates, shapes, containers, with and without sound."""
    make_clip(here / "red.mp4", [RED] * 25, even(25, 25), tone=steady)
    make_clip(here / "tall.mkv", [GREEN] * 36, even(36, 30), size=(46, 82))
    make_clip(
        here / "uneven.webm",
        [RED, GREEN, BLUE],
        [0, 0.1, 0.9, 1.0],
        size=(100, 100),
        codec="libvpx",
        tone=steady,
        layout="stereo",
    )
    flash = [(255, 255, 255) if 0.4 <= t < 0.6 else (0, 0, 0) for t in even(29, 30)]
    make_clip(here / "flash.mp4", flash, even(30, 30), tone=beep)
    make_clip(here / "turned.mp4", [BLUE] * 10, even(10, 20), turned=90)
    with av.open(here / "speech.flac", "w") as box:
        stream = box.add_stream("flac", rate=16_000, layout="mono")
        said = np.full((1, 24_000), 9_000, np.int16) * np.sign(np.sin(np.arange(24_000) / 9))
        frame = av.AudioFrame.from_ndarray(said.astype(np.int16), "s16", "mono")
        frame.sample_rate, frame.pts = 16_000, 0
        box.mux(stream.encode(frame))
        box.mux(stream.encode(None))
    names = ("red.mp4", "tall.mkv", "uneven.webm", "flash.mp4", "turned.mp4")
    listed = [{"file": name, "queries": [f"it is {name}"]} for name in names]
    listed.append({"file": "speech.flac", "queries": ["a buzz (spoken)"]})
    (here / "clips.json").write_text(json.dumps(listed))
