"""What a report says of its moments, as words that are safe to put into a file."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

from vmr_agent.report import RunReport
from vmr_agent.show import plain, why
from vmr_agent.types import Moment, Video


def clean(text: str) -> str:
    """One line, without what is invisible or no character: file names may hold any bytes."""
    return plain(text).encode(errors="replace").decode().strip()


def in_order(report: RunReport) -> list[tuple[int, Moment]]:
    """(rank, moment) as they come in the film; 1 is the best."""
    ranked = enumerate(sorted(report.moments, key=lambda each: -each.score), 1)
    return sorted(ranked, key=lambda each: (each[1].span.start, each[1].span.end))


def question(report: RunReport) -> str:
    """The question in one line; ``moment`` if there is nothing of it to be seen."""
    return clean(report.query) or "moment"


def reason(report: RunReport, moment: Moment) -> str:
    """Why, in one line, never empty."""
    return clean(why(moment)) or question(report)


def sure(moment: Moment) -> str:
    """``93%``."""
    return f"{moment.score:.0%}"


def file_name(video: Video) -> str:
    """The film's name without folders, wherever it lay; never empty."""
    path = PureWindowsPath if "\\" in video.path and "/" not in video.path else PurePosixPath
    return clean(path(video.path).name) or "film"
