"""``python -m vmr_agent.decoder``: opens one film, sends what is in it, and ends.

Media is decoded in a process of its own, by C code that broken files have crashed before: so it
can be watched, killed, and die alone. It ends when its caller does.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from vmr_agent.errors import VideoUnreadableError, VmrError
from vmr_agent.limits import StripSettings, VideoSettings
from vmr_agent.pipe import MEMORY, Facts, Sender
from vmr_agent.strip import Sample, Sampler
from vmr_agent.video import Decoded, Hole, Picture, probe, sound

THUMB = 72
"""Short side of every frame sent: cuts are looked for at this size."""
AHEAD = 4
"""Frames decoded ahead: each may be large."""


def serve(job: Facts, out: Sender) -> None:
    """Do one job: ``probe``, ``picture``, ``stills``, ``sound`` or ``cut``."""
    jobs: dict[str, Callable[..., None]] = {
        "probe": _probe,
        "picture": _picture,
        "stills": _stills,
        "sound": _sound,
        "cut": _cut,
    }
    work = jobs[job.pop("do")]
    limits = VideoSettings.model_validate(job.pop("limits"))
    try:
        work(out, limits, **job)
    except VmrError as error:
        out.send({"error": type(error).__name__, "message": str(error)})
    out.flush()


def _probe(out: Sender, limits: VideoSettings, path: str, fingerprint: str) -> None:
    out.send({"video": probe(path, fingerprint, limits, out.alive).model_dump()})


def _picture(
    out: Sender, limits: VideoSettings, path: str, since: float, strip: dict[str, Any]
) -> None:
    """Frames from ``since`` on, the taken ones with their pictures; facts about all at the end."""
    settings = StripSettings.model_validate(strip)
    film = Picture(path, limits, since, out.alive)
    with film as picture, closing(_ahead(picture.frames())) as frames:
        for frame, sample in _sampled(frames, settings, limits.reel):
            thumb = frame.rgb(THUMB)
            facts: Facts = {"time": frame.time, "met": frame.met, "dark": frame.dark}
            facts |= {"length": frame.length, "shapes": [thumb.shape]}
            parts: list[Any] = [thumb.data.cast("B")]
            if sample is not None:
                facts["shapes"] += [sample.image.shape]
                facts["shown"] = sample.shown
                parts += [sample.webp, sample.image.data.cast("B")]
                if sample.key_image is not None:
                    facts["shapes"] += [sample.key_image.shape]
                    facts["news"] = sample.news
                    parts += [sample.key_image.data.cast("B")]
            out.send(facts, parts)
        ending = {"duration": picture.duration, "promise": picture.promise}
        out.send({"end": ending, "met": picture.trailing})


def _stills(out: Sender, limits: VideoSettings, path: str, times: list[float], side: int) -> None:
    """What is on show at each of the times."""
    for time in times:
        pixels = None
        with Picture(path, limits, time, out.alive) as picture:
            for frame in picture.frames():
                if pixels is not None and frame.time > time + 1e-6:
                    break
                pixels = frame.rgb(side)
        if pixels is None:
            raise VideoUnreadableError(f"{path!r}: nothing can be decoded at {time:.1f} s")
        out.send({"shape": pixels.shape}, [pixels.data.cast("B")])
        out.flush()


def _ahead(frames: Iterator[Decoded]) -> Generator[Decoded, None, None]:
    """The same, decoded in a thread of its own while those before are shrunk and packed."""
    with ThreadPoolExecutor(1) as thread:
        coming = deque(thread.submit(next, frames, None) for _ in range(AHEAD))
        while (frame := coming.popleft().result()) is not None:
            coming.append(thread.submit(next, frames, None))
            yield frame


def _sampled(
    frames: Iterator[Decoded], settings: StripSettings, reel: float
) -> Iterator[tuple[Decoded, Sample | None]]:
    number, sampler = -1, Sampler(settings)
    for frame in frames:
        if int(frame.time // reel) != number:  # every reel is sampled afresh
            number, sampler = int(frame.time // reel), Sampler(settings)
        yield frame, sampler.take(frame)


def _sound(
    out: Sender, limits: VideoSettings, path: str, since: float, chunk: float, rate: int
) -> None:
    """Blocks of ``chunk`` seconds and the holes in each, those before ``since`` left out."""
    heard, holes = 0.0, list[Hole]()
    for start, samples in sound(path, rate, chunk, limits, out.alive, holes):
        heard = start + len(samples) / rate
        if start >= since:
            out.send({"start": start, "holes": holes}, [samples.data.cast("B")])
            out.flush()
        holes.clear()
    out.send({"end": {"duration": heard}, "holes": holes})


def _cut(
    out: Sender,
    limits: VideoSettings,
    path: str,
    to: str,
    start: float,
    end: float,
    exact: bool,
) -> None:
    """What lies between two seconds, written to a file; of each second of it a word."""
    # Only here: a decoder starts often, and what encodes is of no use to the others.
    from vmr_agent.cutter import cut
    from vmr_agent.encoder import encode

    told = start

    def watch(second: float) -> None:
        nonlocal told
        if second >= told + 1:
            told = second
            out.send({"at": second})
            out.flush()

    what = Path(path), Path(to), start, end
    made = (encode if exact else cut)(*what, limits, out.alive, watch)
    out.send({"cut": made._asdict()})


def _end_with_caller() -> None:
    while os.read(0, 4096):  # not sys.stdin: held by a thread, it would crash our own ending
        pass
    os._exit(0)


def main() -> None:
    """Serve the job in the first argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the caller, who decides
    threading.Thread(target=_end_with_caller, daemon=True).start()
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    out = os.fdopen(os.dup(1), "wb", buffering=1 << 20)
    os.dup2(2, 1)  # whatever a library prints must not land among the messages
    try:
        serve(json.loads(sys.argv[1]), Sender(out))
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main()
