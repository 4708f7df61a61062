"""Clips of films of every rate, kind of file and kind of picture: the right ones, sound in step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import media
import numpy as np
import pytest
from test_cut import clip, heard, known, same, shown

from vmr_agent.export.timecode import NTSC

SECONDS, BEEP = 6, 3.0


class Kind(NamedTuple):
    """How a film is made."""

    name: str = "a.mp4"
    rate: Fraction = Fraction(25)
    codec: str = "libx264"
    voice: str = "aac"
    pixels: str = "yuv420p"
    size: tuple[int, int] = media.SIZE
    options: dict[str, str] = media.BOTH_WAYS
    aspect: Fraction | None = None
    colour: tuple[int, int, int] | None = None
    """Numbers of FFmpeg's for primaries, transfer and matrix."""
    since: float = 0.0
    """Second at which its times begin."""


RATES = (24 * NTSC, Fraction(24), Fraction(25), 30 * NTSC, Fraction(30), Fraction(50), 60 * NTSC,
         Fraction(60))  # fmt: skip
HDR = (9, 16, 9)
VP9 = {"g": "24", "cpu-used": "8", "deadline": "realtime"}
PLAIN = {"g": "24", "bf": "0", "qscale": "2", "b": "2M"}
KINDS = {
    **{f"{float(rate):.5g} a second": Kind(rate=rate) for rate in RATES},
    "matroska": Kind("a.mkv"),
    "quicktime": Kind("a.mov"),
    "webm": Kind("a.webm", codec="libvpx-vp9", voice="libopus", options=VP9),
    "avi": Kind("a.avi", codec="mpeg4", voice="mp3", options=PLAIN),
    "broadcast": Kind("a.ts", codec="mpeg2video", voice="mp2", options={**PLAIN, "bf": "2"}),
    "begins at an hour": Kind("a.ts", since=3600.0),
    "odd size": Kind("a.webm", codec="libvpx-vp9", voice="libopus", options=VP9, size=(97, 65)),
    "wide pixels": Kind(aspect=Fraction(4, 3)),
    "ten bits": Kind("a.mkv", codec="libx265", pixels="yuv420p10le", colour=HDR,
                     options={"x265-params": "log-level=none:keyint=24:bframes=3"}),
    "all colours": Kind("a.mkv", pixels="yuv444p"),
    "full range": Kind("a.mkv", pixels="yuvj420p"),
    "red, green, blue": Kind("a.mkv", codec="libx264rgb", pixels="rgb24", options={"g": "24"}),
    "high definition": Kind(colour=(1, 1, 1)),
}  # fmt: skip
FAST = ("29.97 a second", "begins at an hour", "odd size", "ten bits", "wide pixels")
GRID = [
    pytest.param(name, id=name, marks=() if name in FAST else pytest.mark.slow) for name in KINDS
]


