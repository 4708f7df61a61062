"""``vmr export``: what ``vmr find --json`` printed, in the format of another program."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vmr_agent.cli.guard import tidily
from vmr_agent.cli.options import Force
from vmr_agent.cli.streams import say, write
from vmr_agent.errors import ExportError

if TYPE_CHECKING:
    from vmr_agent.report import RunReport

PIPED = "-"

Reports = Annotated[
    list[str],
    typer.Argument(metavar="REPORT", help="What vmr find --json printed; - is what is piped in."),
]
To = Annotated[
    Literal[
        "json", "jsonl", "csv", "srt", "vtt", "vtt-chapters", "edl", "otio", "ffmetadata", "html"
    ]
    | None,
    typer.Option("--to", help="The format; the ending of --out where not given."),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FILE", help="Where it goes; - or nothing is stdout."),
]


def export(reports: Reports, to: To = None, out: Out = None, force: Force = False) -> None:
    """Tell a REPORT in another program's format.

    Several go into json, jsonl and csv. A report that found nothing makes a file without moments.

    Examples:

    vmr export report.json --out moments.srt
    vmr export report.json --to vtt-chapters > chapters.vtt
    vmr find film.mp4 "a cup of coffee" --json | vmr export - --to edl
    """
    from vmr_agent.export import by_suffix, named, notes, text
    from vmr_agent.export.saving import put

    out = None if str(out) == PIPED else out
    if to is None and out is None:
        raise ExportError("say which format: --to FORMAT, or --out FILE with a known ending")
    form = named(to) if to else by_suffix(out or "")
    if out is not None:
        vacant(out, force)
    found = [report for each in reports for report in read_file(each)]
    told = text(found, form.name)
    if out is not None:
        with tidily():
            put(out, told)
    for line in (line for report in found for line in notes(report, form)):
        say(line)
    if out is None:
        write(told, "utf-8")  # as the formats want it, whatever the terminal has


def vacant(path: Path, force: bool) -> None:
    """Raises ExportError for a file that is there and may not be replaced."""
    from vmr_agent.export.saving import free

    free(path)
    if path.exists() and not force:
        raise ExportError(f"{str(path)!r} is there already: name another, or add --force")


def read_file(name: str) -> list[RunReport]:
    """All reports in a file, or in what is piped in. Raises ExportError."""
    from vmr_agent.export import read

    try:
        data = sys.stdin.buffer.read() if name == PIPED else Path(name).read_bytes()
        return read(data.decode("utf-8-sig"), "stdin" if name == PIPED else repr(name))
    except UnicodeDecodeError as error:
        raise ExportError(f"{name!r} is no text: give what vmr find --json printed") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ExportError(f"{name!r}: {reason}; give what vmr find --json printed") from error
