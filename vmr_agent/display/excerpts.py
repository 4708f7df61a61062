"""What a notebook carries of a film: all of a small one, of others the moments alone.

Packets are taken as they are, by the process that decodes, so that nothing is encoded and a film
that crashes a decoder harms nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from vmr_agent import playback
from vmr_agent.display.player import KINDS, Clip, Film, carried, embedded
from vmr_agent.errors import VmrError
from vmr_agent.files import is_file
from vmr_agent.limits import VideoSettings
from vmr_agent.playback import always
from vmr_agent.report import RunReport
from vmr_agent.types import Moment

MOMENTS = 8
"""At most so many are cut out: each takes a process a third of a second."""
AFTER = 1.0
"""Seconds of film carried beyond a moment: the player stops at its end, not the file."""


def excerpts(report: RunReport, most: int) -> Film | None:
    """At most ``most`` bytes of the film, the best moments first; None where nothing plays."""
    path = Path(report.video.path)
    if whole := embedded(path, most):
        return Film(whole, "data:")
    if path.suffix.lower() not in KINDS or not is_file(path):
        return None
    clips = tuple(_clips(report, path, most))
    return Film("", "data:", clips) if clips else None


def _clips(report: RunReport, path: Path, most: int) -> Iterator[Clip]:
    nearest = (report.rejected,) if report.rejected and not report.moments else ()
    made: list[Clip] = []
    for moment in (*report.moments, *nearest)[:MOMENTS]:
        if any(each.start <= moment.span.start and moment.span.end <= each.end for each in made):
            continue
        share = moment.span.length / max(report.video.duration, moment.span.length)
        if share * path.stat().st_size > 2 * most:
            continue  # not worth cutting: an even film has far more than fits
        clip = _clip(path, moment, report.video.duration, most)
        if clip is not None:
            most -= len(clip.source) * 3 // 4
            made.append(clip)
            yield clip


def _clip(path: Path, moment: Moment, duration: float, most: int) -> Clip | None:
    suffix = path.suffix.lower()
    end = min(moment.span.end + AFTER, max(duration, moment.span.end))
    whole = VideoSettings(frames="all")
    with TemporaryDirectory(prefix="vmr-") as folder:
        to = Path(folder) / f"clip{suffix}"
        job = {"do": "cut", "path": str(path), "to": str(to), "exact": False}
        job |= {"start": moment.span.start, "end": end}
        try:
            with playback.served(job, whole, always) as messages:
                cut = next(facts["cut"] for facts, *_ in messages if "cut" in facts)
            if to.stat().st_size > most:
                return None
            return Clip(max(0.0, cut["start"]), cut["end"], carried(to.read_bytes(), KINDS[suffix]))
        except (VmrError, OSError):
            return None  # told of by the page: there is no player
