"""Clips of a film, decoded and encoded anew: H.264 and AAC, right to the frame.

Pictures keep their times, however uneven, and are turned upright; the first is the one on show at
the start. Sound is cut to the sample. Both are read by ``video``'s clock, and so stay together.
"""

from __future__ import annotations

import heapq
import math
import os
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
import av.filter
import numpy as np
from av.codec.codec import UnknownCodecError
from av.container import OutputContainer
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace

from vmr_agent.container import THREADS, Alive, Track, nobody_waits
from vmr_agent.cutter import (
    MUXERS,
    OPTIONS,
    Cut,
    Watch,
    nobody_looks,
    nothing,
    refused,
    tracked,
)
from vmr_agent.limits import VideoSettings
from vmr_agent.stills import Stills
from vmr_agent.timeline import Samples, laid
from vmr_agent.video import Picture, heard

ENCODERS = {"libx264": "H.264", "libopenh264": "H.264", "mpeg4": "MPEG-4"}
"""The first that this build of FFmpeg has is taken."""
X264 = {"crf": "18", "preset": "veryfast"}
"""Hardly anybody sees a difference; some times as fast as the film runs."""
RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
"""Samples a second that AAC knows."""
LAYOUTS = ("mono", "stereo", "5.1")
"""Of others two channels are made."""
BITS = 96_000
"""Bits a second of one channel."""
RUNUP = 0.5
"""Seconds of sound decoded before a clip: what a decoder needs to be in full voice."""
RANGES = ("limited", "full")
"""FFmpeg's words for colours that leave the ends of a byte free, and for those that do not."""
FINE = Fraction(1, 1000)
"""Seconds to which times of pictures are kept at least."""
TURNS: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    (("transpose", "cclock"),),
    (("hflip", ""), ("vflip", "")),
    (("transpose", "clock"),),
)
"""FFmpeg's filters for so many quarters to the left."""

Lane = Iterator[tuple[float, int, Any]]
"""Seconds at which a packet is decoded, which stream it is of, and the packet."""


def encode(
    path: Path,
    to: Path,
    start: float,
    end: float,
    limits: VideoSettings,
    alive: Alive = nobody_waits,
    watch: Watch = nobody_looks,
) -> Cut:
    """Write what lies between two seconds to a file, from the picture that is on show then on.

    ``watch`` is told at which second of the film it is. Raises ExportError where the file cannot
    hold it, VideoUnreadableError where there is nothing.
    """
    encoder = _encoder()
    with ExitStack() as stack:
        tracks, _ = tracked(path, limits, alive, stack)
        kinds = {each.stream.type: each for each in tracks}
        made = [ENCODERS[encoder]] * ("video" in kinds) + ["AAC"] * ("audio" in kinds)
        stack.enter_context(refused(to, made, ""))
        box = stack.enter_context(
            av.open(str(to), "w", format=MUXERS[to.suffix.lower()], options=OPTIONS)
        )
        begin, parts = start, list[Film | Voice]()
        if "video" in kinds:
            film, track = stack.enter_context(Picture(path, limits, start, alive)), kinds["video"]
            stills = _stills(film, path, start, end)
            parts.append(Film(box, encoder, stills, track))
            begin = stills.begin
        if "audio" in kinds:
            parts.append(Voice(box, begin, end, kinds["audio"]))
        for at, _, packet in heapq.merge(*(each.packets() for each in parts), key=lambda e: e[:2]):
            box.mux_one(packet)
            watch(begin + at)
        if (over := max(each.end for each in parts)) <= begin:
            raise nothing(path, start)
    return Cut(begin, over, " and ".join(made))


def _stills(film: Picture, path: Path, start: float, end: float) -> Stills:
    try:
        return Stills(film.frames(), start, end)
    except LookupError as error:
        raise nothing(path, start) from error


def _encoder() -> str:
    for name in ENCODERS:
        try:
            av.Codec(name, "w")
        except UnknownCodecError:
            continue
        return name
    raise AssertionError("FFmpeg's own MPEG-4 is in every build")


