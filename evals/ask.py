"""Ask a film all the questions whose answers are known, and print truth beside answer.

    python -m evals.ask evals/demo/demo_film.mp4 evals/demo/demo_film.json
    python -m evals.ask joined.mp4 joined.json --first --absent absent.txt

The truth is what ``evals.demo_film``, ``evals.join`` and ``evals.needle`` write; when an answer is
right, ``vmr_agent.demo`` says. ``vmr demo`` is the first of the two.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import Progress as Bars

from evals.chosen import add_options, chosen
from vmr_agent import Settings, VMRAgent, VmrError
from vmr_agent.demo import ENOUGH as ENOUGH
from vmr_agent.demo import Answer as Answer
from vmr_agent.demo import Question as Question
from vmr_agent.demo import answers as asked
from vmr_agent.demo import is_right as is_right
from vmr_agent.demo import load as load
from vmr_agent.demo import table, tally
from vmr_agent.events import Progress


def with_absent(questions: list[Question], absent: Path | None) -> list[Question]:
    """The same, and those of a file of questions about nothing in the film, one in a line."""
    lines = absent.read_text(encoding="utf-8").splitlines() if absent else ()
    return questions + [Question(line.strip(), ()) for line in lines if line.strip()]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m evals.ask", description=__doc__.split("\n")[0])
    parser.add_argument("film", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--first", action="store_true", help="only the first question of each clip")
    add_options(parser)
    parser.add_argument("--absent", type=Path, help="a file of questions about nothing in the film")
    options = parser.parse_args()
    try:
        questions = with_absent([*load(options.truth, options.first)], options.absent)
        answers = answer_all(options.film, questions, chosen(options.set, options.without))
    except VmrError as error:
        parser.exit(error.exit_code, f"evals.ask: {error}\n")
    except OSError as error:
        told = f"{str(error.filename)!r}: {error.strerror}; give a truth file, as of the demo film"
        parser.exit(2, f"evals.ask: {told}\n")
    except (KeyError, TypeError, ValueError) as error:
        parser.exit(2, f"evals.ask: {options.truth} is no truth file ({error!r})\n")
    console = Console(width=None if sys.stdout.isatty() else 150)
    console.print(table(answers))
    console.print(tally(answers))


def answer_all(film: Path, questions: list[Question], settings: Settings) -> list[Answer]:
    """Ask one agent everything, with progress on stderr."""
    with Bars(console=Console(stderr=True), transient=True) as bars:
        tasks = {}

        def watch(event: Progress) -> None:
            if event.room not in tasks:
                tasks[event.room] = bars.add_task(event.room, total=event.total or None)
            bars.update(tasks[event.room], completed=event.done)

        agent = VMRAgent(settings, progress=watch)
        return list(asked(agent, film, questions))


if __name__ == "__main__":
    main()
