"""Reading clips for the benchmarks as a stream: memory does not grow with their length."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from evals.film import Form, Picture, Sound
from vmr_agent.container import hush

# Silence or overlap below this many seconds between two packets is rounding of their time stamps;
# above it the file means it.
GAP = 0.05


class Shown(NamedTuple):
    """A picture as its file has it."""

    frame: av.VideoFrame
    start: float
    """When it appears, in seconds on the file's own clock."""
    end: float
    """When the next one takes its place."""
    shape: float
    """Width of one of its pixels divided by its height."""


def read_sound(path: Path, rate: int, start: float | None = None) -> Generator[Sound]:
    """The first sound stream of a file in chunks of mono samples at `rate`; none if it has none.

    Sample 0 is the sound at `start`, seconds on the file's own clock; None is its first sample.
    Gaps in the file become silence, so that sample n is always n / rate seconds later.
    """
    hush()
    with av.open(path, metadata_errors="replace") as box:
        if not box.streams.audio:
            return
        resampler = av.AudioResampler("fltp", "mono", rate)
        at = 0
        for frame in box.decode(box.streams.audio[0]):
            if frame.time is None:
                continue
            start = frame.time if start is None else start
            want = round((frame.time - start) * rate)
            chunk = _samples(resampler.resample(frame))
            # Until sound has begun its place is exact; from then on it runs on without seams.
            if abs(want - at) > (GAP * rate if at else 0):
                yield np.zeros(max(want - at, 0), np.float32)
                chunk = chunk[max(at - want, 0) :]
                at = max(at, want)
            at += len(chunk)
            yield chunk
        yield _samples(resampler.resample(None))


def picture_start(path: Path) -> float | None:
    """When the first picture of a file is shown, in seconds on its own clock; None without any."""
    with closing(_shown(path)) as shown:
        return next((picture.start for picture in shown), None)


def picture_length(path: Path) -> float:
    """Seconds from a file's first picture to the end of its last, as its packets tell; else 0."""
    return _length(path, _video)


def sound_length(path: Path) -> float:
    """The same for the first stream of sound."""
    return _length(path, lambda box: next(iter(box.streams.audio), None))


def _length(path: Path, chosen: Callable[[InputContainer], Stream | None]) -> float:
    hush()
    with av.open(path, metadata_errors="replace") as box:
        stream = chosen(box)
        told = [p for p in box.demux(stream) if p.pts is not None] if stream else []
        if stream is None or not told:
            return 0.0
        last = max(told, key=lambda packet: packet.pts or 0)
        ticks = (last.pts or 0) - min(packet.pts or 0 for packet in told) + (last.duration or 0)
        return float(ticks * last.time_base)


def fit(shown: Shown, form: Form) -> Picture:
    """A picture of the film's size: upright, as large as fits, on black."""
    width, height, turns = room(shown, form)
    small = shown.frame.reformat(width, height, format="rgb24", interpolation="AREA").to_ndarray()
    small = np.rot90(small, turns)
    top, left = (form.height - small.shape[0]) // 2, (form.width - small.shape[1]) // 2
    picture = np.zeros((form.height, form.width, 3), np.uint8)
    picture[top : top + small.shape[0], left : left + small.shape[1]] = small
    return picture


def room(shown: Shown, form: Form) -> tuple[int, int, int]:
    """Width and height to which a picture is to be scaled, then by how many quarters turned."""
    frame = shown.frame
    turns = frame.rotation // 90 % 4
    width, height = frame.width * shown.shape, float(frame.height)
    most = (form.height, form.width) if turns % 2 else (form.width, form.height)
    scale = min(most[0] / width, most[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale)), turns


def read_pictures(
    path: Path,
    form: Form,
    first: float = 0.0,
    last: float = math.inf,
    fitted: Callable[[Shown, Form], NDArray[Any]] = fit,
) -> Iterator[Picture]:
    """The pictures of a file, one a tick, each shown when and as long as its time stamps say.

    Upright, scaled to fit the film with their shape kept, on black, as ``fitted`` makes them.
    ``first`` and ``last`` are seconds after the file's first picture between which they are wanted.
    """
    ticks, began = 0, None
    start = round(first * form.fps)
    end = last if math.isinf(last) else round(last * form.fps)
    for shown in _shown(path):
        began = shown.start if began is None else began
        # Of pictures that come faster than ticks some are left out, but never the first.
        held = max(round((shown.end - began) * form.fps) - ticks, 0 if ticks else 1)
        wanted = min(ticks + held, end) - max(ticks, start)
        if wanted > 0:
            yield from [fitted(shown, form)] * int(wanted)
        ticks += held
        if ticks >= end:
            return


def _shown(path: Path) -> Generator[Shown]:
    """The pictures of a file in order; those without a time, or out of order, left out."""
    hush()
    with av.open(path, metadata_errors="replace") as box:
        stream = _video(box)
        if stream is None:
            return
        stream.thread_type = "AUTO"
        shape = float(stream.sample_aspect_ratio or 1)
        last: av.VideoFrame | None = None
        for frame in box.decode(stream):
            if frame.time is None or (last is not None and frame.time <= last.time):
                continue
            if last is not None:
                yield Shown(last, last.time, frame.time, shape)
            last = frame
        if last is not None:
            yield Shown(last, last.time, last.time + _lasts(last, stream), shape)


def _video(box: InputContainer) -> VideoStream | None:
    """The first stream of pictures that is not the cover of a sound file."""
    covers = Disposition.attached_pic
    return next((s for s in box.streams.video if not s.disposition & covers), None)


def _lasts(frame: av.VideoFrame, stream: VideoStream) -> float:
    """How many seconds a picture is shown that no other follows."""
    if frame.duration and frame.time_base:
        return float(frame.duration * frame.time_base)
    return float(1 / (stream.average_rate or 25))


def _samples(frames: list[av.AudioFrame]) -> Sound:
    chunks = [frame.to_ndarray()[0] for frame in frames]
    return np.concatenate(chunks).astype(np.float32) if chunks else np.zeros(0, np.float32)
