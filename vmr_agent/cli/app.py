"""The command line: ``vmr find``, ``vmr index``, ``vmr search``, ``vmr train``, ``vmr score``,
``vmr serve``, ``vmr doctor``.

Results go to stdout, everything else to stderr. Exit codes: 0 at least one moment, 1 none, 2 the
caller's mistake, 3 the machine's or a service's, 70 a bug of ours, 130 stopped by Ctrl-C, 143 by
SIGTERM (see ``vmr_agent.cli.guard``).
"""

from __future__ import annotations

import sys
from io import StringIO
from types import TracebackType
from typing import Annotated, Any

import typer
from typer.main import get_command

from vmr_agent import __version__
from vmr_agent.cli.guard import BUG
from vmr_agent.cli.index import MISUSE, AsJson, Profile, Quiet, index, profiled
from vmr_agent.cli.score import score
from vmr_agent.cli.serve import serve
from vmr_agent.cli.streams import answer, dump, leave, say, work
from vmr_agent.cli.train import train
from vmr_agent.errors import VmrError

app = typer.Typer(
    help="Verified moments from video: when it happens, every time, how sure, and why.",
    epilog="Exit codes: 0 found, 1 not found, 2 a wrong call, 3 something missing on this machine.",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)

Film = Annotated[str, typer.Argument(metavar="FILM", help="A video or sound file.")]
Question = Annotated[
    str, typer.Argument(metavar="QUERY", help='What to look for: "a cup of coffee".')
]
Limit = Annotated[int, typer.Option(min=1, help="How many at most.")]


@app.command()
def find(
    film: Film,
    query: Question,
    profile: Profile = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    cost: Annotated[bool, typer.Option("--cost", help="Say what chat models were asked.")] = False,
) -> None:
    """Find every moment of FILM that QUERY describes."""
    with work(quiet) as board:
        from vmr_agent.agent import VMRAgent
        from vmr_agent.show import bill, page

        watch = board.watch if board else None
        report = VMRAgent(profiled(profile), progress=watch).run(film, query)
    if cost:
        say(f"{report.models['chat']}: {bill(report.cost)}")
    text = dump(report.model_dump(mode="json")) if as_json else page(report)
    answer(text, 0 if report.moments else 1)


app.command()(index)


@app.command()
def search(query: Question, limit: Limit = 10, as_json: AsJson = False) -> None:
    """Look for QUERY in all films indexed so far.

    A shortlist of what is seen, said or written there; nothing of it is verified.
    """
    with work(quiet=True):
        from vmr_agent.agent import VMRAgent
        from vmr_agent.show import shortlist

        hits = VMRAgent().search(query, limit)
    if not hits:
        say("nothing found; only films given to vmr index or vmr find are searched")
    text = dump([hit.model_dump(mode="json") for hit in hits]) if as_json else shortlist(hits)
    answer(text, 0 if hits else 1)


app.command()(train)
app.command()(score)
app.command()(serve)


@app.command()
def doctor() -> None:
    """Check this machine: models and weights.

    Says which would do what, and whether every weight file is the recorded one.
    """
    with work(quiet=True):
        from vmr_agent.doctor import examine

        lines, healthy = examine()
    answer("".join(f"{line}\n" for line in lines), 0 if healthy else 3)


def _version(wanted: bool) -> None:
    if wanted:
        answer(f"vmr_agent {__version__}\n", 0)


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


def _bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What nobody expected. Python's own exit code would be 1, which here means: not found."""
    sys.__excepthook__(kind, error, trace)
    leave(BUG)


def main() -> None:
    """Run the command line: errors of ours are one line on stderr and an exit code."""
    sys.excepthook = _bug
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)
        if stream is None:  # closed by whoever called
            setattr(sys, name, StringIO())
        else:
            stream.reconfigure(errors="replace")
    try:
        sys.exit(get_command(app).main(prog_name="vmr", standalone_mode=False))
    except VmrError as error:
        say(str(error))
        leave(error.exit_code)
    except MISUSE as error:
        where = error.ctx.command_path if error.ctx else "vmr"
        say(f"{error.format_message().rstrip('.')}; see {where} --help")
        sys.exit(2)
