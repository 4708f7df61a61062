"""Writing that comes and goes: when it is news, and what is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import media
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lettered import SIZE, lettered, scene

from vmr_agent.playback import reels
from vmr_agent.protocols import Image
from vmr_agent.settings import Settings
from vmr_agent.testing import ColourShots
from vmr_agent.writing import Looked, News, Writing

STEP = 0.5
Shown = Callable[[float], Image]


def moving(time: float) -> Image:
    """As when a camera turns."""
    return scene(round(40 * time))


def looked(shows: Shown, seconds: float) -> list[Looked]:
    """What two looks a second find, where news gives a key frame; the first look gives one."""
    writing, found = Writing(), []
    for time in np.arange(0, seconds, STEP).tolist():
        image = shows(time)
        look = writing.look(time, image)
        if look.news or time == 0:
            writing.noted(image)
        found.append(look)
    return found


def news(shows: Shown, seconds: float = 12) -> list[News]:
    return [look.news for look in looked(shows, seconds) if look.news]


def titled(start: float, end: float, text: str = "PLATFORM NINE", behind: Shown = moving) -> Shown:
    def shows(time: float) -> Image:
        return lettered(behind(time), text) if start <= time < end else behind(time)

    return shows


@settings(max_examples=15, deadline=None)
@given(st.floats(0.6, 4), st.floats(2, 6), st.sampled_from(["moves", "stands"]))
def test_a_line_is_news_when_it_comes_and_when_it_goes(
    start: float, length: float, how: str
) -> None:
    """To half a look, whatever moves or stands behind it."""
    behind = moving if how == "moves" else lambda _: scene(0)
    came, went = news(titled(start, start + length, behind=behind))
    assert (came.comes, went.comes) == (True, False)
    assert abs(came.since - start) <= STEP / 2 + 1e-6
    assert abs(went.since - start - length) <= STEP / 2 + 1e-6


def test_news_comes_through_from_the_process_that_decodes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shown(_: int, index: int, size: tuple[int, int]) -> Image:
        image = scene(index, size[::-1])
        return lettered(image, "NO ENTRY") if index < 50 or 100 <= index < 150 else image

    monkeypatch.setattr(media, "picture", shown)
    film = media.film(tmp_path / "a.mp4", frames=200, size=SIZE[::-1])
    strip = {"short_side": 260, "key_change": 0.9, "key_every": 100}
    (reel,) = reels(film, ColourShots(), Settings(strip=strip))  # type: ignore[arg-type]
    found = [key.news for key in reel.keys if key.news]
    assert [each.comes for each in found] == [True, False, True, False]
    assert [each.since for each in found] == pytest.approx([0, 2, 4, 6], abs=0.3)


@pytest.mark.parametrize(
    ("ink", "plate"),
    [((255, 230, 70), (10, 10, 10)), ((20, 20, 20), (235, 235, 230)), ((228, 0, 0), (0, 116, 0))],
)
def test_letters_may_have_any_colours(
    ink: tuple[int, int, int], plate: tuple[int, int, int]
) -> None:
    """Also such as are as bright as their plate."""

    def shows(time: float) -> Image:
        image = moving(time)
        return lettered(image, "WAY OUT", ink=ink, plate=plate) if time >= 2 else image

    ((since, comes),) = news(shows)
    assert (since, comes) == (1.75, True)


def test_letters_need_no_plate() -> None:
    plain = np.full((*SIZE, 3), 60, np.uint8)
    ((since, _),) = news(lambda t: lettered(plain, "WAY OUT", plate=None) if t >= 2 else plain)
    assert since == 1.75


def test_a_line_that_stays_is_news_once() -> None:
    assert [each.comes for each in news(titled(1, 999), seconds=120)] == [True]


def test_a_line_on_the_key_frame_is_none_but_its_coming_is_told() -> None:
    found = looked(titled(0, 4), 10)
    assert [(look.news.since, look.news.comes) for look in found if look.news] == [(3.75, False)]
    assert [look.shown for look in found if look.shown is not None] == [0]


def test_a_line_that_becomes_another_goes_and_comes() -> None:
    def shows(time: float) -> Image:
        return lettered(moving(time), "WET PAINT" if time < 4 else "NO ENTRY")

    found = news(shows)
    assert [each.comes for each in found] == [True]
    assert found[0].since == 3.75


def test_what_runs_through_the_picture_is_no_news() -> None:
    """A ticker: to read it over and over would take the whole film."""
    strip = scene(0).copy()
    long = np.tile(lettered(strip, "MARKETS FALL TODAY", left=0), (1, 3, 1))

    def shows(time: float) -> Image:
        image = moving(time).copy()
        at = round(37 * time) % 462
        image[200:233] = long[200:233, at : at + 462]
        return image

    assert news(shows, seconds=30) == []


def test_pictures_without_writing_give_none() -> None:
    assert news(moving) == []
    assert news(lambda _: scene(0)) == []
    noise = np.random.default_rng(3).integers(0, 255, (24, *SIZE, 3), np.uint8)
    assert news(lambda time: noise[round(2 * time)]) == []


def test_grain_does_not_make_it_go() -> None:
    grain = np.random.default_rng(3)

    def shows(time: float) -> Image:
        image = lettered(moving(time), "CHAPTER TWO").astype(float)
        return np.clip(image + grain.normal(0, 5, image.shape), 0, 255).astype(np.uint8)

    assert news(shows, seconds=30) == []


def test_a_flash_hides_it_for_one_look() -> None:
    white = np.full((*SIZE, 3), 255, np.uint8)
    titles = titled(0, 999)
    assert news(lambda time: white if time == 4 else titles(time)) == []


@pytest.mark.parametrize("sizes", [((260, 462), (260, 346)), ((64, 64), (1, 1)), ((2, 900),)])
def test_pictures_of_any_size(sizes: Sequence[tuple[int, int]]) -> None:
    """Those of another size are another film."""
    wide = titled(0, 999)

    def shows(time: float) -> Image:
        height, width = sizes[int(time / 3) % len(sizes)]
        return np.asarray(cv2.resize(wide(time), (width, height)), np.uint8)

    assert all(each.comes for each in news(shows))
