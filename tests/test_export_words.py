"""Any moments and any words, there and back: their readers find as many, then, and nothing else."""

from __future__ import annotations

import csv
import io
import json
import math
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pysubs2
import pytest
import srt
import webvtt
from answered import film, moment, report
from hypothesis import given
from hypothesis import strategies as st
from opentimelineio import adapters
from processes import vmr
from test_display import checked
from test_export_timecode import EDITED

from vmr_agent import RunReport
from vmr_agent.export import FORMATS, named, notes, read, text, write

LASTS = 600.0
NASTY = st.sampled_from(
    ["-->", "\n\n", "\r", ",", '"', "=cmd()", "🎬", "\u202e", "\u2067", "<b>", "{", "&lt;", "*",
     "]", "[CHAPTER]", "00:00:01,000", "WEBVTT", "\\N", "\\", ";", "#", "\0", "\ufeff", "́", "مرحبا"]
)  # fmt: skip
WORDS = st.lists(NASTY | st.text(max_size=8), max_size=6).map("".join)


@st.composite
def answers(draw: st.DrawFn, fps: float = 25.0) -> RunReport:
    """Up to five moments, each with words of its own, also at the very end of the film."""
    ends = st.floats(0.001, LASTS, allow_subnormal=False) | st.just(LASTS)
    found = []
    for end in draw(st.lists(ends, max_size=5)):
        start = draw(st.floats(0, end * 0.999))
        score = draw(st.floats(0, 1))
        source = draw(st.sampled_from(["speech", "picture"]))
        found.append(moment(start, end, score, draw(WORDS), source))
    name = draw(WORDS).replace("/", "").replace("\0", "")
    return report(*found, query=draw(WORDS), video=film(path=f"/f/{name}", fps=fps, duration=LASTS))


def milliseconds(asked: RunReport) -> list[tuple[int, int]]:
    """When captions are shown, by the moments themselves."""
    found = [(round(1000 * m.span.start), round(1000 * m.span.end)) for m in asked.moments]
    return sorted((start, max(end, start + 1)) for start, end in found)


@given(answers())
def test_captions(asked: RunReport) -> None:
    wanted = sorted(set(milliseconds(asked)))
    told = text(asked, "srt")
    mine = [(each.start, each.end) for each in pysubs2.SSAFile.from_string(told, "srt")]
    assert sorted(set(mine)) == wanted
    theirs = [(each.start.total_seconds(), each.end.total_seconds()) for each in srt.parse(told)]
    assert sorted({(round(1000 * a), round(1000 * b)) for a, b in theirs}) == wanted
    cues = webvtt.from_string(text(asked, "vtt"))
    whole = {start // 1000 for start, _ in wanted}
    assert {int(each.start_in_seconds) for each in cues} == whole
    mine = [(each.start, each.end) for each in pysubs2.SSAFile.from_string(text(asked, "vtt"))]
    assert sorted(set(mine)) == wanted
    assert all("<" not in each.raw_text for each in cues)


@given(answers())
def test_chapters(asked: RunReport) -> None:
    told = io.BytesIO(text(asked, "ffmetadata").encode())
    with av.open(told, format="ffmetadata") as box:
        found: list[Any] = box.chapters()
    starts = {start for start, _ in milliseconds(asked)}
    assert {each["start"] for each in found} == starts
    assert all(one["end"] <= other["start"] for one, other in pairwise(found))
    assert {each["time_base"] for each in found} <= {Fraction(1, 1000)}
    assert len(webvtt.from_string(text(asked, "vtt-chapters"))) == len(found)


@given(answers())
def test_rows_and_pages(asked: RunReport) -> None:
    rows = list(csv.DictReader(io.StringIO(text(asked, "csv"), newline="")))
    found = sorted((row["start"], row["end"]) for row in rows)
    assert found == sorted((f"{m.span.start:.3f}", f"{m.span.end:.3f}") for m in asked.moments)
    cells = [cell for row in rows for cell in row.values()]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "|")) for cell in cells)
    assert read(text(asked, "json")) == [asked]
    line = json.loads(text(asked, "jsonl"))
    assert line["query"] == asked.query
    assert len(line["pred_relevant_windows"]) == len(asked.moments)


@given(answers())
def test_a_page_of_any_answer(asked: RunReport) -> None:
    count = len(asked.moments)
    assert (f"{count} moment" if count else "Not found") in checked(text(asked, "html")).text


@given(st.data())
def test_lists_of_cuts_are_right_to_the_frame(data: st.DataObject) -> None:
    """By fractions, for themselves: the nearest frame, one at least, none behind the film's."""
    exact = data.draw(st.sampled_from(EDITED))
    asked = data.draw(answers(fps=float(exact)))
    last = round(Fraction(LASTS) * exact)
    wanted = []
    for each in asked.moments:
        start, end = (
            math.floor(Fraction(at) * exact + Fraction(1, 2))
            for at in (each.span.start, each.span.end)
        )
        start = min(start, last - 1)
        wanted.append((start, max(start + 1, min(end, last))))
    rate = float(exact)
    for name, form in (("edl", "cmx_3600"), ("otio", "otio_json")):
        more = {"rate": rate} if name == "edl" else {}
        timeline = adapters.read_from_string(text(asked, name), form, **more)
        tracks = [track for track in timeline.tracks if track.kind == "Video"]
        found = [each.source_range for track in tracks for each in track]
        read_back = [(e.start_time.to_frames(), e.end_time_exclusive().to_frames()) for e in found]
        for one, other in zip(sorted(read_back), sorted(wanted), strict=True):
            assert one == pytest.approx(other, abs=0) or halfway(asked, exact)


def halfway(asked: RunReport, exact: Fraction) -> bool:
    """Whether a second lies right between two frames: either is the nearest."""
    times = [at for each in asked.moments for at in (each.span.start, each.span.end)]
    return any((Fraction(at) * exact * 2).denominator == 1 for at in times)


def test_what_a_partial_answer_says() -> None:
    half = report(moment(1, 2), status="partial")
    assert [*notes(half, named("srt"))] == ["'a dog runs': not all of the film could be searched"]
    none = report(status="partial")
    said = [*notes(none, named("csv"))]
    assert len(said) == 2
    assert "nothing was found" in said[0]
    assert {text(half, name) == text(report(moment(1, 2)), name) for name in
            sorted(set(FORMATS) - {"json", "otio", "html"})} == {True}  # fmt: skip


def test_our_own_scorer_takes_what_we_export(tmp_path: Path) -> None:
    hit = report(moment(10, 20, 0.9), video=film(path="/f/v1.mp4", duration=150.0))
    none = report(query="a cat", video=film(path="/f/v1.mp4", duration=150.0))
    write([hit, none], tmp_path / "mine.jsonl")
    truth = [
        {"qid": n, "query": each.query, "vid": "v1", "duration": 150,
         "relevant_windows": [[10, 20]], "relevant_clip_ids": [5], "saliency_scores": [[4, 4, 4]]}
        for n, each in enumerate((hit, none), 1)
    ]  # fmt: skip
    (tmp_path / "truth.jsonl").write_text("".join(json.dumps(row) + "\n" for row in truth))
    run = vmr(tmp_path, "score", tmp_path / "mine.jsonl", "--dataset", "qvhighlights",
              "--ground-truth", tmp_path / "truth.jsonl", "--json")  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "50.0" in run.stdout
