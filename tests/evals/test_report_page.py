"""The page of a report: whole, bounded, and nothing that a film or a query says is obeyed."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import evals_runs as runs_made
import pytest
from evals_runs import failed, header, moment, report, sample, samples
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from evals.logbook import Trouble
from evals.reporting import page as pages
from evals.reporting import tables
from evals.reporting.content import Content, content
from evals.reporting.drawing import costs, reliability
from evals.reporting.errors import ReportError
from evals.reporting.page import MOST, page, write
from evals.reporting.runs import load, together
from evals.reporting.strips import strip
from vmr_agent.report import Fault

VOID = {"meta", "br"}
HOSTILE = (
    "</style></svg><script>alert(1)</script><img src=http://evil.example/x onerror='alert(2)'>"
    '" onload="x\' {{ 7*7 }} {% raw %} &lt;b&gt; '
    "\x00\x1b[2J\x07\u202egnp.exe\u2066 \x85\u2028 ]]>--><!--"
)
SECTIONS = ("headline", "parts", "lost", "cost", "trust", "worst", "provenance")


class Read(HTMLParser):
    """What a browser would make of a page: tags that are opened and closed, attributes, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.text = ""
        self.style = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            self.style += data
        else:
            self.text += data


def checked(text: str) -> Read:
    """Balanced, bounded, asks for nothing, runs nothing."""
    assert len(text.encode()) < MOST
    read = Read(text)
    assert read.tags.isdisjoint({"script", "img", "iframe", "link", "object", "form", "base"})
    for name, value in read.attributes:
        assert not name.startswith("on")
        assert name not in ("src", "style", "srcset", "action", "xlink:href")
        assert name != "href" or value.startswith("#")
    assert not re.search(r"url\(|@import|:\s*//", read.style)
    assert len(set(read.ids)) == len(read.ids)
    links = {value[1:] for name, value in read.attributes if name == "href"}
    assert links <= set(read.ids)
    named = {value for name, value in read.attributes if name == "aria-labelledby"}
    assert named <= set(read.ids)
    assert not [c for c in text if not c.isprintable() and c not in "\n\u200c\u200d"]
    return read


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Content:
    folder = tmp_path_factory.mktemp("runs")
    about = header(dataset={"queries": 70, "missing": ("gone-1", "gone-2")})
    first = runs_made.write(
        folder / "a.jsonl", [*samples(60), failed(1)], about, mine={"deep": 12.5}
    )
    other = header(settings={"without": ["caption"], "retrieve": {"top_k": 7}})
    return content(
        together([first, runs_made.write(folder / "b.jsonl", samples(60, 1, 0.3), other)])
    )


def test_a_page_of_one_run_has_all_sections_and_its_figures(tmp_path: Path) -> None:
    about = header(dataset={"missing": ("gone-1",)})
    path = runs_made.write(
        tmp_path / "a.jsonl", [*samples(60), failed(1)], about, mine={"deep": 12.5}
    )
    told = content([load(path)])
    read = checked(page(told))
    assert set(SECTIONS) <= set(read.ids)
    for each in told.sides[0].headlines:
        assert f"{each.official.value:.2f}" in read.text
        assert f"{each.official.low:.1f} – {each.official.high:.1f}" in read.text
    for words in ("0123abc", "ab" * 32, "gone-1", "ChatBusyError", "retrieve.top_k", "12.5"):
        assert words in read.text
    assert told.sides[0].trust is not None
    assert f"{told.sides[0].trust.error:.4f}" in read.text
    assert len(told.worst) == 20
    assert all(case.query in read.text for case in told.worst)


def test_a_page_of_two_runs_tells_them_apart(two: Content) -> None:
    read = checked(page(two))
    assert {*SECTIONS, "matrix", "apart"} <= set(read.ids)
    assert "without caption, retrieve.top_k = 7" in read.text
    for each in two.matrix[1]:
        assert each.apart is not None
        assert f"{each.apart.value:+.2f}".replace("-", "−") in read.text


def test_a_flawless_run_has_a_page_too(tmp_path: Path) -> None:
    some = [
        sample(0, truth=((0.0, 5.0),), report=report("q", [moment(0, 5, 1)])),
        sample(5, truth=(), report=report("q", [], rejected=None)),
    ]
    read = checked(page(content([load(runs_made.write(tmp_path / "a.jsonl", some))])))
    assert "without a flaw" in read.text


def test_a_run_that_never_found_anything_has_a_page_too(tmp_path: Path) -> None:
    some = [sample(n, report=report("q", [], rejected=None, steps=())) for n in range(6)]
    read = checked(page(content([load(runs_made.write(tmp_path / "a.jsonl", some))])))
    assert "No moment was answered" in read.text


