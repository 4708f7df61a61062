"""The command line: one file a command, ``cli/NAME.py``; one line here, ``_add(NAME)``.

The style of all of them, so that who knows one knows the others:

- **Streams.** The result goes to stdout, once and whole, by ``streams.answer(text, code)``; notes
  by ``streams.say``, one line on stderr. Work happens inside ``streams.work(quiet)``, which keeps
  libraries off stdout and shows progress, on stderr and only to a terminal. Colours only where the
  stream is a terminal, not with NO_COLOR or TERM=dumb.
- **Exit codes.** 0 done, and where something was looked for: found; 1 looked for in vain; 2 the
  caller's mistake; 3 the machine's or a service's; 70 a bug of ours; 130 stopped by Ctrl-C, 143 by
  SIGTERM (``cli.guard``), 141 nobody reads any more. Raise our errors, they carry their code;
  ``raise MISUSE("… go together", context)`` for options that contradict each other.
- **Errors** are one line on stderr that says what to do, before heavy work, with ``--json`` too:
  then stdout is empty. Nothing half-written is left behind.
- **Words.** What is worked on are arguments (FILM, QUERY, PATH), in that order; everything else has
  a long option with hyphens. The same word means the same everywhere; take it from ``cli.options``:
  ``--json`` (every command that has a result), ``--quiet``, ``-q`` (every one that works for long),
  ``--profile`` and ``--set SETTING=VALUE`` (every one that opens films or asks, by
  ``VMRAgent(settings(profile, set_))``), ``--limit``, ``--out``, ``-o`` (what is made), ``--force``
  (replace what is there: without it that is an error, exit code 2). Choices are a Literal, so that
  help and completion know them. No option is called by a negative; help texts are one sentence.
- **JSON** by ``streams.dump``: one value, ASCII, numbers as numbers, null for what there is not;
  ``index`` alone gives a line for each film, as they get done. Its shape is in docs/cli.md; names
  in it are added, never changed.
- **Help.** The docstring says in one sentence what the command does, then what is worth knowing,
  and ends with ``Examples:``, an empty line and two or three calls, one a line, which a test runs,
  with ``film.mp4`` the demo film and ``report.json`` what ``vmr find film.mp4 … --json`` printed.
- **Speed.** ``--help``, completion and a call that cannot work load neither numpy nor a model
  library: import what does the work inside the function.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from io import StringIO
from types import TracebackType
from typing import Annotated, Any

import typer
from typer.main import get_command

from vmr_agent import __version__
from vmr_agent.cli.completion import ASKED, completion, learn
from vmr_agent.cli.cut import cut
from vmr_agent.cli.demo import demo
from vmr_agent.cli.doctor import doctor
from vmr_agent.cli.eval import evaluate
from vmr_agent.cli.export import export
from vmr_agent.cli.find import find
from vmr_agent.cli.guard import BUG
from vmr_agent.cli.index import index
from vmr_agent.cli.mcp import mcp
from vmr_agent.cli.options import MISUSE
from vmr_agent.cli.score import score
from vmr_agent.cli.search import search
from vmr_agent.cli.serve import serve
from vmr_agent.cli.streams import answer, leave, say
from vmr_agent.cli.train import train
from vmr_agent.errors import MachineError, VmrError
from vmr_agent.files import FULL

app = typer.Typer(
    help="Verified moments from video: when it happens, every time, how sure, and why.",
    epilog="\b\nExit codes:\n"
    "  0    done; where something was looked for, found\n"
    "  1    looked for in vain\n"
    "  2    a wrong call\n"
    "  3    something is missing on this machine, or a service did not answer\n"
    "  70   a bug\n"
    "  130  stopped by Ctrl-C; 143 by SIGTERM; 141 nobody read on\n"
    "\n"
    "vmr COMMAND --help has examples. Settings: --set retrieve.top_k=50, or VMR_RETRIEVE__TOP_K=50 "
    "in the environment.",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)


def _add(command: Callable[..., None], name: str | None = None, **options: Any) -> None:
    """Its docstring is its help, with the examples after the options, line by line."""
    told, _, examples = inspect.cleandoc(command.__doc__ or "").partition("\n\nExamples:\n\n")
    lines = "".join(f"\n  {line}" for line in examples.splitlines())
    epilog = f"\b\nExamples:{lines}" if examples else None
    app.command(name, help=told, epilog=epilog, **options)(command)


_add(find)
_add(index)
_add(search)
_add(export)
_add(cut)
_add(score)
_add(train)
# What comes after WHAT is the evaluation's own.
_add(evaluate, "eval", context_settings={"allow_interspersed_args": False})
_add(serve)
_add(mcp)
_add(doctor)
_add(demo)
_add(completion)


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
    if ASKED in os.environ:
        learn()
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
    except OSError as error:
        if error.errno not in FULL:
            raise
        say(f"{error.strerror}: free some room")
        leave(MachineError.exit_code)
    except MISUSE as error:
        first = next(iter(sys.argv[1:]), "")
        known = f"vmr {first}" if first in get_command(app).commands else "vmr"  # type: ignore[attr-defined]
        where = error.ctx.command_path if error.ctx else known
        told = error.format_message().replace("Value error, ", "").rstrip(".")
        say(f"{told}; see {where} --help")
        sys.exit(2)
