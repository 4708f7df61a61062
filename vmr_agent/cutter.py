"""Clips of a film, packet by packet: nothing is decoded, nothing changed, and it takes no time.

A picture can be entered at key frames only: a clip begins at the last one before it was asked to.
Runs in the process that decodes, as ``encoder`` does, which cuts to the frame.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import av

from vmr_agent.container import Alive, Track, film_track, nobody_waits, opened, sound_track
from vmr_agent.errors import ExportError, MachineError, VideoUnreadableError
from vmr_agent.files import FULL
from vmr_agent.limits import VideoSettings
from vmr_agent.video import beginning

MUXERS = {
    **dict.fromkeys((".mp4", ".m4v"), "mp4"),
    **dict.fromkeys((".mkv", ".mka"), "matroska"),
    **dict.fromkeys((".ts", ".mts", ".m2ts"), "mpegts"),
    **dict.fromkeys((".ogg", ".oga", ".ogv", ".opus"), "ogg"),
    **{".mov": "mov", ".webm": "webm", ".m4a": "ipod"},
    **{".mp3": "mp3", ".aac": "adts", ".wav": "wav"},
}
"""FFmpeg's writers, by how names of such files end."""
OPTIONS = {"movflags": "+faststart"}
"""A player need not have the end of a file to begin with it."""
ORDERED = ("avi",)
"""FFmpeg's readers of files that say in which order pictures are decoded, but not when they are
shown."""
SAME = 1e-3
"""Seconds by which two times may differ that are one: answers are rounded."""
Watch = Callable[[float], None]


def nobody_looks(second: float) -> None:
    """Nobody wants to know how far it is."""


class Cut(NamedTuple):
    """What became of a clip."""

    start: float
    """Seconds from the start of the film at which it begins."""
    end: float
    """Seconds from the start of the film at which it ends."""
    made: str = ""
    """What it was encoded as; empty where packets are as they were."""


class Timed(NamedTuple):
    """A packet and its place."""

    decoded: float
    """Seconds from time zero."""
    shown: float
    """Seconds from time zero."""
    packet: Any


def cut(
    path: Path,
    to: Path,
    start: float,
    end: float,
    limits: VideoSettings,
    alive: Alive = nobody_waits,
    watch: Watch = nobody_looks,
) -> Cut:
    """Write what lies between two seconds to a file, from the key frame before it on.

    ``watch`` is told at which second of the film it is. Raises ExportError where the file cannot
    hold it, VideoUnreadableError where there is nothing.
    """
    with ExitStack() as stack:
        tracks, zero = tracked(path, limits, alive, stack)
        found = _needed(_from_key(tracks[0], start, end), end)
        first = next(found, None)
        if first is None:
            raise nothing(path, start)
        sounds = (_between(each, first.shown, end) for each in tracks[1:])
        lanes = [chain([first], found), *sounds]
        with refused(to, [each.stream.codec_context.name for each in tracks]):
            return Cut(first.shown, _muxed(to, tracks, lanes, zero + first.shown, watch))


def tracked(
    path: Path, limits: VideoSettings, alive: Alive, stack: ExitStack
) -> tuple[list[Track], float]:
    """The picture if there is one and the sound if there is one, and time zero by their clock."""
    zero = beginning(path, limits, alive)
    tracks: list[Track | None] = []
    if zero is not None:
        media = stack.enter_context(opened(path, limits))
        tracks.append(film_track(media, path, limits, zero, alive))
    if zero is None:
        with opened(path, limits) as media:
            sound = sound_track(media, None, alive)
            zero = sound.line.zero if sound and sound.first() else None
    if zero is None:
        raise VideoUnreadableError(f"{str(path)!r}: neither picture nor sound can be decoded")
    tracks.append(sound_track(stack.enter_context(opened(path, limits)), zero, alive))
    return [each for each in tracks if each is not None], zero