def hostile(folder: Path, words: str) -> Content:
    """All that can be said in a run file is said by somebody who means ill."""
    shown = report(
        words,
        [moment(0, 5, 0.9, words)],
        rejected=moment(1, 2, 0.1, words),
        faults=(Fault(room=words, kind=words, message=words),),
    )
    told = {"video": words, "query": words, "group": words, "lost": words, "report": shown}
    error = Trouble(kind=words, message=words)
    bad = [
        sample(1, id=f"{words}1", **told),
        sample(2, id=f"{words}2", **told),
        sample(3, id=f"{words}3", report=None, error=error),
    ]
    about = header(
        words,
        dataset={"split": words, "file": words, "sha256": words, "missing": (words,)},
        system=words,
        commit=words,
        settings={words: {words: words}, "without": [words]},
        models={words: words},
        prompts={words: words},
        machine={words: [words]},
        versions={words: words},
        command=words,
        began=words,
    )
    first = runs_made.write(folder / "a.jsonl", bad, about, **{"f": {words: words}})
    other = about.model_copy(update={"settings": {words: 2}, "models": {}, "system": f"{words}!"})
    return content(together([first, runs_made.write(folder / "b.jsonl", bad, other)]))


def test_what_films_and_queries_say_is_data(tmp_path: Path) -> None:
    read = checked(page(hostile(tmp_path, HOSTILE)))
    assert "<script>alert(1)</script>" in read.text
    assert "{{ 7*7 }}" in read.text
    assert "evil.example" in read.text


def test_a_terminal_obeys_nothing_of_it(tmp_path: Path) -> None:
    console = Console(file=StringIO(), width=4000, force_terminal=True, color_system=None)
    words = HOSTILE + "[red]stop[/red]"
    tables.show(hostile(tmp_path, words), console)
    assert isinstance(console.file, StringIO)
    shown = console.file.getvalue()
    assert "[red]stop[/red]" in shown
    assert all(
        letter.isprintable() or letter == "\n" for letter in re.sub(r"\x1b\[[\d;]*m", "", shown)
    )


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_no_words_break_a_page(words: str) -> None:
    shown = pages._environment().from_string('<b title="{{ w }}">{{ w }}</b>').render(w=words)
    read = Read(shown)
    assert read.tags == {"b"}
    assert [name for name, _ in read.attributes] == ["title"]
    assert all(c.isprintable() or c in "\u200c\u200d" for c in shown)


def test_long_words_are_cut_short() -> None:
    shown = pages._environment().from_string("{{ w }}").render(w="x" * 1_000_000)
    assert shown.endswith("letters more")
    assert len(shown) < 500


@pytest.mark.parametrize("count", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_a_page_of_many_wordy_samples_is_small(tmp_path: Path, count: int) -> None:
    words = "<'\">&" * 400
    moments = [moment(n, n + 0.5, 0.9, *[words] * 12) for n in range(10)]
    shown = report(words, moments, faults=[Fault(room="r", kind="k", message=words)] * 9)
    one = sample(0, query=words, report=shown, truth=tuple((n + 90.0, n + 91.0) for n in range(50)))
    line = one.model_dump_json()
    lines = [header(settings={f"s{n}": words for n in range(400)}).model_dump_json()]
    # Few are as wordy as they can be: that a file is read is not what is tried here.
    for n in range(count):
        told = one if n % 250 == 0 else sample(n)
        name = {"id": f"q{n}", "video": f"v{n % 500}", "group": f"{n % 999} {words}"}
        lines.append(told.model_copy(update=name).model_dump_json())
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert len(line) > 200_000
    told = content([load(path)])
    checked(page(told))
    written = write(tmp_path / "p.html", told)
    assert written == (tmp_path / "p.html").stat().st_size < MOST


def test_samples_are_left_out_until_a_page_is_small_enough(
    two: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = len(page(two).encode())
    monkeypatch.setattr(pages, "MOST", whole - 1)
    assert page(two).count("<article") < 2 * 20
    monkeypatch.setattr(pages, "MOST", 1000)
    with pytest.raises(ReportError, match="page can hold"):
        page(two)


@given(
    st.lists(
        st.tuples(st.floats(0, 1e5), st.floats(0.01, 1e4), st.floats(0, 1)), min_size=1, max_size=5
    ),
    st.floats(0, 1e5),
)
def test_whatever_is_drawn_is_within_the_strip(
    windows: list[tuple[float, float, float]], duration: float
) -> None:
    moments = [moment(start, start + length, sure) for start, length, sure in windows]
    one = sample(1, duration=duration, truth=((1.0, 2.0),))
    for _, bars in strip(one, [("answer", moments)]).rows:
        for bar in bars:
            assert bar.left >= 0
            assert bar.width > 0
            assert bar.left + bar.width <= 100.01


def test_points_lie_within_their_plots(two: Content) -> None:
    spent = [side.spent for side in two.sides]
    for told in (spent, [spent[0], spent[1]._replace(seconds=5000.0)]):
        plot = costs(told, lambda each: each.seconds, "s")
        assert plot is not None
        assert [point.name for point in plot.points] == ["1", "2"]
        assert plot.points[0].says.startswith(told[0].name)
        for point in plot.points:
            assert 0 <= point.x <= 100
            assert 0 <= point.high <= point.y <= point.low <= 100
        assert all(0 <= tick.at <= 100 for tick in plot.across)
    assert costs(spent, lambda _: None, "$") is None
    assert two.sides[0].trust is not None
    drawn = reliability(two.sides[0].trust)
    assert len(drawn.points) == len(two.sides[0].trust.bins)