def made(folder: Path, kind: Kind) -> Path:
    """Six seconds, with a beep at three."""
    path, tick = folder / kind.name, 1 / kind.rate
    with av.open(str(path), "w") as box:
        video: Any = box.add_stream(kind.codec, rate=kind.rate, options=kind.options)
        video.width, video.height, video.pix_fmt = *kind.size, kind.pixels
        video.codec_context.time_base = tick
        if kind.aspect:
            video.codec_context.sample_aspect_ratio = kind.aspect
        if kind.colour:
            context = video.codec_context
            context.color_primaries, context.color_trc, context.colorspace = kind.colour
        voice: Any = box.add_stream(kind.voice, rate=48_000, layout="mono")
        late = round(kind.since * kind.rate)
        for number in range(round(SECONDS * kind.rate)):
            pixels = media.picture(number * 3 // round(SECONDS * kind.rate), number, kind.size)
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts, frame.time_base = late + number, tick
            box.mux(video.encode(frame))
        box.mux(video.encode(None))
        for packet in spoken(voice, kind.since):
            box.mux(packet)
    return path


def spoken(voice: Any, since: float) -> Iterator[Any]:
    samples, size = media.humming(SECONDS, BEEP), voice.codec_context.frame_size or 1024
    resampler = av.AudioResampler(voice.codec_context.format, "mono", 48_000)
    for at in range(0, len(samples), size):
        part = np.ascontiguousarray(samples[None, at : at + size])
        frame = av.AudioFrame.from_ndarray(part, "fltp", "mono")
        frame.sample_rate, frame.time_base = 48_000, Fraction(1, 48_000)
        frame.pts = round(since * 48_000) + at
        for each in resampler.resample(frame):
            yield from voice.encode(each)
    yield from voice.encode(None)


def suffix(kind: Kind) -> str:
    return ".mkv" if kind.name.endswith((".avi", ".webm")) else Path(kind.name).suffix


@pytest.mark.parametrize("name", GRID)
def test_exact_to_the_frame(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    path = made(tmp_path, kind)
    times, whole = shown(path)
    first, behind = round(1.4 * kind.rate) + 1, round(4.3 * kind.rate)
    start, end = (each - times[0] for each in (times[first], times[behind]))
    out = clip(path, start, end, "c.mp4", exact=True)
    assert (out.span.start, out.span.end) == pytest.approx((start, end), abs=0.001)
    found, pictures = shown(Path(out.path))
    assert len(pictures) == behind - first
    wanted = [each - times[first] for each in times[first:behind]]
    assert found == pytest.approx(wanted, abs=0.0015)
    assert in_colour(Path(out.path), 5) == pytest.approx(in_colour(path, first + 5), abs=4)
    height, width = pictures[0].shape
    assert (width, height) == tuple(side // 2 * 2 for side in kind.size)
    assert same(pictures, [each[:height, :width] for each in whole], first)
    in_step(path, Path(out.path), start, 1 / float(kind.rate))
    lasts = known(Path(out.path)).duration
    assert lasts == pytest.approx(end - start, abs=0.002)


@pytest.mark.parametrize("name", GRID)
def test_packets_as_they_are(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    path = made(tmp_path, kind)
    times, whole = shown(path)
    start, end = 1.5, 4.3
    out = clip(path, start, end, f"c{suffix(kind)}")
    assert out.span.start <= start
    assert out.early < 1.05 * 24 / float(kind.rate)
    found, pictures = shown(Path(out.path))
    first = min(range(len(times)), key=lambda n: abs(times[n] - times[0] - out.span.start))
    assert times[first] - times[0] == pytest.approx(out.span.start, abs=0.001)
    # Behind the end there may be some that others refer to, with gaps between them.
    inside = sum(each - found[0] < end - out.span.start - 0.001 for each in found)
    assert inside == math.ceil((end - out.span.start) * kind.rate - 0.05)
    for at, picture in enumerate(pictures[:inside]):
        assert (picture == whole[first + at]).all(), at
    assert found[-1] - found[0] >= end - out.span.start - 1.5 / float(kind.rate)
    in_step(path, Path(out.path), out.span.start, 1 / float(kind.rate))


def in_colour(path: Path, number: int) -> Any:
    """The mean red, green and blue of a picture's background, as a player makes them."""
    with av.open(str(path)) as box:
        frame = next(each for n, each in enumerate(box.decode(video=0)) if n == number)
        return frame.to_ndarray(format="rgb24")[-8:].mean(axis=(0, 1))


def in_step(path: Path, out: Path, start: float, frame: float) -> None:
    """The beep is as long after the first picture as it was, to a frame."""
    (was,), (now,) = (heard(each)[1] for each in (path, out))
    before, after = shown(path)[0][0], shown(out)[0][0]
    assert now - after == pytest.approx(was - before - start, abs=min(frame, 0.025))


def test_what_is_told_of_the_picture_goes_with_it(tmp_path: Path) -> None:
    for name, exact in (("wide pixels", False), ("wide pixels", True), ("ten bits", True)):
        out = clip(made(tmp_path, KINDS[name]), 1, 2, f"c{exact}.mkv", exact)
        with av.open(out.path) as box:
            context: Any = box.streams.video[0].codec_context
            if name == "wide pixels":
                assert context.sample_aspect_ratio == Fraction(4, 3)
            else:
                told = (context.color_primaries, context.color_trc, context.colorspace)
                assert (context.pix_fmt, told) == ("yuv420p", HDR)


@pytest.mark.parametrize("exact", [False, True], ids=["packets", "exact"])
def test_a_moment_at_the_very_end(exact: bool, tmp_path: Path) -> None:
    path = made(tmp_path, Kind())
    times, whole = shown(path)
    out = clip(path, times[-1] - 0.01, times[-1] + 0.04, "c.mp4", exact)
    pictures = shown(Path(out.path))[1]
    assert same(pictures[-1:], [*whole, whole[0], whole[0], whole[0]], len(whole) - 1)
    assert not exact or len(pictures) == 1
