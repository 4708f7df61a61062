"""Ask a film all the questions whose answers are known, and print truth beside answer.

    python -m evals.ask evals/demo/demo_film.mp4 evals/demo/demo_film.json
    python -m evals.ask joined.mp4 joined.json --first --absent absent.txt

The truth is what ``evals.demo_film``, ``evals.join`` and ``evals.needle`` write. An answer is right
when the first moment overlaps a true one by half (IoU >= 0.5), and where there are several true
ones, when each of them is found; a question about nothing in the film must find nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from evals.chosen import add_options, chosen
from vmr_agent import RunReport, Settings, Span, VMRAgent, VmrError
from vmr_agent.events import Progress
from vmr_agent.show import clock, why

ENOUGH = 0.5  # IoU from which two spans are the same moment


class Question(NamedTuple):
    """A question and every moment that answers it; none when it is about nothing in the film."""

    query: str
    moments: tuple[Span, ...]


class Answer(NamedTuple):
    """What came back, whether it is right, and in how many seconds."""

    question: Question
    report: RunReport
    right: bool
    seconds: float


def load(truth: Path, first: bool) -> Iterator[Question]:
    """The questions of a truth file; with ``first`` only the first about each clip."""
    content = json.loads(truth.read_text(encoding="utf-8"))
    seen: set[str] = set()
    for entry in content["queries"]:
        clip = entry["file"] or entry["query"]
        if not (first and clip in seen):
            yield Question(entry["query"], tuple(Span(**moment) for moment in entry["moments"]))
        seen.add(clip)


def with_absent(questions: list[Question], absent: Path | None) -> list[Question]:
    """The same, and those of a file of questions about nothing in the film, one in a line."""
    lines = absent.read_text(encoding="utf-8").splitlines() if absent else ()
    return questions + [Question(line.strip(), ()) for line in lines if line.strip()]


def is_right(question: Question, report: RunReport) -> bool:
    """See the top of this file."""
    found = [moment.span for moment in report.moments]
    if not question.moments or not found:
        return not question.moments and not found
    if not any(found[0].iou(true) >= ENOUGH for true in question.moments):
        return False
    return all(any(span.iou(true) >= ENOUGH for span in found) for true in question.moments)


def ask(agent: VMRAgent, film: Path, question: Question) -> Answer:
    """Ask one question."""
    began = time.monotonic()
    report = agent.run(film, question.query)
    seconds = time.monotonic() - began
    return Answer(question, report, is_right(question, report), seconds)


def table(answers: list[Answer]) -> Table:
    """Truth beside answer."""
    grid = Table("", "question", "truth", "answer", "sure", "why", padding=(0, 1))
    for answer in answers:
        moments = answer.report.moments
        grid.add_row(
            Text("✓", "green") if answer.right else Text("✗", "red"),
            Text(answer.question.query),
            Text("\n".join(map(_when, answer.question.moments)) or "not in there"),
            Text("\n".join(_when(moment.span) for moment in moments) or "not found"),
            Text("\n".join(f"{moment.score:.0%}" for moment in moments)),
            Text(why(moments[0]) if moments else ""),
        )
    return grid


def _when(span: Span) -> str:
    return f"{clock(span.start)} – {clock(span.end)}"


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
    except (VmrError, OSError) as error:
        parser.exit(getattr(error, "exit_code", 2), f"evals.ask: {error}\n")
    except (KeyError, TypeError, ValueError) as error:
        parser.exit(2, f"evals.ask: {options.truth} is no truth file ({error!r})\n")
    console = Console(width=None if sys.stdout.isatty() else 150)
    console.print(table(answers))
    present = [answer for answer in answers if answer.question.moments]
    absent = [answer for answer in answers if not answer.question.moments]
    console.print(
        f"{sum(a.right for a in answers)} of {len(answers)} right: "
        f"{sum(a.right for a in present)} of {len(present)} things found, "
        f"{sum(a.right for a in absent)} of {len(absent)} absent things refused; "
        f"{max(a.seconds for a in answers[1:] or answers):.2f} s for the slowest later question"
    )


def answer_all(film: Path, questions: list[Question], settings: Settings) -> list[Answer]:
    """Ask one agent everything, with progress on stderr."""
    with Bars(console=Console(stderr=True), transient=True) as bars:
        tasks = {}

        def watch(event: Progress) -> None:
            if event.room not in tasks:
                tasks[event.room] = bars.add_task(event.room, total=event.total or None)
            bars.update(tasks[event.room], completed=event.done)

        agent = VMRAgent(settings, progress=watch)
        return [ask(agent, film, question) for question in questions]


if __name__ == "__main__":
    main()
