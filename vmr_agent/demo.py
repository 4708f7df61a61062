"""The film that comes with the project, and how it is asked: truth beside answer.

    for answer in answers(agent, film, questions(film.with_suffix(".json"))):
        print(answer.right)

An answer is right when the first moment overlaps a true one by half (IoU >= 0.5), and where there
are several true ones, when each of them is found; a question about nothing in the film must find
nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.table import Table
from rich.text import Text

from vmr_agent.report import RunReport
from vmr_agent.show import clock, why
from vmr_agent.types import Span

if TYPE_CHECKING:
    from vmr_agent.agent import VMRAgent

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

    def record(self) -> dict[str, Any]:
        """For programs: the truth, and the report."""
        truth = [span.model_dump(mode="json") for span in self.question.moments]
        told = {"query": self.question.query, "truth": truth, "right": self.right}
        return {**told, "seconds": self.seconds, "report": self.report.model_dump(mode="json")}


def demo_film() -> Path:
    """The film; its truth lies beside it. In a wheel they are inside the package."""
    inside = Path(str(files("vmr_agent")))
    shipped = inside / "_demo" / "demo_film.mp4"
    return shipped if shipped.is_file() else inside.parent / "evals" / "demo" / "demo_film.mp4"


def load(truth: Path, first: bool = False) -> Iterator[Question]:
    """The questions of a truth file; with ``first`` only the first about each clip.

    Raises OSError, or KeyError, TypeError and ValueError for a file that is none.
    """
    content = json.loads(truth.read_text(encoding="utf-8"))
    seen: set[str] = set()
    for entry in content["queries"]:
        clip = entry["file"] or entry["query"]
        if not (first and clip in seen):
            yield Question(entry["query"], tuple(Span(**moment) for moment in entry["moments"]))
        seen.add(clip)


def is_right(question: Question, report: RunReport) -> bool:
    """See the top of this file."""
    found = [moment.span for moment in report.moments]
    if not question.moments or not found:
        return not question.moments and not found
    if not any(found[0].iou(true) >= ENOUGH for true in question.moments):
        return False
    return all(any(span.iou(true) >= ENOUGH for span in found) for true in question.moments)


def answers(agent: VMRAgent, film: Path, questions: Iterable[Question]) -> Iterator[Answer]:
    """Ask one question after the other. Raises what ``VMRAgent.run`` raises."""
    for question in questions:
        began = time.monotonic()
        report = agent.run(film, question.query)
        seconds = time.monotonic() - began
        yield Answer(question, report, is_right(question, report), seconds)


def table(answers: Sequence[Answer]) -> Table:
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


def tally(answers: Sequence[Answer]) -> str:
    """One line: how many are right."""
    present = [answer for answer in answers if answer.question.moments]
    absent = [answer for answer in answers if not answer.question.moments]
    return (
        f"{sum(a.right for a in answers)} of {len(answers)} right: "
        f"{sum(a.right for a in present)} of {len(present)} things found, "
        f"{sum(a.right for a in absent)} of {len(absent)} absent things refused; "
        f"{max(a.seconds for a in answers[1:] or answers):.2f} s for the slowest later question"
    )


def _when(span: Span) -> str:
    return f"{clock(span.start)} – {clock(span.end)}"
