"""Films as they arrive from the process that decodes them: reels of picture, blocks of sound.

    video = probe(path, fingerprint, settings.video)
    for reel in reels(path, detector, settings, first=0):  # 60 s of picture each
        reel.cuts, reel.samples, reel.keys
    for block in sound(path, settings.video, chunk=240.0):
        block.start, block.samples

A decoder that crashes or hangs is an error about the film. All waiting can be broken off: ``alive``
is called a few times a second and may raise.
"""

from __future__ import annotations

import json
import math
import os
import select
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vmr_agent import errors, threads
from vmr_agent.frame import Frame
from vmr_agent.limits import VideoSettings
from vmr_agent.pipe import MEMORY, Facts, receive
from vmr_agent.protocols import Array, Image, ShotDetector
from vmr_agent.settings import Settings
from vmr_agent.types import Span, Video
from vmr_agent.writing import News

Alive = Callable[[], None]
Message = tuple[Facts, list[bytearray]]

RATE = 16_000
"""Samples a second that speech recognisers want."""
GLANCE = 0.2
"""Seconds between two looks at whether anybody still wants the film."""
PROBING = 1 / 3
"""Share of the patience for finding out what a file is: it will be opened twice more."""
MOST_LEAD = 240
"""Frames of context kept at most: a film of 1000 frames a second must not fill the memory."""


def always() -> None:
    """Nobody breaks this off."""


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """A frame that was taken for the strip: its pixels, and its picture as it is shelved."""

    time: float
    image: Image = field(repr=False)
    webp: bytes = field(default=b"", repr=False)
    """Empty of key frames: not all of them are kept."""
    news: News | None = None
    """Of key frames: what writing came or went."""


class Block(NamedTuple):
    """A stretch of sound: mono samples at 16 kHz."""

    start: float
    samples: Array
    last: bool
    voice: Array = np.empty(0, np.float32)
    """(F,) the probability of speech in each frame of it."""
    holes: tuple[Span, ...] = ()
    """Where sound was lost, and there is silence in its place."""


@dataclass(slots=True, eq=False)
class Reel:
    """A stretch of film, decoded: ``[number, number + 1) * settings.video.reel`` seconds."""

    number: int
    cuts: tuple[float, ...] = ()
    """Seconds at which shots begin, as decided here."""
    samples: list[Taken] = field(default_factory=list)
    keys: list[Taken] = field(default_factory=list)
    kept: int = 0
    """Frames decoded."""
    met: int = 0
    """Frames and packets met: what exceeds ``kept`` is lost."""
    holes: list[Span] = field(default_factory=list)
    """Where frames were lost and nothing is to be seen."""
    ending: dict[str, float] | None = None
    """Of the last reel: the film's ``duration`` and the header's ``promise``."""


def probe(path: Path, fingerprint: str, limits: VideoSettings, alive: Alive = always) -> Video:
    """What the file is. Raises VideoUnreadableError or VideoTooLargeError."""
    job = {"do": "probe", "path": str(path), "fingerprint": fingerprint}
    quick = limits.model_copy(update={"patience": limits.patience * PROBING})
    with served(job, quick, alive) as messages:
        facts, _ = next(messages)
    return Video.model_validate(facts["video"])


def sound(
    path: Path, limits: VideoSettings, chunk: float, since: float = 0.0, alive: Alive = always
) -> Iterator[Block]:
    """Blocks of ``chunk`` seconds, the last shorter, from ``since`` seconds on."""
    job = {"do": "sound", "path": str(path), "since": since, "chunk": chunk, "rate": RATE}
    held: Block | None = None
    with served(job, limits, alive) as messages:
        for facts, parts in messages:
            last = "end" in facts
            holes = tuple(Span(start=start, end=end) for start, end in facts["holes"])
            if held is not None:
                yield held._replace(last=last, holes=held.holes + (holes if last else ()))
            if last:
                return
            samples = np.frombuffer(parts[0], np.float32)
            held = Block(facts["start"], samples, False, holes=holes)


def stills(
    path: Path, limits: VideoSettings, times: Sequence[float], side: int, alive: Alive = always
) -> list[Image]:
    """What is on show at each time, ``side`` pixels at the short side."""
    job = {"do": "stills", "path": str(path), "times": list(times), "side": side}
    every = limits.model_copy(update={"frames": "all"})
    with served(job, every, alive) as messages:
        found = [next(messages) for _ in times]
    return [_image(parts[0], facts["shape"]) for facts, parts in found]


def reels(
    path: Path, detector: ShotDetector, settings: Settings, first: int = 0, alive: Alive = always
) -> Iterator[Reel]:
    """The film from its reel ``first`` on; always at least one."""
    length = settings.video.reel
    since = max(0.0, first * length - detector.lead)
    strip = settings.strip.model_dump()
    job = {"do": "picture", "path": str(path), "since": since, "strip": strip}
    with served(job, settings.video, alive) as messages:
        projector = _Projector(messages, detector, length)
        projector.thread(first)
        while projector.ending is None:
            yield projector.reel()


