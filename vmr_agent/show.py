"""A report for people: a few lines, or a table. What a film says or shows is data, never code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.table import Column, Table
from rich.text import Text

from vmr_agent.report import Cost, RunReport
from vmr_agent.types import COUNTS, Hit, Moment

if TYPE_CHECKING:
    from vmr_agent.artefacts import Shelved

JOINERS = "\u200c\u200d"  # invisible, harmless, and Persian and emoji fall apart without them


def plain(text: str) -> str:
    """The text without anything that a terminal would obey: one line, ``�`` for what is taken out.

    >>> plain("two\\nlines, \\x1b[31mred")
    'two lines, �[31mred'
    """
    spaced = (" " if letter.isspace() else letter for letter in text)
    return "".join(c if c.isprintable() or c in JOINERS else "�" for c in spaced)


def clock(seconds: float) -> str:
    """``75.25`` as ``1:15.2``; hours only where there are any."""
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


def when(moment: Moment | Hit) -> str:
    """``0:12.5 – 0:20.0``."""
    return f"{clock(moment.span.start)} – {clock(moment.span.end)}"


def why(moment: Moment) -> str:
    """The most telling reason, in plain words, and what sound counted where that was weighed."""
    weighed = (e.note for e in moment.evidence if e.source == "retrieval")
    counts = next((note for note in weighed if note.startswith(COUNTS)), "")
    return "; ".join(told for told in (_leading(moment), counts) if told)


def _leading(moment: Moment) -> str:
    leading = max(
        (e for e in moment.evidence if e.source in ("picture", "speech", "text", "sound")),
        key=lambda reason: reason.score,
        default=None,
    )
    captions = [reason.note for reason in moment.evidence if reason.source == "caption"]
    if leading is not None and leading.source != "picture":
        return plain(leading.note)
    return plain(captions[0] if captions else (leading.note if leading else ""))


def verdict(report: RunReport) -> str:
    """One line: found how often, or not in there."""
    if report.moments:
        count = len(report.moments)
        return f"{report.query!r}: {count} moment{'s' if count > 1 else ''}"
    nearest = report.rejected
    best = f"; nearest was {when(nearest)} ({nearest.score:.0%}, {why(nearest)})" if nearest else ""
    return f"{report.query!r}: not found{_so_far(report)}{best}"


def _so_far(report: RunReport) -> str:
    """How far a search came that could not come to its end."""
    if report.status != "partial":
        return ""
    if any(fault.kind in ("budget", "chat") for fault in report.faults):
        return " with what the chat model could still be asked"
    return f" in the {report.coverage.picture:.0%} of the picture that could be decoded"


def sentence(report: RunReport) -> str:
    """A few lines of plain text."""
    lines = [f"  {when(m)}  {m.score:.0%}  {why(m)}" for m in report.moments]
    faults = [f"  note: {plain(fault.message)}" for fault in report.faults]
    return "\n".join([verdict(report), *lines, *faults])


def table(report: RunReport) -> Group:
    """A table of moments for a terminal: when, how sure, why."""
    parts: list[Table | Text] = [Text(verdict(report), style="bold")]
    if report.moments:
        grid = Table("when", "how sure", "why", box=None, padding=(0, 2, 0, 0))
        for moment in report.moments:
            # Text, never markup.
            grid.add_row(when(moment), f"{moment.score:.0%}", Text(why(moment)))
        parts.append(grid)
    parts += [Text(f"note: {plain(fault.message)}", style="dim") for fault in report.faults]
    return Group(*parts)


def page(report: RunReport) -> str:
    """What ``vmr find`` prints: a table in a terminal, else unbroken lines that can be grepped."""
    console = Console()
    if not console.is_terminal:
        return sentence(report) + "\n"
    with console.capture() as held:
        console.print(table(report))
    return held.get()


def bill(cost: Cost) -> str:
    """What ``vmr find --cost`` says: ``4 calls, 5210 tokens in, 320 out, 24 pictures, …``."""
    money = "price not known" if cost.money is None else f"${cost.money:.4f}"
    guess = "" if cost.counted else " (tokens are our own guess)"
    parts = (
        f"{cost.calls} call{'s' * (cost.calls != 1)}",
        f"{cost.tokens_in} tokens in",
        f"{cost.tokens_out} out",
        f"{cost.images} picture{'s' * (cost.images != 1)}",
        f"{cost.seconds:.1f} s",
        money,
    )
    return ", ".join(parts) + guess


def shortlist(hits: Iterable[Hit]) -> str:
    """What ``vmr search`` prints: when, in what way, how near, and in which film."""
    lines = (f"{when(h):19}  {h.kind:7}  {h.cosine:.2f}  {plain(h.path)}\n" for h in hits)
    return "".join(lines)


def amount(size: int) -> str:
    """``412300000`` as ``412.3 MB``."""
    value, units = float(size), iter(("B", "kB", "MB", "GB"))
    unit = next(units)
    for larger in units:
        if value < 999.95:
            break
        value, unit = value / 1000, larger
    return f"{value:.1f} {unit}" if unit != "B" else f"{size} B"


def inventory(films: Sequence[Shelved], ready: Mapping[str, Sequence[str]]) -> str:
    """What ``vmr index --status`` prints; ``ready`` has the profiles under which a film is whole.

    A table in a terminal, else a line each, with all stages.
    """
    total = sum(sum(film.sizes.values()) for film in films)
    closing = f"{len(films)} film{'s' * (len(films) != 1)}, {amount(total)}\n"
    console = Console()
    if not console.is_terminal:
        return "".join(f"{_listed(film, ready[film.fingerprint])}\n" for film in films) + closing
    grid = Table(Column("film", overflow="fold"), "length", "ready", "version", box=None)
    for head in ("strip", "the rest", "total"):
        grid.add_column(head, justify="right", no_wrap=True)
    for film in films:
        strip, whole = film.sizes.get("strip", 0), sum(film.sizes.values())
        told = (_place(film), _length(film), _ready(film, ready[film.fingerprint]), film.version)
        grid.add_row(*map(Text, told), *map(amount, (strip, whole - strip, whole)))
    with console.capture() as held:
        console.print(grid)
    return held.get() + closing


def dropped(film: Shelved) -> str:
    """What ``vmr index --forget`` prints of a film."""
    return f"{_place(film)}: {amount(sum(film.sizes.values()))} dropped\n"


def _listed(film: Shelved, profiles: Sequence[str]) -> str:
    parts = ", ".join(f"{stage} {amount(size)}" for stage, size in sorted(film.sizes.items()))
    version = film.version and f"version {film.version}, "
    total = amount(sum(film.sizes.values()))
    what = f"{_ready(film, profiles)}, {version}{total} ({parts})"
    return f"{_place(film)}: {_length(film)}, {what}"


def _place(film: Shelved) -> str:
    return plain(film.video.path) if film.video else film.fingerprint


def _length(film: Shelved) -> str:
    return clock(film.video.duration) if film.video else "?"


def _ready(film: Shelved, profiles: Sequence[str]) -> str:
    """Whether it is under the settings in force, and which profiles would find it so."""
    which = f" ({', '.join(profiles)})" if profiles else ""
    return f"{'ready' if film.ready else 'not ready'}{which}"
