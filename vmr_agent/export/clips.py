"""Clips cut out of a film: as it is, from a key frame on; or to the frame, encoded anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from vmr_agent import playback
from vmr_agent.errors import ExportError
from vmr_agent.export.saving import appearing
from vmr_agent.export.wording import file_name
from vmr_agent.files import fingerprint
from vmr_agent.limits import VideoSettings
from vmr_agent.playback import Alive, always
from vmr_agent.report import RunReport
from vmr_agent.types import Record, Seconds, Span, Video

AS_IT_IS = frozenset(
    """.mp4 .m4v .mov .mkv .webm .ts .mts .m2ts .ogv .mka .m4a .mp3 .aac .ogg .oga .opus
    .wav""".split()
)
"""How names of clips may end whose packets are taken as they are."""
EXACT = frozenset(".mp4 .m4v .mov .mkv .ts .mts .m2ts .m4a .mka .aac".split())
"""… and of those in H.264 and AAC."""
SOUND = frozenset(".mka .m4a .mp3 .aac .ogg .oga .opus .wav".split())
"""Of these, those without a picture."""
LONGEST = 160
"""Bytes of a film's name that are in the names of its clips."""


Watch = Callable[[Seconds], None]


def unwatched(seconds: Seconds) -> None:
    """Nobody wants to know how far it is."""


class Clip(Record):
    """A clip that was made."""

    path: str
    """Absolute path of the file."""
    asked: Span
    """What was asked for, in seconds of the film."""
    span: Span
    """What is in it, in seconds of the film."""
    exact: bool
    """Whether it was cut to the frame, encoded anew."""
    made: str
    """What it was encoded as; empty where nothing was."""

    @property
    def early(self) -> Seconds:
        """Seconds of it before what was asked for begins."""
        return max(0.0, self.asked.start - self.span.start)


def cut(
    video: Video,
    span: Span,
    out: str | Path,
    *,
    exact: bool = False,
    limits: VideoSettings | None = None,
    alive: Alive = always,
    watch: Watch = unwatched,
) -> Clip:
    """Write a stretch of the film to a file, whole or not at all; what was there is replaced.

    ``watch`` is told how many seconds of it are done. Raises ExportError for a file that
    cannot be written or cannot hold it, VideoUnreadableError where nothing of the film is there.
    """
    path = Path(out).absolute()
    fits(path, video, span, exact)
    asked = span.clamp(video.duration)
    # All frames: clips are for people, whatever the house itself looks at.
    whole = (limits or VideoSettings()).model_copy(update={"frames": "all"})
    with appearing(path) as part:
        job = {
            "do": "cut",
            "path": video.path,
            "to": str(part),
            "start": asked.start,
            "end": asked.end,
            "exact": exact,
        }
        with playback.served(job, whole, alive) as messages:
            while "cut" not in (facts := next(messages)[0]):
                watch(min(max(0.0, facts["at"] - asked.start), asked.length))
    made = facts["cut"]
    told = Span(start=max(0.0, made["start"]), end=made["end"])
    return Clip(path=str(path), asked=asked, span=told, exact=exact, made=made["made"])


def fits(path: Path, video: Video, span: Span, exact: bool) -> None:
    """Raises ExportError for a file that such a clip cannot go into, or that is the film itself,
    and for a stretch behind the film's end."""
    if span.start >= video.duration:
        far = f"{span.start:.1f} s is behind its end at {video.duration:.1f} s"
        raise ExportError(f"{file_name(video)!r}: {far}")
    suffix, able = path.suffix.lower(), EXACT if exact else AS_IT_IS
    if suffix not in able or (video.has_picture and suffix in SOUND):
        fine = sorted(able - SOUND if video.has_picture else able)
        raise ExportError(f"{path.name!r}: end the name of the clip in {', '.join(fine)}")
    if path.exists() and path.samefile(video.path):
        raise ExportError(f"{str(path)!r} is the film itself: name another file")


def moments(
    report: RunReport, limit: int | None = None, pad: float = 0.0
) -> list[tuple[int, Span]]:
    """(rank, stretch) of the best moments, each grown by ``pad`` seconds at both ends."""
    ranked = sorted(report.moments, key=lambda each: -each.score)[:limit]
    return [(rank, each.span.pad(pad) if pad else each.span) for rank, each in enumerate(ranked, 1)]


def called(video: Video, rank: int, span: Span, exact: bool) -> str:
    """The name of a clip: ``talk-01-0h12m30s.mp4``."""
    minutes, seconds = divmod(int(span.start), 60)
    hours, minutes = divmod(minutes, 60)
    path = Path(video.path)
    suffix = path.suffix.lower()
    if exact:
        suffix = ".mp4" if video.has_picture else ".m4a"
    elif suffix not in AS_IT_IS or (video.has_picture and suffix in SOUND):
        suffix = ".mkv" if video.has_picture else ".mka"
    stem = re.sub(r"\s+", " ", path.stem).strip()
    # A file system counts bytes; and what is no text, some take and some do not.
    stem = stem.encode(errors="ignore")[:LONGEST].decode(errors="ignore").strip() or "film"
    return f"{stem}-{rank:02d}-{hours}h{minutes:02d}m{seconds:02d}s{suffix}"


def same_film(path: Path, report: RunReport) -> None:
    """Raises ExportError unless the file is the film that the report is about."""
    if fingerprint(path) != report.video.fingerprint:
        was = file_name(report.video)
        raise ExportError(
            f"{str(path)!r} is not the film of the report, which was asked of {was!r} "
            f"({report.video.fingerprint[:12]}…): give that"
        )


def planned(
    report: RunReport, folder: str | Path, *, exact: bool, pad: float, limit: int | None
) -> list[tuple[Path, Span]]:
    """Where each clip goes, and what is to be in it. Raises ExportError before any is made."""
    made = [
        (Path(folder) / called(report.video, rank, span, exact), span)
        for rank, span in moments(report, limit, pad)
    ]
    for path, span in made:
        fits(path, report.video, span, exact)
    return made


def cut_all(
    report: RunReport,
    folder: str | Path,
    *,
    exact: bool = False,
    pad: float = 0.0,
    limit: int | None = None,
    limits: VideoSettings | None = None,
    alive: Alive = always,
    watch: Watch = unwatched,
) -> Iterator[Clip]:
    """A clip of each moment in a folder, best first, each as it is done. Raises as ``cut``.

    ``watch`` is told how many seconds of them all are done.
    """
    over = 0.0

    def watched(seconds: float) -> None:
        watch(over + seconds)

    for out, span in planned(report, folder, exact=exact, pad=pad, limit=limit):
        made = cut(report.video, span, out, exact=exact, limits=limits, alive=alive, watch=watched)
        over += made.asked.length
        watch(over)
        yield made
