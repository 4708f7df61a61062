"""A report as a page and inside a notebook: whole, bounded, and nothing in it is obeyed."""

from __future__ import annotations

import base64
import hashlib
import html
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_reports import HOSTILE, around, hostile, moment, report, span, video

from vmr_agent.display import figure, fragment, page
from vmr_agent.display.drawing import LEAST, timeline
from vmr_agent.display.excerpts import excerpts
from vmr_agent.display.notebook import FILM
from vmr_agent.errors import CallerError
from vmr_agent.panorama import Curve, Panorama
from vmr_agent.report import RunReport

VOID = {"meta", "br", "img"}
SHOWN = ("data:image/jpeg;base64,", "file:///", "https://films.example/a.mp4", "data:video/mp4;")


class Read(HTMLParser):
    """What a browser would make of a page: tags that are opened and closed, attributes, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.parts: dict[str, str] = {}
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("style", "script"):
            self.parts[self.open[-1]] = self.parts.get(self.open[-1], "") + data
        else:
            self.text += data

    def named(self, name: str) -> list[str]:
        return [value for _, key, value in self.attributes if key == name]


def checked(text: str) -> Read:
    """Balanced; runs its own script alone, which its own rules name; asks for nothing but films."""
    read = Read(text)
    assert read.tags.count("script") == 1
    assert set(read.tags).isdisjoint({"iframe", "link", "object", "form", "base", "embed", "a"})
    for tag, name, value in read.attributes:
        assert not name.startswith("on")
        assert name not in ("style", "srcset", "href", "xlink:href", "action", "srcdoc")
        assert name not in ("src", "poster") or value.startswith(SHOWN), (tag, value[:80])
    [policy] = [value for value in read.named("content") if "default-src" in value]
    assert policy.startswith("default-src 'none'; img-src data:;")
    for part, rule in (("script", "script-src"), ("style", "style-src")):
        digest = base64.b64encode(hashlib.sha256(read.parts[part].encode()).digest()).decode()
        assert f"{rule} 'sha256-{digest}'" in policy
    assert not re.search(r"url\(|@import|://", read.parts["style"] + read.parts["script"])
    labels = {value for _, name, value in read.attributes if name == "aria-labelledby"}
    ids = read.named("id")
    assert len(set(ids)) == len(ids)
    assert labels <= set(ids)
    assert not [c for c in text if not c.isprintable() and c not in "\n\u200c\u200d"]
    return read


def test_a_page_says_when_how_sure_and_why() -> None:
    found = report(moment(5, 14, 0.88), moment(70, 71.5, 0.61, "heard: “my cat”"))
    read = checked(page(found, around()))
    for words in ("2 moments", "a cat", "0:05.0 – 0:14.0", "88 % sure", "1:10.0 – 1:11.5"):
        assert words in read.text
    for words in ("heard: “my cat”", "hello there", "retrieve.top_k", "3 candidates", "concepts"):
        assert words in read.text
    lanes = [value for tag, name, value in read.attributes if name == "aria-label"]
    assert any(value.startswith("picture: at most 1.00") for value in lanes)
    assert "20 shots" in lanes
    assert read.tags.count("img") > 10
    assert "no player" in read.text  # for there is no such film


def test_an_honest_none_shows_what_came_nearest() -> None:
    none = report(rejected=moment(3, 4, 0.31))
    read = checked(page(none, around()))
    assert "Not found" in read.text
    assert "31 % likely, turned down" in read.text
    assert "0:03.0 – 0:04.0" in read.text
    bare = checked(page(report(), Panorama()))
    assert "nothing came near" in bare.text
    assert "Nothing lies on the shelf" in bare.text
    partial = checked(page(report(status="partial"), Panorama()))
    assert "search incomplete" in partial.text


def test_nothing_that_a_film_says_is_obeyed() -> None:
    text = page(hostile(), around(text=HOSTILE))
    read = checked(text)
    assert read.text.count("<script>alert(1)</script>") > 8
    assert "{{ 7*7 }}" in read.text
    assert "evil.example" not in " ".join(read.named("src"))
    outer = Read(fragment(hostile(), around(text=HOSTILE)))
    assert sorted(set(outer.tags)) == ["details", "iframe", "pre", "summary"]
    [inside] = outer.named("srcdoc")
    checked(inside)
    assert outer.named("sandbox") == ["allow-scripts"]


@given(st.text(max_size=60))
def test_any_text_can_be_asked_for(text: str) -> None:
    read = checked(page(report(moment(1, 2, note=text), query=text or "x"), Panorama()))
    assert "1 moment" in read.text


def test_a_film_that_is_there_is_played_from_where_it_is(demo_film: Path) -> None:
    found = report(moment(5, 14), video=video(131, path=str(demo_film), lead=0.25))
    read = checked(page(found, around(131)))
    assert read.named("src")[0] == demo_film.as_uri()
    assert ("button", "data-start", "5.0") in read.attributes
    assert ("main", "data-lead", "0.25") in read.attributes
    [policy] = [value for value in read.named("content") if "default-src" in value]
    assert "media-src file:;" in policy
    assert "no player" not in read.text
    silent = checked(page(found, around(131), video=""))
    assert "video" not in silent.tags


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("films/a b.mp4", "'self' file:"),
        ("../a.mp4?x=1", "'self' file:"),
        ("https://films.example:8443/a.mp4", "https://films.example:8443"),
        ("http://[::1]:80/a", "http://[::1]:80"),
        ("data:video/mp4;base64,AAAA", "data:"),
        ("blob:https://a/b", "blob:"),
    ],
)
def test_an_address_is_allowed_and_no_more(address: str, allowed: str) -> None:
    text = page(report(moment(1, 2)), Panorama(), video=address)
    [policy] = [v for v in Read(text).named("content") if "default-src" in v]
    assert f"; media-src {allowed}; " in policy
    assert policy.count(";") == 6


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "https://a.example;script-src *",
        "https://a b/c",
        "//evil.example/a.mp4",
        "https:///a",
        "http://[::1",
        "vbscript:x",
    ],
)
def test_what_is_no_address_of_a_film_is_refused(address: str) -> None:
    with pytest.raises(CallerError, match="no address of a film"):
        page(report(moment(1, 2)), Panorama(), video=address)


def test_a_page_never_grows_beyond_its_cap_and_says_what_it_leaves_out() -> None:
    much = report(
        *(moment(n, n + 0.5, note=HOSTILE * 20) for n in range(2000)), video=video(3600.0)
    )
    text = page(much, around(3600.0, words=5000, text="word " * 400), cap=600_000)
    assert len(text.encode()) <= 600_000
    read = checked(text)
    assert re.search(r"leaves out \d+ less likely moments, \d+ things said", read.text)
    assert "2000 moments" in read.text
    small = page(much, around(3600.0), cap=1)
    assert "10 pictures" in checked(small).text
    assert len(small.encode()) < 100_000
    film = page(report(moment(1, 2)), Panorama(), video="data:video/mp4;base64," + "A" * 900_000)
    assert "leaves out" not in film


def test_a_long_film_with_many_words_is_drawn_in_few_bars() -> None:
    line = timeline(report(moment(1, 2), video=video(7200)), around(7200, words=9000), 50)
    for lane in line.lanes:
        assert len(lane.bars) + len(lane.ticks) <= 100 / LEAST
        for bar in lane.bars:
            assert bar.left >= 0
            assert bar.width >= LEAST
            assert bar.left + bar.width <= 100.01
    assert [tick.says for tick in line.axis] == ["0:00", "30:00", "1:00:00", "1:30:00", "2:00:00"]


def test_a_curve_is_drawn_where_it_is_high() -> None:
    curve = Curve(channel="speech", step=25, values=(0, 0.5, 0.5, 1))
    line = timeline(report(moment(25, 75)), Panorama(curves=(curve,)), 50)
    [lane] = [each for each in line.lanes if each.kind == "curve"]
    assert lane.path == "M0 100H0.0V100.0H250.0V50.0H750.0V0.0H1000.0V100Z"
    assert (line.bands[0].left, line.bands[0].width) == (25, 50)


def test_a_small_film_is_carried_into_a_notebook_whole(demo_film: Path) -> None:
    found = report(moment(5, 14), video=video(131, path=str(demo_film)))
    inside = Read(Read(fragment(found, Panorama(), carry=9_000_000)).named("srcdoc")[0])
    [film] = [value for value in inside.named("src") if value.startswith("data:video")]
    assert base64.b64decode(film.partition(",")[2]) == demo_film.read_bytes()
    none = html.unescape(fragment(found, Panorama(), carry=0))
    assert "<video" not in none
    assert "0:05.0 – 0:14.0" in none.partition("<iframe")[0]


def test_of_another_film_its_moments_are_carried_as_they_are(
    demo_film: Path, tmp_path: Path
) -> None:
    told = report(
        moment(5, 14), moment(55, 63), moment(56, 60), video=video(131, path=str(demo_film))
    )
    film = excerpts(told, FILM)
    assert film is not None
    assert film.source == ""
    assert len(film.clips) == 2  # the third is inside the second
    for clip, (start, end) in zip(film.clips, [(5, 14), (55, 63)], strict=True):
        assert start - 6 < clip.start <= start
        assert end <= clip.end <= end + 2
        path = tmp_path / "clip.mp4"
        path.write_bytes(base64.b64decode(clip.source.partition(",")[2]))
        with av.open(str(path)) as media:
            assert media.duration / av.time_base == pytest.approx(clip.end - clip.start, abs=0.3)
    assert film.holds(5)
    assert not film.holds(30)
    inside = Read(Read(fragment(told, around(131))).named("srcdoc")[0])
    assert len(inside.named("data-from")) == 2
    assert "30.0" not in inside.named("data-start")


def test_what_is_too_large_to_be_carried_is_told_of(demo_film: Path, tmp_path: Path) -> None:
    assert excerpts(report(moment(5, 14), video=video(131, path=str(demo_film))), 10_000) is None
    large = tmp_path / "large.mp4"
    with large.open("wb") as file:
        file.truncate(FILM + 1)
    told = html.unescape(fragment(report(moment(5, 6), video=video(9, path=str(large)))))
    assert "There is no player" in told
    assert "<video" not in told


def test_a_report_shows_itself_wherever_its_shelf_is_gone() -> None:
    found = report(moment(5, 14))
    told = found._repr_html_()
    assert "1 moment" in told
    again = RunReport.model_validate_json(found.model_dump_json())
    assert again._repr_html_() == told


def test_a_figure_needs_no_pyplot() -> None:
    """Which would choose a window system, and keep every figure."""
    code = """
