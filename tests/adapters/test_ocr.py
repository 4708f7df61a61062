"""On-screen text, read by the real packaged models."""

import socket
import time
from itertools import permutations
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vmr_agent.adapters import ocr
from vmr_agent.adapters.ocr import RapidText

Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def reader() -> RapidText:
    return RapidText()


def picture(*lines: str, width: int = 960, height: int = 540, scale: float = 1.2) -> Image:
    """A blue gradient with lines of white text on it, RGB."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 2] = np.linspace(60, 160, height, dtype=np.uint8)[:, None]
    for row, line in enumerate(lines):
        at = (60, 120 + row * 150)
        cv2.putText(image, line, at, cv2.FONT_HERSHEY_DUPLEX, scale, (255, 255, 255), 2)
    return image


def test_lines_are_read_top_to_bottom(reader: RapidText) -> None:
    found = reader.read(picture("Platform 9", "The train leaves at noon", "EXIT"))
    assert [text for text, _ in found] == ["Platform 9", "The train leaves at noon", "EXIT"]
    assert all(0.5 <= confidence <= 1 for _, confidence in found)


def test_pieces_side_by_side_are_one_line_but_columns_are_not() -> None:
    def piece(text: str, left: float, right: float, top: float = 0) -> ocr._Piece:
        return ocr._Piece(text, 0.9, left, right, top, top + 20)

    pieces = [piece("ask not", 0, 90), piece("what", 100, 150), piece("9:15", 400, 450)]
    lines = ocr._joined([*pieces, piece("your country", 0, 120, top=30)])
    assert [line.text for line in lines] == ["ask not what", "9:15", "your country"]


def test_the_picture_is_taken_as_rgb(reader: RapidText) -> None:
    # Red on the green of equal brightness: seen only by its colour.
    image = np.full((270, 480, 3), (0, 116, 0), np.uint8)
    cv2.putText(image, "WARNING", (60, 150), cv2.FONT_HERSHEY_DUPLEX, 2, (228, 0, 0), 4)
    assert reader.read(image)[0][0] == "WARNING"


PAINTS = {
    "white": (255, 255, 255),
    "amber": (255, 200, 0),
    "red": (220, 0, 0),
    "blue": (0, 0, 220),
    "green": (0, 160, 0),
    "black": (0, 0, 0),
}


def pairs() -> list[Any]:
    """Each colour on the next in every run, each on any other in ``make prove``."""
    names = [*PAINTS]
    soon = set(zip(names, [*names[1:], names[0]], strict=True))
    slow = pytest.mark.slow
    return [p if p in soon else pytest.param(*p, marks=slow) for p in permutations(names, 2)]


@pytest.mark.parametrize(("ink", "paper"), pairs())
def test_text_of_any_colour_is_read_on_any_other(reader: RapidText, ink: str, paper: str) -> None:
    image = np.full((540, 960, 3), PAINTS[paper], np.uint8)
    cv2.putText(image, "BREAKING NEWS", (60, 250), cv2.FONT_HERSHEY_DUPLEX, 1.5, PAINTS[ink], 2)
    assert reader.read(image)[0][0] == "BREAKING NEWS"
    small = np.full((540, 960, 3), PAINTS[paper], np.uint8)
    cv2.putText(small, "Yes.", (440, 500), cv2.FONT_HERSHEY_DUPLEX, 0.9, PAINTS[ink], 1)
    assert [text.rstrip(".") for text, _ in reader.read(small)] == ["Yes"]


@pytest.mark.parametrize("shape", [(2, 65535), (64, 20000), (20000, 64), (1, 1), (9, 9)])
def test_pictures_too_slender_for_text_give_nothing(
    reader: RapidText, shape: tuple[int, int]
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8)
    assert reader.read(noise) == ()


@pytest.mark.parametrize(("width", "height"), [(640, 360), (540, 960), (1280, 720)])
def test_small_subtitles_are_read_at_every_size(reader: RapidText, width: int, height: int) -> None:
    image = picture(
        "we will meet again", width=width, height=height, scale=min(width, height) / 700
    )
    assert [text for text, _ in reader.read(image)] == ["we will meet again"]


def test_pictures_without_text_give_nothing(reader: RapidText) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (360, 640, 3), np.uint8)
    for image in (picture(), noise, np.zeros((64, 64, 3), np.uint8)):
        assert reader.read(image) == ()


def test_a_title_as_high_as_half_the_picture_is_read(reader: RapidText) -> None:
    image = picture()
    cv2.putText(image, "night", (90, 380), cv2.FONT_HERSHEY_DUPLEX, 8, (255, 255, 255), 20)
    cv2.putText(image, "a small line below it", (90, 520), cv2.FONT_HERSHEY_DUPLEX, 1, (0,) * 3, 2)
    assert "night" in [text for text, _ in reader.read(image)]


def box(left: int, top: int, right: int, bottom: int) -> NDArray[np.float32]:
    return np.array([[(left, top), (right, top), (right, bottom), (left, bottom)]], np.float32)


def test_what_is_found_too_large_for_text_must_be_readable(reader: RapidText) -> None:
    leaves = np.random.default_rng(1).integers(0, 255, (540, 960, 3)).astype(np.uint8)
    leaves = cv2.GaussianBlur(leaves, (0, 0), 3).astype(np.uint8)
    whole = box(0, 0, 960, 540)
    assert not reader._likely(leaves, whole)
    assert reader._likely(leaves, np.concatenate([whole, box(100, 100, 300, 130)]))
    title = picture()
    cv2.putText(title, "night", (90, 380), cv2.FONT_HERSHEY_DUPLEX, 8, (255, 255, 255), 20)
    assert reader._likely(title, box(60, 150, 780, 470))
    assert reader._likely(title, box(-5, 150, 980, 560)), "boxes may reach over the edge"
    assert [text for text, _ in reader.read(picture("EXIT"))] == ["EXIT"]


def test_single_letters_are_not_text(reader: RapidText) -> None:
    assert reader.read(picture("A")) == ()


def test_nothing_is_downloaded_and_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    reader = RapidText()
    assert reader.read(picture("Hello there"))
    assert reader.read(picture()) == ()
    assert capfd.readouterr() == ("", "")


def test_reading_is_fast_enough_for_key_frames(reader: RapidText) -> None:
    image = picture("The train leaves at noon")
    reader.read(image)
    start = time.process_time()
    reader.read(image)
    assert time.process_time() - start < 1.5
