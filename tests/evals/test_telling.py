"""How far a run is: lines where nobody watches, a bar where somebody does."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from evals.datasets import Asked
from evals.desk import blank, failed
from evals.logbook import Sample
from evals.telling import EVERY, Telling, first_overlap
from vmr_agent import Moment, RunReport, Span
from vmr_agent.report import Coverage
from vmr_agent.types import Video

VIDEO = Video(path="/v.mp4", fingerprint="f", duration=20, has_picture=True, has_audio=False)
ASKED = Asked("7", "v", "a dog", ((2.0, 6.0), (10.0, 14.0)), 20.0, {"qid": 7})


def answer(*spans: tuple[float, float]) -> Sample:
    report = RunReport(
        status="found" if spans else "not_found",
        query="a dog",
        video=VIDEO,
        moments=tuple(Moment(span=Span(start=a, end=b), score=0.9) for a, b in spans),
        rounds=1,
        coverage=Coverage(picture=1, speech=0, text=0),
        models={},
        settings={},
        version="0",
    )
    return blank(ASKED, 20, 0).model_copy(update={"report": report})


def test_the_first_moment_counts_with_the_nearest_true_one() -> None:
    assert first_overlap(answer((10, 12), (2, 6))) == 0.5
    assert first_overlap(answer()) == 0
    assert first_overlap(failed(ASKED, "Killed", "twice")) == 0
    whole = answer((2, 6)).model_copy(update={"truth": ((3.0, 3.0),)})
    assert first_overlap(whole) == 0


def test_figures_run_along_in_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    out, now = StringIO(), [100.0]
    monkeypatch.setattr("evals.telling.time.monotonic", lambda: now[0])
    with Telling(4, Console(file=out)) as telling:
        telling.hear(answer((2, 6)))
        telling.hear(answer((10, 12)))  # too soon for a line of its own
        now[0] += EVERY
        telling.hear(failed(ASKED, "Killed", "twice"))
        telling.hear(answer())
    assert out.getvalue().splitlines() == [
        "1 of 4 asked; 1 of 1 found something, R1@0.5 100.0%, R1@0.7 100.0%, mIoU 100.0%",
        "3 of 4 asked; 2 of 2 found something, R1@0.5 100.0%, R1@0.7 50.0%, mIoU 75.0%, 1 failed",
        "4 of 4 asked; 2 of 3 found something, R1@0.5 66.7%, R1@0.7 33.3%, mIoU 50.0%, 1 failed",
    ]


def test_what_was_asked_before_counts_in_a_run_that_is_gone_on_with() -> None:
    out = StringIO()
    with Telling(3, Console(file=out), before=[answer((2, 6)), answer()]) as telling:
        telling.hear(answer((10, 12)))
    said = "3 of 3 asked; 2 of 3 found something, R1@0.5 66.7%, R1@0.7 33.3%, mIoU 50.0%\n"
    assert out.getvalue() == said
    with Telling(1, Console(file=out), before=[answer()]):
        pass
    assert out.getvalue() == said, "nothing is said where nothing was left"


def test_somebody_who_watches_sees_a_bar() -> None:
    out = StringIO()
    with Telling(2, Console(file=out, force_terminal=True, width=120)) as telling:
        telling.hear(answer((2, 6)))
        telling.hear(answer())
    assert "2/2" in out.getvalue()
    assert "R1@0.5 50.0%" in out.getvalue()


def test_of_nothing_nothing_is_said() -> None:
    out = StringIO()
    with Telling(0, Console(file=out)):
        pass
    assert out.getvalue() == ""
