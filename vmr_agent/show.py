"""A report for people: a few lines, or a table."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from vmr_agent.types import Moment, RunReport

REASONS = ("speech", "text", "sound", "caption")  # evidence worth a person's while, in this order


def clock(seconds: float) -> str:
    """``75.25`` as ``1:15.2``; hours only where there are any."""
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


def when(moment: Moment) -> str:
    """``0:12.5 – 0:20.0``."""
    return f"{clock(moment.span.start)} – {clock(moment.span.end)}"


def why(moment: Moment) -> str:
    """The two most telling reasons, in plain words."""
    leading = max(
        (e for e in moment.evidence if e.source in ("picture", "speech", "text", "sound")),
        key=lambda reason: reason.score,
        default=None,
    )
    captions = [reason.note for reason in moment.evidence if reason.source == "caption"]
    if leading is not None and leading.source != "picture":
        return leading.note
    return captions[0] if captions else (leading.note if leading else "")


def verdict(report: RunReport) -> str:
    """One line: found how often, or not in there."""
    if report.moments:
        count = len(report.moments)
        return f"{report.query!r}: {count} moment{'s' if count > 1 else ''}"
    unseen = f" in the {report.coverage.picture:.0%} of the picture that could be decoded"
    where = unseen if report.status == "partial" else ""
    nearest = report.rejected
    best = f"; nearest was {when(nearest)} ({nearest.score:.0%}, {why(nearest)})" if nearest else ""
    return f"{report.query!r}: not found{where}{best}"


def sentence(report: RunReport) -> str:
    """A few lines of plain text."""
    lines = [f"  {when(m)}  {m.score:.0%}  {why(m)}" for m in report.moments]
    faults = [f"  note: {fault.message}" for fault in report.faults]
    return "\n".join([verdict(report), *lines, *faults])


def table(report: RunReport) -> Group:
    """A table of moments for a terminal: when, how sure, why."""
    parts: list[Table | Text] = [Text(verdict(report), style="bold")]
    if report.moments:
        grid = Table("when", "how sure", "why", box=None, padding=(0, 2, 0, 0))
        for moment in report.moments:
            # Text, never markup: what is heard or read in a film is data.
            grid.add_row(when(moment), f"{moment.score:.0%}", Text(why(moment)))
        parts.append(grid)
    parts += [Text(f"note: {fault.message}", style="dim") for fault in report.faults]
    return Group(*parts)
