"""Answers in other programs' formats, read by those programs' own readers."""

from __future__ import annotations

import csv
import io
import json
import re
from fractions import Fraction
from pathlib import Path

import av
import jsonschema
import opentimelineio
import pysubs2
import pytest
import srt
import webvtt
from answered import HARM, TWO, film, moment, report
from test_display import checked

from vmr_agent import RunReport
from vmr_agent.errors import ExportError
from vmr_agent.export import FORMATS, by_suffix, named, notes, read, text, write
from vmr_agent.metrics.reading import predictions
from vmr_agent.types import Evidence, Moment, Span

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
EMPTY = report()


def harmful(words: str) -> RunReport:
    """Whose query, evidence and file name all say it; the evidence twice."""
    said = Evidence(source="speech", note=words, score=2.0, span=Span(start=1, end=2))
    seen = Evidence(source="picture", note=words, score=1.0)
    moments = [
        Moment(span=Span(start=1, end=3), score=0.9, evidence=(said, seen)),
        Moment(span=Span(start=10, end=13), score=0.8, evidence=(seen,)),
    ]
    return report(*moments, query=words, video=film(path=f"/films/{words}"))


def cues(told: str) -> list[tuple[float, float, str]]:
    found = webvtt.from_string(told)
    return [(seconds(each.start), seconds(each.end), each.text) for each in found]


def seconds(told: str) -> float:
    hours, minutes, rest = told.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(rest)


def test_json_is_the_report_and_is_read_again() -> None:
    told = text(TWO, "json")
    assert told.isascii()
    assert read(told) == [TWO]
    assert read(text([TWO, EMPTY], "json")) == [TWO, EMPTY]
    jsonschema.validate(json.loads(told), RunReport.model_json_schema(mode="serialization"))


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_that_was_read_is_told_as_the_live_one(name: str) -> None:
    printed = json.dumps(TWO.model_dump(mode="json"), indent=2) + "\n"  # by vmr find --json
    assert text(read(printed), name) == text(TWO, name)


def test_reports_come_one_a_line_too() -> None:
    lines = "".join(f"{each.model_dump_json()}\n" for each in (TWO, EMPTY))
    assert read("\ufeff" + lines) == [TWO, EMPTY]


@pytest.mark.parametrize(
    ("told", "where"),
    [
        ("", "f is empty"),
        ("[]", "f is empty"),
        ("{}", "f:1: no report of vmr find --json (status: Field required)"),
        ("3", "f:1: no report"),
        ('\n\n{"status": 1', "f:3: this is no JSON"),
        ("[" * 100_000, "f:1: this is no JSON"),
        (TWO.model_dump_json().replace("61.04", "NaN"), "f:1: no report"),
        (TWO.model_dump_json() + "\nx", "f:2: this is no JSON"),
    ],
)
def test_what_is_no_report_is_told_in_one_line(told: str, where: str) -> None:
    with pytest.raises(ExportError) as caught:
        read(told, "f")
    assert str(caught.value).startswith(where)
    assert "\n" not in str(caught.value)


def test_jsonl_is_what_scorers_read(tmp_path: Path) -> None:
    path = write([TWO, EMPTY], tmp_path / "mine.jsonl")
    rows = predictions(path, scored=False)
    assert [row["qid"] for row in rows] == [1, 2]
    assert rows[0]["pred_relevant_windows"] == [[5.0, 9.2, 0.9], [61.04, 63.5, 0.7]]
    assert rows[0]["vid"] == "Der Anfang, 1"
    assert rows[1]["pred_relevant_windows"] == []


def test_csv_has_a_row_a_moment() -> None:
    told = text([TWO, EMPTY, TWO], "csv")
    assert told.count("\r\n") == told.count("\n") == 5
    rows = list(csv.DictReader(io.StringIO(told, newline="")))
    assert [(row["rank"], row["start"], row["end"], row["score"]) for row in rows[:2]] == [
        ("1", "5.000", "9.200", "0.9000"),
        ("2", "61.040", "63.500", "0.7000"),
    ]
    assert rows[0]["video"] == "Der Anfang, 1.mp4"
    assert text(EMPTY, "csv") == told.partition("\n")[0] + "\n"


def test_subtitles_are_in_order_of_time() -> None:
    wanted = [(5.0, 9.2, "said so"), (61.04, 63.5, "seen")]
    assert cues(text(TWO, "vtt")) == wanted
    told = text(TWO, "srt")
    found = [(e.start.total_seconds(), e.end.total_seconds(), e.content) for e in srt.parse(told)]
    assert found == wanted
    events = pysubs2.SSAFile.from_string(told)
    assert [(e.start / 1000, e.end / 1000, e.text) for e in events] == wanted


def test_captions_are_what_is_said_inside_the_moment() -> None:
    said = [
        Evidence(source="speech", note=note, score=1, span=Span(start=start, end=end))
        for note, start, end in (("one", 0.5, 2), ("two", 2, 9), ("outside", 20, 21))
    ]
    told = report(Moment(span=Span(start=1, end=5), score=0.9, evidence=tuple(said)))
    assert cues(text(told, "vtt")) == [(1, 2, "one"), (2, 5, "two")]


def test_players_count_from_the_first_sound() -> None:
    early = report(moment(5, 6), video=film(lead=1.5))
    assert cues(text(early, "vtt"))[0][:2] == (6.5, 7.5)
    assert "START=6500\nEND=7500\n" in text(early, "ffmetadata")


