"""Decoding only some frames, or from the middle on: the same frames, times and losses."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Literal

import media
import pytest

from vmr_agent.limits import VideoSettings
from vmr_agent.video import Picture, sound

Mode = Literal["all", "reference", "key"]
Frames = list[tuple[float, int, float, bytes]]
WHOLE = [name for name in media.KINDS if not name.startswith("damaged")]
DAMAGED = [name for name in media.KINDS if name.startswith("damaged")]


@pytest.fixture(scope="module", params=media.KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def path(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return media.KINDS[kind](tmp_path_factory.mktemp("kinds"))


def decoded(path: Path, mode: Mode = "all", since: float = 0.0) -> tuple[Frames, float, int]:
    """Of every frame its time, what was met with it, what is missing before it, and its pixels;
    the film's duration, and what was met behind the last frame."""
    with Picture(path, VideoSettings(frames=mode), since) as picture:
        found = [(f.time, f.met, f.dark, f.rgb(32).tobytes()) for f in picture.frames()]
        return found, picture.duration, picture.trailing


@pytest.mark.parametrize("mode", ["all", "reference", "key"])
def test_from_the_middle_on_all_is_as_from_the_front(path: Path, mode: Mode) -> None:
    whole, duration, behind = decoded(path, mode)
    for since in (0.02, 2.4, 4.97, 5.0, 7.6, 9.99, 60.0):
        (before, *rest), *ending = decoded(path, mode, since)
        assert rest == [frame for frame in whole if frame[0] >= since]
        assert (before[0], before[3]) == [(f[0], f[3]) for f in whole if f[0] < since][-1]
        assert ending == [duration, behind]


@pytest.mark.parametrize("kind", WHOLE, indirect=True)
def test_fewer_frames_are_some_of_all_and_the_film_as_long(path: Path, kind: str) -> None:
    every, duration, _ = decoded(path)
    times = {time: pixels for time, _, _, pixels in every}
    assert len(every) == 250
    for mode, least in (("reference", 60), ("key", 1 if kind == "one key frame" else 10)):
        some, length, behind = decoded(path, mode)  # type: ignore[arg-type]
        if (kind, mode) != ("avi", "reference"):
            assert least <= len(some) < 0.8 * len(every)
        assert some[0][0] == 0
        assert {time: pixels for time, _, _, pixels in some}.items() <= times.items()
        assert all(a[0] < b[0] for a, b in pairwise(some))
        assert length == pytest.approx(duration, abs=0.0011)
        assert not any(dark for _, _, dark, _ in some)
        assert sum(met for _, met, _, _ in some) + behind == len(some), "nothing counts as lost"
    assert sum(met for _, met, _, _ in every) == len(every)
    assert not any(dark for _, _, dark, _ in every), "pauses are no damage"


@pytest.mark.parametrize("kind", DAMAGED, indirect=True)
@pytest.mark.parametrize("mode", ["all", "reference", "key"])
def test_what_is_lost_is_counted_and_where_it_is_missing_is_told(path: Path, mode: Mode) -> None:
    every, duration, behind = decoded(path, mode)
    assert len(every) > 2
    lost = sum(met for _, met, _, _ in every) + behind - len(every)
    dark = [(time - gap, time) for time, _, gap, _ in every if gap]
    assert 50 < lost < 200
    (hole,) = dark
    assert hole[1] - hole[0] > 1.5
    assert not [time for time, _, _, _ in every if hole[0] < time < hole[1]]
    if mode == "all":
        assert hole[1] - hole[0] == pytest.approx(lost / 25, rel=0.5)
        assert duration == pytest.approx(10, abs=0.0011)


def test_one_wild_time_does_not_make_a_film_of_days(tmp_path: Path) -> None:
    times = [*(i / 25 for i in range(100)), 250_000.0]
    path = media.film(tmp_path / "a.mkv", frames=101, times=times, encoder=media.BOTH_WAYS)
    for mode in ("all", "reference", "key"):
        _, duration, _ = decoded(path, mode)  # type: ignore[arg-type]
        assert 3.5 < duration < 4.01


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("mode", ["all", "reference", "key"])
def test_a_stretch_whose_clock_is_wrong_is_all_that_is_lost(
    tmp_path: Path, mode: Mode, number: int
) -> None:
    """Of four; time zero is where the first begins that is right."""
    times = [100 + i / 25 for i in range(500)]
    path = media.film(tmp_path / "a.mkv", frames=500, times=times, encoder=media.BOTH_WAYS)
    whole, duration, _ = decoded(path, mode)
    media.mistimed(path, number)
    some, length, behind = decoded(path, mode)
    begin = 4.8 if number == 0 else 0.0
    pixels = {round(time - begin, 6): looks for time, _, _, looks in whole}
    assert {time: looks for time, _, _, looks in some}.items() <= pixels.items()
    assert 0.2 < 1 - len(some) / len(whole) < 0.32
    assert sum(met for _, met, _, _ in some) + behind == len(whole)
    assert length == pytest.approx(14.92 if number == 3 else duration - begin, abs=0.0011)
    dark = [(time - gap, time) for time, _, gap, _ in some if gap]
    assert len(dark) == (number in (1, 2))
    assert all(4 < end - start < 7 for start, end in dark)
    later, *ending = decoded(path, mode, 12.0)
    assert [frame for frame in later if frame[0] >= 12] == [f for f in some if f[0] >= 12]
    assert ending == [length, behind]


def test_fragments_whose_clock_is_wrong(tmp_path: Path) -> None:
    split = {"movflags": "frag_keyframe+empty_moov"}
    path = media.film(tmp_path / "a.mp4", frames=500, encoder=media.BOTH_WAYS, **split)
    some, length, _ = decoded(media.mistimed(path, 12))
    assert (some[0][0], some[-1][0], length) == (0, 19.96, 20)
    assert len(some) > 450
    assert [gap for _, _, gap, _ in some if gap] == [pytest.approx(1.92)]


def test_one_wild_time_at_the_end_is_none_that_the_header_knows_of(tmp_path: Path) -> None:
    """What it does know of is a film with a hole in it."""
    times = [*(100 + i / 25 for i in range(100)), 5000.0]
    path = media.film(tmp_path / "a.mkv", frames=101, times=times, encoder=media.BOTH_WAYS)
    for mode in ("all", "reference", "key"):
        assert decoded(path, mode)[1] == pytest.approx(4900.04, abs=0.0011)  # type: ignore[arg-type]
    media.promising(path, 104)
    for mode in ("all", "reference", "key"):
        assert 3.5 < decoded(path, mode)[1] < 4.01  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["a.mp4", "a.ts", "a.mkv"])
def test_sound_of_a_film_of_which_only_key_frames_are_decoded(tmp_path: Path, name: str) -> None:
    """Time zero is the first picture, whichever frames are decoded."""
    pieces = [(500.0, media.tone(10, 0.5, 7.5))]
    times = [500 + i / 25 for i in range(250)]
    path = media.film(
        tmp_path / name, frames=250, times=times, sound=pieces, encoder=media.BOTH_WAYS
    )
    for mode in ("all", "key"):
        limits = VideoSettings(frames=mode)  # type: ignore[arg-type]
        ((_, samples),) = sound(path, chunk=60, limits=limits)
        assert media.beeps(samples) == pytest.approx([0.5, 7.5], abs=0.003)
        assert decoded(path, mode)[0][0][0] == 0  # type: ignore[arg-type]
