from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import get_args

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vmr_agent.adapters.scenes import BREAK, SIZE, SceneShots
from vmr_agent.frame import Frame
from vmr_agent.settings import ShotSettings

FPS = 25
DETECTORS = get_args(ShotSettings.model_fields["detector"].annotation)
BLACK, WHITE = (np.full((72, 128, 3), level, np.uint8) for level in (0, 255))
every_detector = pytest.mark.parametrize("detector", DETECTORS)
Picture = np.ndarray


def shots(detector: str = "gradual", threshold: float | None = None) -> SceneShots:
    return SceneShots(ShotSettings(detector=detector, threshold=threshold))


def scene(seed: int, height: int = 72, width: int = 128) -> Picture:
    """Something to see: blots of all colours, other ones for every seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 12, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)


def mixed(old: Picture, new: Picture, count: int) -> list[Picture]:
    """One turning into the other."""
    return [
        cv2.addWeighted(old, 1 - share, new, share, 0)
        for share in np.linspace(0, 1, count + 2)[1:-1]
    ]


def turned(picture: Picture, count: int, way: int) -> list[Picture]:
    """A camera that turns over it, so many pixels for each frame."""
    return [np.roll(picture, index * way, axis=1) for index in range(count)]


def film(pictures: Sequence[Picture], times: Sequence[float] | None = None) -> list[Frame]:
    """The pictures, 25 in a second if no times are given."""
    times = times or [index / FPS for index in range(len(pictures))]
    return [Frame.of(time, each) for time, each in zip(times, pictures, strict=True)]


def cuts(pictures: Sequence[Picture], detector: str = "gradual") -> list[float]:
    return list(shots(detector).cuts(film(pictures), 0.0))


@every_detector
def test_hard_cuts_are_exact_to_the_frame(detector: str) -> None:
    pictures = [scene(1)] * 40 + [scene(2)] * 33 + [scene(3)] * 27
    assert cuts(pictures, detector) == [40 / FPS, 73 / FPS]


@every_detector
def test_a_cut_is_at_the_time_of_the_frame_behind_it(detector: str) -> None:
    times = np.cumsum(np.random.default_rng(5).uniform(0.001, 0.2, 60)).tolist()
    pictures = [scene(1)] * 25 + [scene(2)] * 35
    assert shots(detector).cuts(film(pictures, times), 0.0) == (times[25],)


@every_detector
@pytest.mark.parametrize("count", [0, 1, 60])
def test_where_nothing_happens_is_no_cut(detector: str, count: int) -> None:
    assert cuts([scene(1)] * count, detector) == []


@every_detector
def test_what_was_decided_before_is_not_told_again(detector: str) -> None:
    frames = film([scene(1)] * 30 + [scene(2)] * 60)
    assert shots(detector).cuts(frames, 30 / FPS + 0.5) == ()


@pytest.mark.parametrize(("seconds", "off"), [(0.4, 0.06), (1.0, 0.06), (2.0, 0.2)])
def test_a_dissolve_is_one_cut_in_its_middle(seconds: float, off: float) -> None:
    count = round(seconds * FPS)
    pictures = [scene(1)] * 50 + mixed(scene(1), scene(2), count) + [scene(2)] * 50
    assert cuts(pictures) == [pytest.approx((50 + count / 2) / FPS, abs=off)]


@pytest.mark.parametrize("colour", [BLACK, WHITE], ids=["black", "white"])
@pytest.mark.parametrize("each", [8, 25])
def test_a_fade_is_one_cut_where_the_picture_comes_back(colour: Picture, each: int) -> None:
    out, back = mixed(scene(1), colour, each), mixed(colour, scene(2), each)
    pictures = [scene(1)] * 50 + out + [colour] * 4 + back + [scene(2)] * 50
    assert cuts(pictures) == [pytest.approx((50 + each + 4) / FPS, abs=0.06)]


def test_black_that_lasts_is_a_shot() -> None:
    pictures = [scene(1)] * 50 + [BLACK] * 50 + [scene(2)] * 50
    assert cuts(pictures) == [50 / FPS, 100 / FPS]


def test_black_at_the_start_begins_no_shot() -> None:
    assert cuts([BLACK] * 5 + [scene(2)] * 50) == []
    assert cuts([BLACK] * 50 + [scene(2)] * 50) == [50 / FPS]


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("light", [WHITE, cv2.addWeighted(scene(1), 0.3, WHITE, 0.7, 0)])
def test_a_flash_is_no_cut(count: int, light: Picture) -> None:
    assert cuts([scene(1)] * 50 + [light] * count + [scene(1)] * 50) == []


def test_many_flashes_are_no_cut() -> None:
    flashes = [WHITE if index % 4 < 2 else scene(1) for index in range(40)]
    assert cuts([scene(1)] * 50 + flashes + [scene(1)] * 50) == []


def test_a_cut_in_a_flash_is_one() -> None:
    assert len(cuts([scene(1)] * 50 + [WHITE] * 2 + [scene(2)] * 50)) == 1


def test_a_lamp_put_out_is_no_cut() -> None:
    assert cuts([scene(1)] * 50 + [scene(1) // 2] * 50 + [scene(1)] * 50) == []


def test_a_camera_that_turns_fast_is_no_cut() -> None:
    turning = turned(scene(1), 60, 6)
    assert cuts([turning[0]] * 50 + turning + [turning[-1]] * 50) == []


def test_something_large_that_passes_is_no_cut() -> None:
    passing = [scene(1).copy() for _ in range(32)]
    for index, picture in enumerate(passing):
        picture[:, max(0, index * 5 - 60) : index * 5] = scene(2)[:, :1]
    assert cuts([scene(1)] * 50 + passing + [scene(1)] * 50) == []


@every_detector
@pytest.mark.parametrize("gap", [BREAK + 0.05, 4.0])
def test_frames_far_apart_are_judged_at_once(detector: str, gap: float) -> None:
    """Of key frames, or of slides, the next one may be minutes away."""
    times = [index * gap for index in range(5)]
    frames = film([scene(1)] * 2 + [scene(2)] * 3, times)
    assert shots(detector).cuts(frames[:3], 0.0) == (times[2],)
    assert shots(detector).cuts(frames, 0.0) == (times[2],)


@every_detector
def test_a_cut_just_before_the_picture_stands_still_is_found(detector: str) -> None:
    times = [index / FPS for index in range(51)] + [9.0]
    frames = film([scene(1)] * 50 + [scene(2)] * 2, times)
    assert shots(detector).cuts(frames, 0.0) == (2.0,)


@every_detector
def test_a_change_of_size_or_aspect_is_no_cut(detector: str) -> None:
    sizes = [(72, 128)] * 25 + [(360, 640)] * 25 + [(36, 64)] * 25
    assert cuts([scene(1, *size) for size in sizes], detector) == []
    upright = [scene(1)] * 25 + [scene(1, 128, 72)] * 25 + [scene(2, 100, 100)] * 25
    assert cuts(upright, detector)[-1] == 50 / FPS


def test_threshold_is_obeyed() -> None:
    pictures = [np.full((72, 128, 3), level, np.uint8) for level in [100] * 25 + [160] * 25]
    assert shots("content", 15).cuts(film(pictures), 0.0) == (1.0,)
    assert shots("content").cuts(film(pictures), 0.0) == ()


def test_red_is_red() -> None:
    """Hues wrap at red: this change is one for PySceneDetect, and would be none in blue."""
    pictures = [np.full((72, 128, 3), (255, 0, blue), np.uint8) for blue in [0] * 25 + [40] * 25]
    assert cuts(pictures, "content") == [1.0]


def test_flat_colours_are_told_apart() -> None:
    colours = [(200, 30, 30)] * 25 + [(30, 160, 40)] * 25 + [(40, 60, 210)] * 25
    pictures = [np.full((72, 128, 3), colour, np.uint8) for colour in colours]
    assert cuts(pictures) == [1.0, 2.0]


@st.composite
def films(draw: st.DrawFn, holds: bool) -> list[Frame]:
    """Whatever may happen in a film; frames at uneven times, with holds among them or without."""
    pictures: list[Picture] = []
    last = scene(0)
    for _ in range(draw(st.integers(2, 6))):
        new = draw(st.sampled_from([scene(1), scene(2), scene(3), BLACK, last]))
        length = draw(st.integers(1, 30))
        event = draw(st.sampled_from(["cut", "dissolve", "flash", "turn"]))
        if event == "dissolve":
            pictures += mixed(last, new, length)
        elif event == "flash":
            pictures += [WHITE] * (length % 4)
        elif event == "turn":
            pictures += turned(new, length, 9)
        pictures += [new] * draw(st.integers(1, 40))
        last = new
    steps = st.sampled_from([0.02, 0.04, 0.04, 0.1, 0.2, *([0.3, 0.9, 3.0] if holds else [])])
    pace = draw(st.lists(steps, min_size=1, max_size=9))
    gaps = [pace[index * index % len(pace)] for index in range(len(pictures) - 1)]
    return film(pictures, [round(time, 6) for time in np.cumsum([0.0, *gaps])])


def in_pieces(detector: SceneShots, frames: list[Frame], edges: list[float]) -> list[float]:
    """The cuts of a film cut at the edges, each piece with its lead."""
    found: list[float] = []
    for since, until in pairwise([0.0, *sorted(edges), frames[-1].time + 1]):
        before = max((frame.time for frame in frames if frame.time < since), default=0.0)
        first = min(since, before) - detector.lead
        piece = [frame for frame in frames if first <= frame.time < until]
        found += detector.cuts(piece, since)
    return found


@every_detector
@pytest.mark.parametrize("holds", [False, True], ids=["even", "holds"])
def test_pieces_of_a_film_give_what_the_whole_film_gives(detector: str, holds: bool) -> None:
    @settings(max_examples=20)
    @given(films(holds), st.lists(st.floats(0.1, 12), min_size=1, max_size=3))
    def check(frames: list[Frame], edges: list[float]) -> None:
        whole = shots(detector).cuts(frames, 0.0)
        found = in_pieces(shots(detector), frames, edges)
        assert sorted(found) == list(whole)
        assert list(whole) == sorted(set(whole))
        assert all(frames[0].time < cut <= frames[-1].time + 1 for cut in whole)

    check()


def test_little_context_is_asked_for() -> None:
    assert shots().lead <= 2


def test_frames_are_pulled_once_and_none_is_kept() -> None:
    """One decode serves everyone, and a film of hours must not fill the memory."""
    alive, most = 0, 0

    class Counted(Frame):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def watched() -> Iterator[Frame]:
        nonlocal alive, most
        for index in range(60):
            alive += 1
            most = max(most, alive)
            yield Counted(index / FPS, scene(index // 30))

    assert len(shots().cuts(watched(), 0.0)) == 1
    assert most <= 2
    assert alive == 0


def test_large_pictures_are_looked_at_small(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    rgb = Frame.rgb
    monkeypatch.setattr(Frame, "rgb", lambda self, side=None: asked.append(side) or rgb(self, side))
    cuts([scene(0, 360, 640)] * 2)
    assert asked == [SIZE[1], SIZE[1]]


def test_importing_it_loads_no_scenedetect() -> None:
    code = "import sys, vmr_agent.adapters.scenes; sys.exit('scenedetect' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