def test_chapters_do_not_overlap() -> None:
    many = report(moment(0, 10), moment(5, 8, 0.8), moment(5, 12, 0.7), moment(3700, 3701, 0.6))
    found = cues(text(many, "vtt-chapters"))
    assert [(start, end) for start, end, _ in found] == [(0, 5), (5, 12), (3700, 3701)]
    assert found[0][2] == "a dog runs (90%)"


@pytest.mark.parametrize("name", FORMATS)
def test_where_nothing_was_found_no_moment_is_invented(name: str) -> None:
    told = text(EMPTY, name)
    if name in ("vtt", "vtt-chapters"):
        assert told.startswith("WEBVTT")
        assert cues(told) == []
    elif name == "srt":
        assert list(srt.parse(told)) == []
    elif name == "edl":
        assert [
            *opentimelineio.adapters.read_from_string(told, "cmx_3600", rate=25).find_clips()
        ] == []
    elif name == "otio":
        assert [*opentimelineio.adapters.read_from_string(told, "otio_json").find_clips()] == []
    elif name == "html":
        assert "Not found" in checked(told).text
    elif name == "ffmetadata":
        assert told == ";FFMETADATA1\ntitle=a dog runs\n"
    assert next(notes(EMPTY, named(name))).startswith("'a dog runs': nothing was found")


@pytest.mark.parametrize("words", HARM)
@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"json", "jsonl"}))
def test_what_films_say_is_no_syntax(name: str, words: str, tmp_path: Path) -> None:
    """As many moments are read as there are, at their times, whatever is said of them."""
    told, plain = text(harmful(words), name), text(harmful("words"), name)
    assert not CONTROL.search(told)
    write(harmful(words), tmp_path / "a", name)
    if name == "otio":
        read_back = opentimelineio.adapters.read_from_string(told, "otio_json")
        assert len([*read_back.find_clips()]) == 4
        return
    if name == "html":
        read_page, page = checked(told), checked(plain)
        assert read_page.tags == page.tags
        assert read_page.parts == page.parts
        return
    assert told.count("\n") == plain.count("\n")
    if name == "csv":
        for row in csv.reader(io.StringIO(told, newline="")):
            assert not any(cell.strip()[:1] in tuple("=+-@\t\r|") for cell in row if cell.strip())
    elif name == "srt":
        assert [each.start.total_seconds() for each in srt.parse(told)] == [1, 10]
        assert told.count("-->") == 2
        assert not set("<>{}") & set(re.sub("-->", "", told))
    elif name in ("vtt", "vtt-chapters"):
        assert [start for start, *_ in cues(told)] == [1, 10]
        assert told.count("-->") == 2
        assert "<" not in told
    elif name == "edl":
        read_back = opentimelineio.adapters.read_from_string(told, "cmx_3600", rate=25)
        starts = [each.source_range.start_time.value for each in read_back.find_clips()]
        assert sorted(starts) == [25, 25, 250, 250]  # of picture and sound
    else:
        assert len(re.findall(r"^\[CHAPTER\]$", told, re.M)) == 2
        assert len(re.findall(r"^START=", told, re.M)) == 2


def test_json_and_jsonl_are_ascii_whatever_is_said() -> None:
    for words in HARM:
        one = harmful(words)
        assert text(one, "json").isascii()
        assert text(one, "jsonl").count("\n") == 1
        assert json.loads(text(one, "jsonl"))["query"] == words


def test_several_reports_go_where_they_can_be_told_apart() -> None:
    for name, form in FORMATS.items():
        if form.many is None:
            with pytest.raises(ExportError, match=r"takes one report, not 2; .*json, jsonl, csv"):
                text([TWO, EMPTY], name)


def test_the_ending_says_which_format() -> None:
    assert by_suffix("a.b.SRT").name == "srt"
    assert by_suffix("a.chapters.vtt").name == "vtt-chapters"
    assert by_suffix("a.vtt").name == "vtt"
    assert by_suffix("a.html").name == "html"
    with pytest.raises(ExportError, match=r"end it in \.json"):
        by_suffix("a.doc")
    with pytest.raises(ExportError, match="there is no format 'doc'"):
        named("doc")


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "a.srt"
    out.write_text("before")
    with pytest.raises(ExportError):
        write([TWO, EMPTY], out)
    assert out.read_text() == "before"
    assert write(TWO, out).read_text() == text(TWO, "srt")
    for wrong in (tmp_path, tmp_path / "no" / "a.srt", Path("/dev/null"), tmp_path / ("n" * 300)):
        with pytest.raises(ExportError, match="cannot be written"):
            write(TWO, wrong, "srt")
    assert [each.name for each in tmp_path.iterdir()] == ["a.srt"]


@pytest.mark.parametrize("words", ["a dog runs", *HARM])
def test_ffmpeg_reads_its_chapters(words: str, tmp_path: Path) -> None:
    with av.open(str(write(harmful(words), tmp_path / "a.ffmetadata")), format="ffmetadata") as box:
        found = box.chapters()
        title = box.metadata["title"]
    assert [(each["start"], each["end"]) for each in found] == [(1000, 3000), (10_000, 13_000)]
    assert {each["time_base"] for each in found} == {Fraction(1, 1000)}
    assert [each["metadata"] for each in found] == [
        {"title": f"{title} ({sure})"} for sure in ("90%", "80%")
    ]
    assert words != "a dog runs" or title == words
