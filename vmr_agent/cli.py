"""The command line: ``vmr find``, ``vmr index``, ``vmr search``, ``vmr doctor``.

Results go to stdout, everything else to stderr. Exit codes: 0 at least one moment, 1 none,
2 the caller's mistake, 3 the machine's or a service's.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vmr_agent import __version__
from vmr_agent.errors import VmrError

if TYPE_CHECKING:
    from vmr_agent.agent import Watcher

app = typer.Typer(
    help="Verified moments from video: when it happens, every time, how sure, and why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Film = Annotated[Path, typer.Argument(help="A video or sound file.")]
Question = Annotated[str, typer.Argument(help="What to look for, in plain words.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]


@app.command()
def find(film: Film, query: Question, json: AsJson = False, quiet: Quiet = False) -> None:
    """Find every moment of FILM that QUERY describes."""
    with _work(quiet) as watcher:
        from vmr_agent.agent import VMRAgent

        report = VMRAgent(progress=watcher).run(film, query)
    if json:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    else:
        from rich.console import Console

        from vmr_agent.show import table

        Console().print(table(report))
    raise typer.Exit(0 if report.moments else 1)


@app.command()
def index(film: Film, quiet: Quiet = False) -> None:
    """Do the once-per-video half ahead of time."""
    with _work(quiet) as watcher:
        from vmr_agent.agent import VMRAgent

        video = VMRAgent(progress=watcher).index(film)
    sys.stdout.write(f"{video.path}: {video.duration:.1f} s, {video.coverage:.0%} decoded\n")


@app.command()
def search(query: Question, limit: int = 10, json: AsJson = False) -> None:
    """Where in all films indexed so far something like QUERY is seen, said or written."""
    with _work(quiet=True):
        from vmr_agent.agent import VMRAgent

        hits = VMRAgent().search(query, limit)
    if json:
        import json as writer

        sys.stdout.write(writer.dumps([hit.model_dump() for hit in hits], indent=2) + "\n")
    else:
        for hit in hits:
            start, end = hit.span.start, hit.span.end
            sys.stdout.write(
                f"{start:9.1f} {end:9.1f}  {hit.kind:8} {hit.cosine:.2f}  {hit.path}\n"
            )
    raise typer.Exit(0 if hits else 1)


@app.command()
def doctor() -> None:
    """Say which models would do what on this machine, and whether their weights are right."""
    with _work(quiet=True):
        from vmr_agent.doctor import examine

        lines, healthy = examine()
    sys.stdout.write("\n".join(lines) + "\n")
    raise typer.Exit(0 if healthy else 3)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"vmr_agent {__version__}\n")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Verified moments from video: when it happens, every time, how sure, and why."""


@contextmanager
def _work(quiet: bool) -> Iterator[Watcher | None]:
    """Errors of ours become one line and an exit code; stdout is kept for the result alone."""
    try:
        with redirect_stdout(sys.stderr):
            if quiet:
                yield None
            else:
                with _progress() as watcher:
                    yield watcher
    except VmrError as error:
        sys.stderr.write(f"vmr: {' '.join(str(error).split())}\n")
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        sys.stderr.write("vmr: stopped; what was finished is kept, run it again to go on\n")
        raise typer.Exit(130) from None


@contextmanager
def _progress() -> Iterator[Watcher]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from vmr_agent import room

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        tasks = {}

        def watch(event: room.Progress) -> None:
            if event.room not in tasks:
                tasks[event.room] = bars.add_task(event.room, total=event.total or None)
            bars.update(tasks[event.room], completed=event.done)

        yield watch


def main() -> None:
    """Run the command line."""
    app()