class _Projector:
    """Winds messages on to reels, keeping the context that the detector wants."""

    def __init__(self, messages: Iterator[Message], detector: ShotDetector, length: float) -> None:
        self._messages, self._detector, self._length = messages, detector, length
        self._lead: deque[Frame] = deque(maxlen=MOST_LEAD)
        self._number = 0
        self.ending: dict[str, float] | None = None
        self._next: Message = ({}, [])

    def thread(self, first: int) -> None:
        """Go to the first frame of a reel; what comes before is context."""
        self._number, start = first, first * self._length
        self._next = next(self._messages)
        while "end" not in self._next[0] and self._next[0]["time"] < start:
            self._lead.append(self._frame(Reel(first)))

    def reel(self) -> Reel:
        """The next one."""
        reel, start = Reel(self._number), self._number * self._length
        frames = self._watched(reel, self._context(start))
        reel.cuts = tuple(cut for cut in self._detector.cuts(frames, start) if cut > 0)
        deque(frames, maxlen=0)  # whatever the detector did not look at
        facts = self._next[0]
        if "end" in facts:
            self.ending = reel.ending = facts["end"]
            reel.met += facts["met"]
        self._number += 1
        return reel

    def _context(self, start: float) -> list[Frame]:
        """The detector's lead and the last frame before that, which may still be on show."""
        since = start - self._detector.lead
        near = [frame for frame in self._lead if frame.time >= since]
        return [frame for frame in self._lead if frame.time < since][-1:] + near

    def _watched(self, reel: Reel, context: list[Frame]) -> Iterator[Frame]:
        yield from context
        end = (reel.number + 1) * self._length
        while "end" not in self._next[0] and self._next[0]["time"] < end:
            frame = self._frame(reel)
            self._lead.append(frame)
            yield frame

    def _frame(self, reel: Reel) -> Frame:
        """The frame in the message at hand, noted in its reel; the next message is fetched."""
        facts, parts = self._next
        frame = Frame(facts["time"], _image(parts[0], facts["shapes"][0]), facts["length"])
        if len(parts) > 1:
            image = _image(parts[2], facts["shapes"][1])
            _show(reel.keys, facts["shown"])
            reel.samples.append(Taken(frame.time, image, bytes(parts[1])))
        if len(parts) > 3:
            news = News(*facts["news"]) if facts["news"] else None
            reel.keys.append(Taken(frame.time, _image(parts[3], facts["shapes"][2]), news=news))
        if facts["dark"]:
            reel.holes.append(Span(start=round(frame.time - facts["dark"], 6), end=frame.time))
        reel.kept, reel.met = reel.kept + 1, reel.met + facts["met"]
        self._next = next(self._messages)
        return frame


def _show(keys: list[Taken], since: float | None) -> None:
    """Writing that came right before the last key frame, and is on it, is its news as well."""
    if since is not None and keys and keys[-1].news is None:
        keys[-1] = replace(keys[-1], news=News(since, comes=True))


def _image(pixels: bytearray, shape: list[int]) -> Image:
    return np.frombuffer(pixels, np.uint8).reshape(shape)


@contextmanager
def served(job: Facts, limits: VideoSettings, alive: Alive) -> Iterator[Iterator[Message]]:
    """The messages of a process that does the job; it is gone when the block is left."""
    words = json.dumps({**job, "limits": limits.model_dump()})
    # -P: what lies in the folder that we are called in must not pass for a module.
    program = [sys.executable, "-P", "-m", "vmr_agent.decoder", words]
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)  # noqa: PTH109
    child = subprocess.Popen(
        program,
        stdin=subprocess.PIPE,  # never written to: the child ends when it closes
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **threads.ONE, "PYTHONPATH": paths},
        start_new_session=True,  # an interrupt from the keyboard is for us
    )
    try:
        yield _Line(child, job["path"], limits.patience, alive).messages()
    finally:
        child.kill()
        child.communicate()


class _Line:
    """The wire to one decoder."""

    def __init__(
        self, child: subprocess.Popen[bytes], path: str, patience: float, alive: Alive
    ) -> None:
        assert child.stdout is not None
        self._child, self._path, self._alive = child, path, alive
        self._source = child.stdout.fileno()
        self._patience = patience

    def messages(self) -> Iterator[Message]:
        """All until the end, without mere signs of life. Raises what the decoder raised."""
        while True:
            self._alive()  # also while the decoder is the faster one, and never waited for
            facts, parts = receive(self._exactly)
            if "error" in facts:
                raise getattr(errors, facts["error"])(facts["message"])
            if "alive" not in facts:
                yield facts, parts

    def _exactly(self, count: int) -> bytearray:
        buffer = bytearray(count)
        view, filled = memoryview(buffer), 0
        while filled < count:
            self._await()
            got = os.readv(self._source, [view[filled:]])
            if not got:
                self._died()
            filled += got
        return buffer

    def _await(self) -> None:
        # Looks are counted, not seconds: a machine that was asleep has not looked.
        for _ in range(math.ceil(self._patience / GLANCE)):
            if select.select([self._source], [], [], GLANCE)[0]:
                return
            self._alive()
        raise errors.VideoUnreadableError(
            f"{self._path!r}: the decoder says nothing for {self._patience:g} s; encode "
            "the film anew, or raise settings.video.patience"
        )

    def _died(self) -> None:
        code = self._child.wait()
        said = self._child.stderr.read().decode(errors="replace") if self._child.stderr else ""
        if "MemoryError" in said:
            raise errors.VideoTooLargeError(
                f"{self._path!r}: it takes more than {MEMORY >> 30} GiB to decode; encode it anew"
            )
        how = f"crashed (signal {-code})" if code < 0 else f"failed ({said.strip()[-200:]})"
        raise errors.VideoUnreadableError(
            f"{self._path!r}: the decoder {' '.join(how.split())} in it; encode the film anew"
        )
