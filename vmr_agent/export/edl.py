"""CMX3600 edit decision lists: the moments one after the other, in the order of the film.

Record times begin at one hour, as edit suites do. Source times count from the film's first picture.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from vmr_agent.errors import ExportError
from vmr_agent.export.timecode import Rate, counted, frames, spelt, timecode
from vmr_agent.export.wording import file_name, in_order, question, reason, sure
from vmr_agent.report import RunReport
from vmr_agent.types import Video

MOST = 999
"""Events that the format can number."""
BEGINS = 3600
"""Seconds of timecode at which the record side begins."""
REEL = 8
"""Letters of a reel's name."""


def edl(report: RunReport) -> str:
    """The list. Raises ExportError for more moments, or hours, than the format can count."""
    rate, video = counted(report.video), report.video
    if len(report.moments) > MOST:
        raise ExportError(f"an EDL has {MOST} events at most: use otio, csv or json")
    kind = "DROP FRAME" if rate.drops else "NON-DROP FRAME"
    lines = [f"TITLE: {question(report)}", f"FCM: {kind}", ""]
    # Readers take comments behind an event only.
    place = hour(rate)
    for number, (rank, moment) in enumerate(in_order(report), 1):
        first, last = frames(moment.span, rate, video.duration)
        behind = place + last - first
        codes = " ".join(timecode(each, rate) for each in (first, last, place, behind))
        lines += [
            f"{number:03d}  {reel(video):<{REEL}} {_channels(video):<5} C        {codes}",
            f"* FROM CLIP NAME: {file_name(video)}",
            f"* RANK: {rank}, {sure(moment)}",
            f"* WHY: {reason(report, moment)}",
            *([f"* FRAME RATE: {spelt(rate.exact)}"] if number == 1 else []),
            "",
        ]
        place = behind
    return "\n".join(lines) + "\n" * (not report.moments)


def hour(rate: Rate) -> int:
    """The frame at which the record side begins: ``01:00:00:00``."""
    return BEGINS * rate.nominal - (54 * rate.drops)


def reel(video: Video) -> str:
    """Eight letters and digits of the file's name, ``AX`` if it has none of those."""
    stem = PurePosixPath(file_name(video)).stem
    ascii_only = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().upper()
    return re.sub(r"[^A-Z0-9]+", "_", ascii_only).strip("_")[:REEL].rstrip("_") or "AX"


def _channels(video: Video) -> str:
    if not video.has_picture:
        return "A"
    return "B" if video.has_audio else "V"
