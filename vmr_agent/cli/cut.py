"""``vmr cut``: the moments of a report as films of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vmr_agent.cli.export import read_file, vacant
from vmr_agent.cli.guard import tidily
from vmr_agent.cli.options import AsJson, Film, Force, Out, Quiet, Set, settings
from vmr_agent.cli.streams import answer, dump, say, work
from vmr_agent.errors import ExportError

if TYPE_CHECKING:
    from vmr_agent.export.clips import Clip
    from vmr_agent.report import RunReport

LATE = 0.05
"""Seconds that a clip may begin too early without a word."""

Report = Annotated[
    str, typer.Argument(metavar="REPORT", help="What vmr find --json printed; - is piped in.")
]
Exact = Annotated[
    bool, typer.Option("--exact", help="Cut to the frame, encoded anew as H.264 and AAC.")
]
Pad = Annotated[float, typer.Option("--pad", min=0, max=3600, help="Seconds more at both ends.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="How many at most, best first.")]


def cut(
    film: Film,
    report: Report,
    out: Out,
    exact: Exact = False,
    pad: Pad = 0.0,
    limit: Limit = None,
    set_: Set = None,
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Cut the moments of REPORT out of FILM.

    A clip each goes into the folder --out, best first. Nothing is encoded anew unless --exact says
    so: a clip then begins at the last key frame before its moment, and how long before is said.
    Exit code 1 where the report found nothing.

    Examples:

    vmr cut film.mp4 report.json --out clips
    vmr cut film.mp4 report.json --out exact --exact --pad 1 --limit 1
    """
    with work(quiet) as board, tidily():
        from vmr_agent.cli.board import CUT
        from vmr_agent.events import Progress
        from vmr_agent.export.clips import cut_all, planned
        from vmr_agent.settings import from_environment

        limits = (settings(None, set_) or from_environment()).video
        asked = _asked(report, Path(film).absolute())
        if not asked.moments:
            say(f"{asked.query!r}: nothing was found; there is nothing to be cut")
            answer(dump([]) if as_json else "", 1)
        how: Any = {"exact": exact, "pad": pad, "limit": limit}
        plan = planned(asked, out, **how)
        total = sum(span.length for _, span in plan)

        def watch(done: float) -> None:
            if board:
                board.watch(Progress(CUT, done, total, film))

        with _folder(out):
            for path, _ in plan:
                vacant(path, force)
            made = list(cut_all(asked, out, **how, limits=limits, watch=watch))
    for line in filter(None, map(_early, made)):
        say(line)
    text = dump([_record(each) for each in made]) if as_json else "".join(map(_line, made))
    answer(text, 0)


def _asked(name: str, film: Path) -> RunReport:
    """The report, of the film where it lies now. Raises ExportError for another film."""
    from vmr_agent.export.clips import same_film

    found = read_file(name)
    if len(found) > 1:
        raise ExportError(f"{name!r} holds {len(found)} reports: give one")
    same_film(film, found[0])
    here = found[0].video.model_copy(update={"path": str(film)})
    return found[0].model_copy(update={"video": here})


@contextmanager
def _folder(folder: Path) -> Iterator[None]:
    """There for the clips; gone again if it was not there before and none went into it."""
    fresh = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ExportError(f"{str(folder)!r} is no folder for clips: {reason}") from error
    try:
        yield
    finally:
        for each in fresh:
            with suppress(OSError):  # it has clips
                each.rmdir()


def _early(clip: Clip) -> str:
    """What is said of a clip that begins before its moment."""
    told = f"begins {clip.early:.1f} s early, at a key frame; --exact cuts to the frame"
    return f"{Path(clip.path).name}: {told}" if clip.early > LATE else ""


def _line(clip: Clip) -> str:
    from vmr_agent.show import clock, plain

    return f"{plain(clip.path)}: {clock(clip.span.start)} – {clock(clip.span.end)}\n"


def _record(clip: Clip) -> dict[str, Any]:
    return {**clip.model_dump(mode="json"), "early": round(clip.early, 3)}
