"""What people are shown: short, true to the report, and nothing that a terminal would obey."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from vmr_agent import show
from vmr_agent.report import Coverage, Fault, RunReport, Status
from vmr_agent.types import (
    Evidence,
    Hit,
    Moment,
    Span,
    Video,
)

HOSTILE = "[red]stop[/red] \x1b[2J\x1b]0;owned\x07 a\rb\nc\u202egnp.exe \x9b31m [link=http://a]x"


def moment(start: float, end: float, score: float = 0.9, **notes: str) -> Moment:
    evidence = tuple(
        Evidence(source=source, note=note, score=score)  # type: ignore[arg-type]
        for source, note in notes.items()
    )
    return Moment(span=Span(start=start, end=end), score=score, evidence=evidence)


def report(*moments: Moment, status: Status | None = None, **more: Any) -> RunReport:
    return RunReport(
        status=status or ("found" if moments else "not_found"),
        query=more.pop("query", "a cat"),
        video=Video(path="/f.mp4", fingerprint="f", duration=9, has_picture=True, has_audio=True),
        moments=moments,
        rounds=1,
        coverage=Coverage(picture=0.5, speech=1, text=1),
        models={},
        settings={},
        version="0",
        **more,
    )


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0:00.0"),
        (59.96, "1:00.0"),
        (75.25, "1:15.2"),
        (3599.97, "1:00:00.0"),
        (36_061.5, "10:01:01.5"),
    ],
)
def test_clock(seconds: float, shown: str) -> None:
    assert show.clock(seconds) == shown


def test_a_few_lines_say_all() -> None:
    found = report(
        moment(1, 2, 0.93, picture="looks like it", caption="looks like tabby"),
        moment(70, 71.5, 0.61, speech="heard: “my cat”"),
        faults=(Fault(room="r", kind="k", message="no sound"),),
    )
    assert str(found).splitlines() == [
        "'a cat': 2 moments",
        "  0:01.0 – 0:02.0  93%  looks like tabby",
        "  1:10.0 – 1:11.5  61%  heard: “my cat”",
        "  note: no sound",
    ]


def test_an_honest_none_names_the_nearest_and_what_was_not_seen() -> None:
    assert str(report()) == "'a cat': not found"
    nearest = moment(3, 4, 0.31, picture="looks like it")
    none = str(report(status="partial", rejected=nearest))
    assert none == (
        "'a cat': not found in the 50% of the picture that could be decoded; "
        "nearest was 0:03.0 – 0:04.0 (31%, looks like it)"
    )


@pytest.mark.parametrize("source", ["speech", "text", "caption"])
def test_what_a_film_says_gives_a_terminal_no_orders(source: str) -> None:
    hostile = report(
        moment(1, 2, **{source: HOSTILE}),
        query=HOSTILE,
        rejected=moment(3, 4, **{source: HOSTILE}),
        faults=(Fault(room="r", kind="k", message=HOSTILE),),
    )
    console = Console(force_terminal=True, color_system="truecolor", width=400)
    with console.capture() as held:
        console.print(show.table(hostile))
    for shown in (str(hostile), show.page(hostile), held.get()):
        assert "[red]stop[/red]" in shown  # as written, not as markup
        assert "\x1b[2J" not in shown
        assert "\x1b[31m" not in shown
        assert not set(shown) & set("\x07\x9b\r\u202e")
    assert not set(str(hostile)) & {"\x1b"}
    assert len(str(hostile).splitlines()) == 3
    hit = Hit(path=HOSTILE, span=Span(start=1, end=2), kind="speech", cosine=0.5)
    assert "\x1b" not in show.shortlist([hit])
    assert len(show.shortlist([hit]).splitlines()) == 1


@given(st.text())
def test_plain_text_is_one_line_of_visible_characters(text: str) -> None:
    shown = show.plain(text)
    assert len(shown) == len(text)
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in shown)


@pytest.mark.parametrize("text", ["Grüße, 猫 and 😀", "می\u200cخواهم", "👩\u200d🚀", "naïve [b]"])
def test_plain_leaves_honest_text_alone(text: str) -> None:
    assert show.plain(text) == text


def test_hits_are_a_line_each() -> None:
    hits = [
        Hit(path="/a.mp4", span=Span(start=75.2, end=80), kind="picture", cosine=0.312),
        Hit(path="/b c.mp4", span=Span(start=3600, end=3601.5), kind="text", cosine=-0.1),
    ]
    assert show.shortlist(hits).splitlines() == [
        "1:15.2 – 1:20.0      picture  0.31  /a.mp4",
        "1:00:00.0 – 1:00:01.5  text     -0.10  /b c.mp4",
    ]
