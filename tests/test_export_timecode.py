"""Timecode right to the frame: EDL and OpenTimelineIO, there and back, at every rate."""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from answered import film, moment, report
from hypothesis import given
from hypothesis import strategies as st
from opentimelineio import adapters, opentime
from processes import VMR, vmr

from vmr_agent.errors import ExportError, MachineError
from vmr_agent.export import text
from vmr_agent.export.timecode import DEFAULT, STANDARD, Rate, counted, frames, timecode
from vmr_agent.types import Span

RATES = st.sampled_from(STANDARD)
EDITED = [each for each in STANDARD if each != 48]
"""Those that the EDL's reader knows."""
DAY = 86_400


SPANS = [
    (at, at + 7.3)
    for at in (0, 59.99, 60.1, 599.9, 600.05, 3599.98, 3660.3, 36_000.2, 23 * 3600 + 59.9)
]
"""All over a film, also where numbers are dropped."""


@given(frame=st.integers(0, DAY * 60), exact=RATES)
def test_timecode_is_that_of_opentimelineio(frame: int, exact: Fraction) -> None:
    rate = Rate(exact)
    frame %= round(DAY * exact) - 1
    drop = bool(rate.drops)
    time = opentime.RationalTime(frame, float(exact))
    assert timecode(frame, rate) == opentime.to_timecode(time, float(exact), drop)


@pytest.mark.parametrize("exact", [each for each in STANDARD if Rate(each).drops])
def test_drop_frame_keeps_to_the_clock(exact: Fraction) -> None:
    """Every ten minutes of a day it is the wall clock's, and no number comes twice."""
    rate = Rate(exact)
    for minute in range(0, 24 * 60, 10):
        assert timecode(round(minute * 60 * exact), rate).startswith(
            f"{minute // 60:02d}:{minute % 60:02d}:00;"
        )
    hour = [timecode(frame, rate) for frame in range(round(1200 * exact))]
    assert len(set(hour)) == len(hour)
    assert hour == sorted(hour)


def test_after_a_day_it_would_begin_anew() -> None:
    for exact in STANDARD:
        rate = Rate(exact)
        whole = 24 * 3600 * rate.nominal - rate.drops * 9 * 144
        assert timecode(whole - 1, rate)[:8] == "23:59:59"
        with pytest.raises(ExportError, match="24 hours"):
            timecode(whole, rate)


@given(seconds=st.floats(0, DAY), exact=RATES)
def test_a_frame_is_the_one_that_begins_nearest(seconds: float, exact: Fraction) -> None:
    found = Rate(exact).frame(seconds)
    assert abs(Fraction(found) / exact - Fraction(seconds)) <= 1 / (2 * exact)


@given(frame=st.integers(0, DAY * 60), exact=RATES)
def test_times_of_pictures_are_their_own_frames(frame: int, exact: Fraction) -> None:
    """As films and reports have them: floats, rounded to a microsecond."""
    assert Rate(exact).frame(round(float(frame / exact), 6)) == frame


@given(start=st.floats(0, 100), length=st.floats(1e-6, 50), duration=st.floats(0, 90), exact=RATES)
def test_there_is_a_frame_at_least_and_none_behind_the_film(
    start: float, length: float, duration: float, exact: Fraction
) -> None:
    if start + length <= start:
        return
    rate = Rate(exact)
    first, behind = frames(Span(start=start, end=start + length), rate, duration)
    assert 0 <= first < behind
    assert not duration or behind <= max(1, rate.frame(duration))


@pytest.mark.parametrize(
    ("fps", "exact", "said"),
    [
        (23.976, Fraction(24000, 1001), ""),
        (23.976024, Fraction(24000, 1001), ""),
        (24.0, Fraction(24), ""),
        (25.0001, Fraction(25), ""),
        (29.97, Fraction(30000, 1001), ""),
        (30.0, Fraction(30), ""),
        (50.0, Fraction(50), ""),
        (59.94, Fraction(60000, 1001), ""),
        (60.0, Fraction(60), ""),
        (12.5, Fraction(25), "12.5 pictures a second"),
        (120.0, Fraction(24), "120 pictures a second"),
        (27.31, Fraction(25), "27.31 pictures a second"),
        (0.0, DEFAULT, "no picture"),
    ],
)
def test_an_average_is_taken_for_the_nearest_rate(fps: float, exact: Fraction, said: str) -> None:
    rate = counted(film(fps=fps))
    assert rate.why.startswith(said)
    assert bool(rate.why) == bool(said)
    if fps == 120:
        assert 120 % rate.exact == 0
    elif fps != 27.31:
        assert rate.exact == exact
    else:
        assert rate.exact in STANDARD


