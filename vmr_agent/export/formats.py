"""The formats, in one table; a report as text in one of them, or as a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from vmr_agent.errors import ExportError
from vmr_agent.export.edl import edl
from vmr_agent.export.ffmetadata import ffmetadata
from vmr_agent.export.html import html
from vmr_agent.export.otio import otio
from vmr_agent.export.qvhighlights import jsonl_many, jsonl_one
from vmr_agent.export.records import json_many, json_one
from vmr_agent.export.saving import put
from vmr_agent.export.sheet import csv_many, csv_one
from vmr_agent.export.subtitles import srt, vtt, vtt_chapters
from vmr_agent.export.timecode import counted
from vmr_agent.report import RunReport


class Format(NamedTuple):
    """A form in which an answer can be told."""

    name: str
    suffix: str
    """How names of such files end."""
    media: str
    """Media type."""
    one: Callable[[RunReport], str]
    many: Callable[[Sequence[RunReport]], str] | None = None
    """The same of several reports, where the format can hold them."""
    framed: bool = False
    """Whether it counts frames."""


FORMATS = {
    each.name: each
    for each in (
        Format("json", ".json", "application/json", json_one, json_many),
        Format("jsonl", ".jsonl", "application/jsonl", jsonl_one, jsonl_many),
        Format("csv", ".csv", "text/csv", csv_one, csv_many),
        Format("srt", ".srt", "application/x-subrip", srt),
        Format("vtt", ".vtt", "text/vtt", vtt),
        Format("vtt-chapters", ".chapters.vtt", "text/vtt", vtt_chapters),
        Format("edl", ".edl", "text/plain", edl, framed=True),
        Format("otio", ".otio", "application/json", otio, framed=True),
        Format("ffmetadata", ".ffmetadata", "text/plain", ffmetadata),
        Format("html", ".html", "text/html", html),
    )
}
"""By name."""


def named(name: str) -> Format:
    """The format of that name. Raises ExportError."""
    if name not in FORMATS:
        raise ExportError(f"there is no format {name!r}: {', '.join(FORMATS)}")
    return FORMATS[name]


def by_suffix(path: str | Path) -> Format:
    """The format that names of such files have. Raises ExportError."""
    name = Path(path).name.lower()
    found = [each for each in FORMATS.values() if name.endswith(each.suffix)]
    if not found:
        endings = ", ".join(each.suffix for each in FORMATS.values())
        raise ExportError(f"{name!r} does not say which format: end it in {endings}, or say --to")
    return max(found, key=lambda each: len(each.suffix))


def text(reports: RunReport | Sequence[RunReport], to: str) -> str:
    """The answer, or answers, in the format of that name.

    Raises ExportError for what the format cannot hold, MachineError where a package is missing.
    """
    form = named(to)
    several = [reports] if isinstance(reports, RunReport) else list(reports)
    if not several:
        raise ExportError("there is no report to be exported")
    if len(several) == 1:
        return form.one(several[0])
    if form.many is None:
        able = ", ".join(each.name for each in FORMATS.values() if each.many)
        raise ExportError(f"{to} takes one report, not {len(several)}; several go into {able}")
    return form.many(several)


def write(
    reports: RunReport | Sequence[RunReport], path: str | Path, to: str | None = None
) -> Path:
    """Put the answer into a file, whole or not at all; what was there is replaced.

    Without ``to`` the name's ending tells the format. Raises ExportError, also where the file
    cannot be written.
    """
    out = Path(path)
    told = text(reports, to or by_suffix(out).name)
    put(out, told)
    return out


def notes(report: RunReport, form: Format) -> Iterator[str]:
    """What whoever exports the report should know: a line each."""
    if not report.moments:
        yield f"{report.query!r}: nothing was found; there is no moment in the {form.name}"
    if report.status == "partial":
        yield f"{report.query!r}: not all of the film could be searched"
    if form.framed and (why := counted(report.video).why):
        yield f"{Path(report.video.path).name}: {why}"