import sys, made_reports
from vmr_agent.display import figure
figure(made_reports.report(made_reports.moment(5, 14)), made_reports.around())
sys.exit("matplotlib.pyplot" in sys.modules)
"""
    place = {**os.environ, "PYTHONPATH": f"{Path(__file__).parent}:{Path(__file__).parents[1]}"}
    subprocess.run([sys.executable, "-c", code], env=place, check=True)


def test_a_figure_has_curves_moments_and_shots(tmp_path: Path) -> None:
    drawn = figure(report(moment(5, 14), moment(50, 60), query="$x^ 100 %"), around())
    assert [axes.get_ylabel() for axes in drawn.axes] == ["picture", "sound"]
    for axes in drawn.axes:
        shaded = sorted(patch.get_x() for patch in axes.patches if hasattr(patch, "get_x"))
        assert shaded == [5, 50]
    picture = drawn._repr_png_()  # type: ignore[attr-defined]
    assert picture.startswith(b"\x89PNG")
    drawn.savefig(tmp_path / "a.svg")
    assert len(figure(report(rejected=moment(1, 2)), Panorama()).axes) == 1


def test_a_moment_at_the_end_of_a_film_stays_inside() -> None:
    line = timeline(report(moment(99.99, 100)), Panorama(), 5)
    assert line.bands[0].left + line.bands[0].width <= 100
    assert span(0, 1).length == 1