@pytest.mark.parametrize("exact", STANDARD, ids=str)
def test_otio_is_read_back_to_the_frame(exact: Fraction) -> None:
    asked = report(
        *(moment(*each, 0.5) for each in SPANS), video=film(fps=float(exact), duration=DAY - 1.0)
    )
    timeline = adapters.read_from_string(text(asked, "otio"), "otio_json")
    assert [track.kind for track in timeline.tracks] == ["Video", "Audio"]
    rate = Rate(exact)
    for track in timeline.tracks:
        found = [each.source_range for each in track]
        assert [(each.start_time.value, each.end_time_exclusive().value) for each in found] == [
            (rate.frame(start), rate.frame(end)) for start, end in SPANS
        ]
        assert {each.start_time.rate for each in found} == {float(exact)}
    first = timeline.tracks[0][0]
    assert first.media_reference.target_url == "file:///films/Der%20Anfang%2C%201.mp4"
    assert first.metadata["vmr_agent"]["end"] == SPANS[0][1]
    assert json.loads(timeline.to_json_string())["global_start_time"]["value"] > 0


@pytest.mark.parametrize("exact", EDITED, ids=str)
def test_an_edl_is_read_back_to_the_frame(exact: Fraction) -> None:
    asked = report(
        *(moment(*each, 0.5) for each in SPANS),
        video=film(fps=float(exact), duration=DAY - 1.0, has_audio=False),
    )
    told = text(asked, "edl")
    rate = Rate(exact)
    assert told.splitlines()[1] == ("FCM: DROP FRAME" if rate.drops else "FCM: NON-DROP FRAME")
    timeline = adapters.read_from_string(told, "cmx_3600", rate=float(exact))
    found = [each.source_range for each in timeline.find_clips()]
    assert [(each.start_time.value, each.end_time_exclusive().value) for each in found] == [
        (rate.frame(start), rate.frame(end)) for start, end in SPANS
    ]
    named = {each.name for each in timeline.find_clips()}
    assert named == {"Der Anfang, 1.mp4"}


def test_an_edl_counts_no_further_than_it_can() -> None:
    with pytest.raises(ExportError, match="999 events"):
        text(report(*(moment(each, each + 1) for each in range(1000))), "edl")
    with pytest.raises(ExportError, match="24 hours"):
        text(report(moment(DAY, DAY + 5), video=film(duration=DAY * 2.0)), "edl")


def test_sound_alone_is_edited_too() -> None:
    video = film(fps=0.0, width=0, height=0, has_picture=False)
    told = text(report(moment(1, 2), video=video), "edl")
    assert " A     C        00:00:01:00 00:00:02:00 01:00:00:00 01:00:01:00" in told
    timeline = adapters.read_from_string(text(report(moment(1, 2), video=video), "otio"))
    assert [track.kind for track in timeline.tracks] == ["Audio"]


def test_without_the_extra_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentimelineio", None)
    with pytest.raises(MachineError, match=r"pip install 'vmr_agent\[edit\]'"):
        text(report(moment(1, 2)), "otio")


def test_other_formats_do_not_load_it(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text(report(moment(1, 2)), "json"))
    blind = "import sys; sys.modules['opentimelineio'] = None"
    command = (sys.executable, "-c", f"{blind}\nfrom vmr_agent.__main__ import main\nmain()")
    assert VMR
    assert vmr(tmp_path, "export", path, "--to", "edl", command=command).returncode == 0
    run = vmr(tmp_path, "export", path, "--to", "otio", command=command)
    assert run.returncode == 3
