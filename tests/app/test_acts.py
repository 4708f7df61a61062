"""What happens on the page, act by act: real runs on the colour film."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vmr_agent.app import cards
from vmr_agent.app.acts import Acts, Changes, Past
from vmr_agent.app.desk import Desk
from vmr_agent.app.follow import POINTS, trace
from vmr_agent.app.timeline import timeline
from vmr_agent.app.work import WAITING, Told, Work
from vmr_agent.artefacts import Curves
from vmr_agent.errors import Stopped, VmrError
from vmr_agent.testing import ColourEncoder
from vmr_agent.toolbox import Toolbox
from vmr_agent.types import Moment, Span


@pytest.fixture
def key(desk: Desk) -> str:
    return desk.films.listed()[0].key


def shown(changes: Iterator[Changes]) -> Changes:
    """The page as it is at the end."""
    page: Changes = {}
    for change in changes:
        page |= change
    return page


def test_a_film_is_chosen_indexed_and_asked_twice(acts: Acts, key: str) -> None:
    first = acts.choose(key, Past())
    assert "not indexed yet" in first["facts"]
    assert first["index"] == {"visible": True}
    assert f'src="/film/{key}"' in first["player"]
    looked = shown(acts.look(key, "page"))
    assert "indexed" in looked["facts"]
    assert "not indexed" not in looked["facts"]
    assert (looked["index"], looked["stages"]) == ({"visible": False}, "")
    page = shown(acts.ask(key, "the red one", Past(), "page"))
    assert page["answer"].count("<article") == 2
    assert page["timeline"].count('class="vmr-mark"') == 2
    assert page["stop"] == {"visible": False}
    page = shown(acts.ask(key, "the green one", page["past"], "page"))
    assert page["answer"].count("<article") == 1
    assert [label for label, _ in page["asked"]["choices"]] == [
        "the red one — 2 moments",
        "the green one — 1 moment",
    ]
    again = acts.recall(page["past"].asked[0], page["past"])
    assert "“the red one”" in again["answer"]
    other = acts.choose(key, page["past"])
    assert other["asked"]["value"] == page["past"].asked[1]


def test_what_was_never_seen_by_a_page_is_not_shown_to_it(acts: Acts, key: str) -> None:
    asked = shown(acts.ask(key, "the red one", Past(), "page"))["past"].asked[0]
    assert "no longer kept" in acts.recall(asked, Past())["status"]


def test_nothing_found_says_what_came_nearest(acts: Acts, key: str) -> None:
    page = shown(acts.ask(key, "the purple one", Past(), "page"))
    assert "Not found in this film" in page["answer"]
    assert 'class="vmr-mark"' not in page["timeline"]


def test_a_question_is_data(acts: Acts, key: str) -> None:
    hostile = '<script>alert(1)</script>" onload="x() red'
    page = shown(acts.ask(key, hostile, Past(), "page"))
    drawn = page["answer"] + page["status"] + page["timeline"] + page["facts"]
    assert "<script" not in drawn
    assert "&lt;script&gt;" in page["answer"]
    assert "<script" not in acts.choose(key, Past())["player"]  # the film's name has one


@pytest.mark.parametrize("question", ["", "   "])
def test_what_is_no_question_is_told_in_one_line(acts: Acts, key: str, question: str) -> None:
    page = shown(acts.ask(key, question, Past(), "page"))
    assert page["status"].count("vmr-error") == 1
    assert page["ask"] == {"interactive": True}


@pytest.mark.parametrize("key", [None, "", "nobody's", ["x"], 7])
def test_what_is_no_film_is_told_in_one_line(acts: Acts, key: Any) -> None:
    for page in (shown(acts.ask(key, "red", Past(), "page")), shown(acts.look(key, "page"))):
        assert page["status"].count("vmr-error") == 1
    acts.choose(key, Past())


def test_an_upload_is_offered_to_its_page_alone(
    acts: Acts, desk: Desk, uploaded: Path, colours: Path
) -> None:
    (uploaded / "a").mkdir()
    path = Path(shutil.copy(colours, uploaded / "a" / "mine.mp4"))
    page = acts.take_in(str(path), Past())
    assert page["film"]["choices"][-1] == ("mine.mp4", page["film"]["value"])
    assert page["past"].uploads == (page["film"]["value"],)
    assert acts.choices(Past()) == page["film"]["choices"][:-1]
    assert shown(acts.ask(page["film"]["value"], "red", page["past"], "page"))["answer"]


@pytest.mark.parametrize("content", [b"", b"this is a text\n" * 99])
def test_an_upload_that_is_no_film_is_told_of_and_thrown_away(
    acts: Acts, uploaded: Path, content: bytes
) -> None:
    (uploaded / "a").mkdir()
    path = uploaded / "a" / "bad.mp4"
    path.write_bytes(content)
    page = acts.take_in(str(path), Past())
    assert "is it a whole film?" in page["status"]
    assert str(uploaded) not in page["status"]
    assert not path.exists()


@pytest.mark.parametrize("given", [None, "/etc/passwd", "../../x", ""])
def test_nothing_but_an_upload_is_taken_in(acts: Acts, given: str | None) -> None:
    assert "nothing was uploaded" in acts.take_in(given, Past())["status"].lower()


def test_a_run_is_broken_off_and_goes_on_later(
    acts: Acts, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, look = threading.Event(), ColourEncoder.look

    def slowly(self: ColourEncoder, images: Any) -> Any:
        begun.set()
        threading.Event().wait(0.3)
        return look(self, images)

    monkeypatch.setattr(ColourEncoder, "look", slowly)
    told = []
    for change in acts.ask(key, "the red one", Past(), "page"):
        told.append(change)
        if begun.is_set():
            acts.stop("page")
    assert told[0]["stop"] == {"visible": True}
    assert "Stopped; what was finished is kept" in told[-1]["status"]
    assert told[-1]["stop"] == {"visible": False}
    assert "<article" in shown(acts.ask(key, "the red one", Past(), "page"))["answer"]


def test_runs_take_turns(desk: Desk) -> None:
    def job(box: Toolbox, tell: Any) -> None:
        raise VmrError("done")

    desk.turn.acquire()
    waits, leaves = (Work(desk.box, job, desk.turn) for _ in range(2))
    waits.start()
    leaves.start()
    heard = waits.news(0.3)
    assert next(heard) == [WAITING]
    leaves.stop()
    with pytest.raises(Stopped):
        list(leaves.news(0.1))
    leaves.join(5)
    assert not leaves.is_alive()
    desk.turn.release()
    with pytest.raises(VmrError, match="done"):
        list(heard)
    waits.join(5)
    assert not desk.turn.locked()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_ends_a_run_and_lets_others_go_on(desk: Desk) -> None:
    def job(box: Toolbox, tell: Any) -> None:
        raise ZeroDivisionError

    work = Work(desk.box, job, desk.turn)
    work.start()
    with pytest.raises(VmrError, match="terminal of the server"):
        list[list[Told]](work.news(0.1))
    work.join(5)
    assert not desk.turn.locked()


def test_a_timeline_fits_any_width() -> None:
    moments = [
        Moment(span=Span(start=at, end=end), score=0.5, evidence=())
        for at, end in ((0, 0.01), (3599.99, 3600), (0, 3600))
    ]
    drawn = timeline(3600.0, None, (), moments)
    for part in drawn.split('style="left:')[1:4]:
        left, width = (float(each) for each in part.split('%"')[0].split("%;width:"))
        assert 0 <= left <= left + width <= 100.001
        assert width >= 0.6
    assert timeline(0.0, None) == ""


def test_curves_keep_their_peaks_when_they_are_thinned() -> None:
    curves = np.zeros((2, 7201), np.float32)
    curves[0, 7200] = 1
    record = Curves(channels=("picture", "speech"), step=0.5)
    thin = trace(record, curves)
    assert list(thin.curves) == ["picture"]
    assert len(thin.curves["picture"]) <= POINTS
    assert thin.curves["picture"][-1] == 1
    assert thin.duration >= 7201 * 0.5


def test_a_line_on_the_page_has_no_controls_in_it() -> None:
    told = cards.said("a\x1b[2J\n\u202eb<i>", "error")
    assert "\x1b" not in told
    assert "\n" not in told
    assert "<i>" not in told
    assert len(cards.short("word " * 99)) == 90
