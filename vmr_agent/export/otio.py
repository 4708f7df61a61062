"""OpenTimelineIO (extra ``edit``): the moments as clips of the film, one after the other.

Each clip says where in the film it is, in frames from the first picture, and carries a marker and
the whole of what was found: rank, score, seconds, evidence, under ``metadata["vmr_agent"]``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vmr_agent.errors import MachineError
from vmr_agent.export.edl import hour
from vmr_agent.export.timecode import Rate, counted, frames
from vmr_agent.export.wording import clean, file_name, in_order, question, reason
from vmr_agent.report import RunReport
from vmr_agent.types import Moment, Video

if TYPE_CHECKING:
    from opentimelineio import schema


def otio(report: RunReport) -> str:
    """The timeline as JSON. Raises MachineError where OpenTimelineIO is missing."""
    try:
        from opentimelineio import opentime, schema
    except ModuleNotFoundError as error:
        hint = "the format otio needs OpenTimelineIO: pip install 'vmr_agent[edit]'"
        raise MachineError(hint) from error
    rate = counted(report.video)
    begins = opentime.RationalTime(hour(rate), float(rate.exact))
    timeline = schema.Timeline(question(report), global_start_time=begins)
    timeline.metadata["vmr_agent"] = {
        "query": clean(report.query),
        "status": report.status,
        "fingerprint": clean(report.video.fingerprint),
        "rate": str(rate.exact),
        "version": clean(report.version),
    }
    for kind, there in (("Video", report.video.has_picture), ("Audio", report.video.has_audio)):
        if there:
            clips = [_clip(report, rank, each, rate) for rank, each in in_order(report)]
            timeline.tracks.append(schema.Track("moments", children=clips, kind=kind))
    return f"{timeline.to_json_string(indent=2)}\n"


def _clip(report: RunReport, rank: int, moment: Moment, rate: Rate) -> schema.Clip:
    from opentimelineio import opentime, schema

    def stretch(first: int, behind: int) -> Any:
        fps = float(rate.exact)
        start = opentime.RationalTime(first, fps)
        return opentime.TimeRange(start, opentime.RationalTime(behind - first, fps))

    video = report.video
    shown = stretch(*frames(moment.span, rate, video.duration))
    whole = stretch(0, max(rate.frame(video.duration), shown.end_time_exclusive().to_frames()))
    told = _told(rank, moment)
    mark = schema.Marker(question(report), shown, schema.MarkerColor.GREEN, {"vmr_agent": told})
    return schema.Clip(
        reason(report, moment),
        schema.ExternalReference(address(video), whole, {"name": file_name(video)}),
        shown,
        markers=[mark],
        metadata={"vmr_agent": told},
    )


def _told(rank: int, moment: Moment) -> dict[str, Any]:
    return {
        "rank": rank,
        "score": moment.score,
        "start": moment.span.start,
        "end": moment.span.end,
        "evidence": [
            {"source": why.source, "note": clean(why.note), "score": why.score}
            | ({"start": why.span.start, "end": why.span.end} if why.span else {})
            for why in moment.evidence
        ],
    }


def address(video: Video) -> str:
    """The film as a ``file:`` address; of a path that is not absolute, only its name."""
    if not Path(video.path).is_absolute():
        return quote(file_name(video))
    # Python's own way keeps the bytes of names that are no text, as a system has them.
    escaped = all(not "\ud800" <= each <= "\udfff" or "\udc80" <= each <= "\udcff"
                  for each in video.path)  # fmt: skip
    return f"file://{quote(video.path, errors='surrogateescape' if escaped else 'replace')}"