class Film:
    """The pictures of a clip. ``begin`` is known at once, ``end`` when all packets are made."""

    def __init__(self, box: OutputContainer, encoder: str, stills: Stills, track: Track) -> None:
        self._stills = stills
        source: Any = track.stream
        turned = round(stills.first.picture.rotation / 90) % 4
        width, height = stills.first.picture.width, stills.first.picture.height
        if turned % 2:
            width, height = height, width
        self._size = max(2, width // 2 * 2), max(2, height // 2 * 2)  # colours go by twos
        self._graphs: dict[tuple[Any, ...], av.filter.Graph] = {}
        tick = Fraction(source.time_base)
        self._tick = FINE if encoder == "mpeg4" else tick / max(1, math.ceil(tick / FINE))
        self._stream: Any = box.add_stream(encoder, rate=source.average_rate or 25)
        context: Any = self._stream.codec_context
        context.width, context.height = self._size
        context.pix_fmt, context.time_base = "yuv420p", self._tick
        context.thread_count = min(THREADS, os.cpu_count() or 1)
        shape = source.codec_context.sample_aspect_ratio
        if shape:
            context.sample_aspect_ratio = 1 / shape if turned % 2 else shape
        for name in ("color_range", "color_primaries", "color_trc", "colorspace"):
            setattr(context, name, getattr(source.codec_context, name))
        if stills.first.picture.format.is_rgb:
            context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
        if encoder == "libx264":
            context.options = dict(X264)

    @property
    def end(self) -> float:
        """Seconds from the start of the film at which the last picture is over."""
        return self._stills.end

    def packets(self) -> Lane:
        """Encoded, in the order of decoding."""
        lengths: dict[int, int] = {}
        for still in chain(self._stills, (None,)):
            frame = None
            if still is not None:
                frame = self._upright(still.picture)
                frame.pts, frame.time_base = self._ticks(still.time), self._tick
                frame.pict_type = PictureType.NONE  # which are key frames the encoder decides
                lengths[frame.pts] = self._ticks(still.time + still.length) - frame.pts
            for packet in self._stream.encode(frame):
                packet.duration = lengths.pop(packet.pts, 1)
                yield float(packet.dts * packet.time_base), 0, packet

    def _ticks(self, seconds: float) -> int:
        return round((seconds - self._stills.begin) / self._tick)

    def _upright(self, picture: av.VideoFrame) -> av.VideoFrame:
        """Turned, and of the clip's size and kind whatever the film changes to."""
        turn = TURNS[round(picture.rotation / 90) % 4]
        rgb = picture.format.is_rgb
        full = picture.color_range == ColorRange.JPEG or picture.format.name.startswith("yuvj")
        # What the header says of the colours goes with them: left alone, FFmpeg makes others.
        same = "in_color_matrix=bt709:out_color_matrix=bt709"
        ranges = [f"in_range={RANGES[full or rgb]}", f"out_range={RANGES[full and not rgb]}"]
        told = ":".join([*map(str, self._size), same, *ranges])
        key = (picture.width, picture.height, picture.format.name, turn, told)
        steps = [*turn, ("scale", told), ("format", "yuv420p")]
        if key not in self._graphs:
            graph = self._graphs[key] = av.filter.Graph()
            graph.threads = 1
            nodes = [
                graph.add_buffer(
                    None, picture.width, picture.height, picture.format, None, self._tick
                ),
                *(graph.add(name, told) for name, told in steps),
                graph.add("buffersink"),
            ]
            graph.link_nodes(*nodes).configure()
        self._graphs[key].vpush(picture)
        return self._graphs[key].vpull()


class Voice:
    """The sound of a clip, as AAC. ``end`` is known when all packets are made."""

    def __init__(self, box: OutputContainer, begin: float, end: float, track: Track) -> None:
        self._begin, self.end, self._track = begin, end, track
        source = track.stream.codec_context
        self._rate = source.sample_rate if source.sample_rate in RATES else 48_000
        self._layout = source.layout.name if source.layout.name in LAYOUTS else "stereo"
        self._stream: Any = box.add_stream("aac", rate=self._rate, layout=self._layout)
        self._stream.codec_context.bit_rate = BITS * self._stream.codec_context.layout.nb_channels
        track.skip("all", max(0.0, begin - RUNUP))

    def packets(self) -> Lane:
        """Encoded, in order."""
        written, total = 0, round((self.end - self._begin) * self._rate)
        pieces = (
            (time - self._begin, samples)
            for time, samples in heard(self._track, self._rate, [], self._layout)
            if len(samples)
        )
        for block in laid(pieces, self._rate):
            part = block[: total - written]
            if len(part):
                yield from self._encoded(self._frame(part, written))
            written += len(part)
            if written >= total:
                break
        self.end = self._begin + written / self._rate
        yield from self._encoded(None)

    def _frame(self, samples: Samples, at: int) -> av.AudioFrame:
        flat = np.ascontiguousarray(samples).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(flat, "flt", self._layout)
        frame.sample_rate, frame.time_base = self._rate, Fraction(1, self._rate)
        frame.pts = at
        return frame

    def _encoded(self, frame: av.AudioFrame | None) -> Lane:
        for packet in self._stream.encode(frame):
            yield float(packet.dts * packet.time_base), 1, packet
