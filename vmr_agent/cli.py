"""The command line: ``vmr find``, ``vmr index``, ``vmr search``, ``vmr doctor``.

Results go to stdout, everything else to stderr. Exit codes: 0 at least one moment, 1 none, 2 the
caller's mistake, 3 the machine's or a service's, 70 a bug of ours, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, cast

import typer
from typer.main import get_command

from vmr_agent import __version__
from vmr_agent.errors import MachineError, VmrError

if TYPE_CHECKING:
    from vmr_agent.agent import Watcher
    from vmr_agent.room import Progress

BUG, STOPPED, UNREAD = 70, 130, 141  # as other programs exit: EX_SOFTWARE, 128 + SIGINT, + SIGPIPE
MISUSE = cast(type[typer.BadParameter], typer.BadParameter.__bases__[0])  # not exported itself

app = typer.Typer(
    help="Verified moments from video: when it happens, every time, how sure, and why.",
    epilog="Exit codes: 0 found, 1 not found, 2 a wrong call, 3 something missing on this machine.",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)

Film = Annotated[Path, typer.Argument(metavar="FILM", help="A video or sound file.")]
Question = Annotated[
    str, typer.Argument(metavar="QUERY", help='What to look for: "a cup of coffee".')
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
Limit = Annotated[int, typer.Option(min=1, help="How many at most.")]


@app.command()
def find(film: Film, query: Question, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Find every moment of FILM that QUERY describes."""
    with _work(quiet) as watcher:
        from vmr_agent.agent import VMRAgent
        from vmr_agent.show import page

        report = VMRAgent(progress=watcher).run(film, query)
    text = _json(report.model_dump(mode="json")) if as_json else page(report)
    _answer(text, 0 if report.moments else 1)


@app.command()
def index(film: Film, quiet: Quiet = False) -> None:
    """Do the once-per-video half ahead of time."""
    with _work(quiet) as watcher:
        from vmr_agent.agent import VMRAgent
        from vmr_agent.show import plain

        video = VMRAgent(progress=watcher).index(film)
    _answer(f"{plain(video.path)}: {video.duration:.1f} s, {video.coverage:.0%} decoded\n", 0)


@app.command()
def search(query: Question, limit: Limit = 10, as_json: AsJson = False) -> None:
    """Look for QUERY in all films indexed so far.

    A shortlist of what is seen, said or written there; nothing of it is verified.
    """
    with _work(quiet=True):
        from vmr_agent.agent import VMRAgent
        from vmr_agent.show import shortlist

        hits = VMRAgent().search(query, limit)
    if not hits:
        _say("nothing found; only films given to vmr index or vmr find are searched")
    text = _json([hit.model_dump(mode="json") for hit in hits]) if as_json else shortlist(hits)
    _answer(text, 0 if hits else 1)


@app.command()
def doctor() -> None:
    """Check this machine: models and weights.

    Says which would do what, and whether every weight file is the recorded one.
    """
    with _work(quiet=True):
        from vmr_agent.doctor import examine

        lines, healthy = examine()
    _answer("".join(f"{line}\n" for line in lines), 0 if healthy else 3)


def _version(wanted: bool) -> None:
    if wanted:
        _answer(f"vmr_agent {__version__}\n", 0)


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Verified moments from video: when it happens, every time, how sure, and why."""
    if context.invoked_subcommand is None:
        sys.stderr.write(context.get_help() + "\n")
        raise typer.Exit(2)


def _json(content: Any) -> str:
    # In ASCII: whatever a film says, no control character of it reaches a terminal.
    return json.dumps(content, indent=2) + "\n"


def _answer(text: str, code: int) -> NoReturn:
    """Write the result, the only thing that goes to stdout, and leave."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough. Python would try again, and complain, when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(UNREAD) from None
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise MachineError(f"the answer cannot be written: {error.strerror}") from error
    raise typer.Exit(code)


def _say(message: str) -> None:
    from vmr_agent.show import plain

    sys.stderr.write(f"vmr: {plain(' '.join(message.split()))}\n")


@contextmanager
def _work(quiet: bool) -> Iterator[Watcher | None]:
    """Where the rooms are busy: stdout is kept for the result alone, people see progress."""
    with redirect_stdout(sys.stderr):
        if quiet or not sys.stderr.isatty():
            yield None
        else:
            with _progress() as watcher:
                yield watcher


@contextmanager
def _progress() -> Iterator[Watcher]:
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Bars(*columns, console=console, transient=True) as bars:
        tasks = {}

        def watch(event: Progress) -> None:
            if event.room not in tasks:
                tasks[event.room] = bars.add_task(event.room, total=event.total or None)
            bars.update(tasks[event.room], completed=event.done)

        yield watch


def _stop(*_: object) -> None:
    """Ctrl-C. Nothing can interrupt a room at work, and what is shelved is whole at any instant."""
    below = "\x1b[?25h\n" if sys.stderr.isatty() else ""  # the bars, whose cursor is hidden
    line = f"{below}vmr: stopped; what was finished is kept, run it again to go on\n"
    os.write(2, line.encode())
    os._exit(STOPPED)


def _bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What nobody expected. Python's own exit code would be 1, which here means: not found."""
    sys.__excepthook__(kind, error, trace)
    sys.stderr.flush()
    os._exit(BUG)


def main() -> None:
    """Run the command line: errors of ours are one line on stderr and an exit code."""
    sys.excepthook = _bug
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)
    for stream in (sys.stdout, sys.stderr):
        cast(Any, stream).reconfigure(errors="replace")
    try:
        sys.exit(get_command(app).main(prog_name="vmr", standalone_mode=False))
    except VmrError as error:
        _say(str(error))
        sys.exit(error.exit_code)
    except MISUSE as error:
        where = error.ctx.command_path if error.ctx else "vmr"
        _say(f"{error.format_message().rstrip('.')}; see {where} --help")
        sys.exit(2)