@contextmanager
def refused(to: Path, codecs: Sequence[str], hint: str = ", or use --exact") -> Iterator[None]:
    """What FFmpeg's writer raises, as an ExportError that says what to do, or a MachineError."""
    try:
        yield
    except (av.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        if getattr(error, "errno", None) in FULL:
            raise MachineError(f"the clip cannot be written: {reason}; free some room") from error
        what = f"a {to.suffix} file cannot hold {' and '.join(codecs)} ({reason})"
        raise ExportError(f"{what}: name a .mkv file{hint}") from error


def nothing(path: Path, start: float) -> VideoUnreadableError:
    """What is raised where nothing is left of a film."""
    return VideoUnreadableError(f"{str(path)!r}: nothing can be decoded from {start:.1f} s on")


def _from_key(track: Track, start: float, end: float) -> Iterator[Timed]:
    """The packets that a clip needs, from the last key frame before its start on."""
    track.skip("all", start + SAME)
    run: list[Timed] = []
    passed = False
    for each in _timed(track):
        if run and each.decoded >= end - SAME:
            break
        if passed:
            yield each
        elif each.packet.is_keyframe and (not run or each.shown <= start + SAME):
            run = [each]
        elif run and each.shown >= run[0].shown:  # others need what is not in the clip
            run.append(each)
        if run and not passed and each.decoded > start + SAME:  # no other key frame will do
            passed = True
            yield from run
    if not passed and any(_over(each) > start + SAME for each in run):
        yield from run


def _between(track: Track, begin: float, end: float) -> Iterator[Timed]:
    """The packets of which the greater part lies between two seconds."""
    track.skip("all", begin)
    for each in _timed(track):
        middle = (each.shown + _over(each)) / 2
        if middle >= end:
            break
        if middle >= begin:
            yield each


def _timed(track: Track) -> Iterator[Timed]:
    zero = track.line.zero or 0.0
    coder: Any = track.stream.codec_context
    untold = track.container.format.name in ORDERED and getattr(coder, "has_b_frames", False)
    for _, packet in track.wanted():
        if not packet.size:
            continue
        if packet.pts is None and track.stream.type == "audio":
            packet.pts = packet.dts
        if packet.pts is None or untold:
            told = "the file does not say when its pictures are shown"
            raise ExportError(f"{told}: use --exact")
        dts = packet.pts if packet.dts is None else packet.dts
        yield Timed(float(dts * packet.time_base) - zero, track.time(packet), packet)


def _over(each: Timed) -> float:
    """Seconds at which it is no longer shown."""
    return each.shown + float((each.packet.duration or 0) * each.packet.time_base)


def _needed(lane: Iterator[Timed], end: float) -> Iterator[Timed]:
    """Without what is shown too late, at the end, and needed by nothing before."""
    held: list[Timed] = []
    for each in lane:
        held.append(each)
        if each.shown < end - SAME:
            yield from held
            held = []


def _muxed(
    to: Path,
    tracks: Sequence[Track],
    lanes: Sequence[Iterator[Timed]],
    zero: float,
    watch: Watch,
) -> float:
    """Write packets in the order of their decoding; the second at which the leading track ends."""
    latest = 0.0
    with av.open(str(to), "w", format=MUXERS[to.suffix.lower()], options=OPTIONS) as box:
        outs = [box.add_stream_from_template(each.stream, opaque=True) for each in tracks]
        ordered = (_numbered(lane, number) for number, lane in enumerate(lanes))
        for number, each in heapq.merge(*ordered, key=lambda item: item[1].decoded):
            latest = max(latest, 0.0 if number else _over(each))
            packet = each.packet
            late = round(zero / packet.time_base)
            packet.pts -= late
            packet.dts = None if packet.dts is None else packet.dts - late
            packet.stream = outs[number]
            box.mux_one(packet)
            watch(latest)
    return latest


def _numbered(lane: Iterator[Timed], number: int) -> Iterator[tuple[int, Timed]]:
    return ((number, each) for each in lane)
