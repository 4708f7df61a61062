"""Lines on screen: from which key frame to which, and which are taken for texture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from shelved import reel, span

from vmr_agent.artefacts import Footage, Glances, Screen
from vmr_agent.protocols import Image
from vmr_agent.settings import ReadSettings
from vmr_agent.tools import read_reel, read_text
from vmr_agent.types import Shot
from vmr_agent.writing import News

SETTINGS = ReadSettings(min_confidence=0.8)
Lines = tuple[tuple[str, float], ...]


class Sheet:
    """Reads what it was told to find in each picture, by how bright the picture is."""

    name = "sheet"

    def __init__(self, *pages: Lines) -> None:
        self.pages = pages

    def read(self, image: Image) -> Lines:
        return self.pages[round(float(image.mean()) / 20)]


def keys(*times: float) -> list[tuple[float, Image]]:
    """Key frames; the n-th has a brightness of twenty times n."""
    return [(time, np.full((32, 32, 3), 20 * n, np.uint8)) for n, time in enumerate(times)]


def footage(*cuts: float, duration: float = 20.0) -> Footage:
    edges = [0.0, *cuts, duration]
    shots = tuple(Shot(span=span(a, b)) for a, b in pairwise(edges))
    return Footage(duration=duration, coverage=1, lost=0, unreadable=(), shots=shots)


def glanced(found: Sequence[tuple[float, Image]], *pages: Lines) -> Glances:
    return read_reel(reel(keys=found), Sheet(*pages), SETTINGS, lambda time: None)


def read(
    found: Sequence[tuple[float, Image]], where: Footage, *pages: Lines
) -> list[tuple[str, float, float]]:
    """Lines with start and end; the same however the film is cut into reels."""
    whole = read_text([glanced(found, *pages)], where, True, APART)
    assert whole.read
    for at in range(1, len(found)):
        halves = [glanced(part, *pages) for part in (found[:at], found[at:])]
        assert read_text([halves[0], Glances(glances=()), halves[1]], where, True, APART) == whole
    return [(each.text, each.span.start, each.span.end) for each in whole.texts]


APART = 0.5
EXIT = (("EXIT", 0.9),)


def test_a_line_lasts_to_the_next_key_frame_or_the_cut_or_the_end() -> None:
    found = read(keys(0, 4, 12), footage(6), EXIT, (("WAY", 0.9),), (("OUT", 0.9),))
    assert found == [("EXIT", 0, 4), ("WAY", 4, 6), ("OUT", 12, 20)]


def test_the_same_line_on_the_next_key_frame_goes_on() -> None:
    assert read(keys(0, 4, 12), footage(), EXIT, EXIT, EXIT) == [("EXIT", 0, 20)]


def test_a_cut_or_a_pause_ends_it() -> None:
    assert read(keys(0, 8), footage(6), EXIT, EXIT) == [("EXIT", 0, 6), ("EXIT", 8, 20)]
    assert read(keys(0, 4, 8), footage(), EXIT, (), EXIT) == [("EXIT", 0, 4), ("EXIT", 8, 20)]


def test_a_key_frame_at_the_cut_belongs_to_what_follows() -> None:
    assert read(keys(0, 6), footage(6), EXIT, (("WAY", 0.9),)) == [("EXIT", 0, 6), ("WAY", 6, 20)]


def test_the_same_line_right_behind_a_cut_goes_on() -> None:
    """As a subtitle does; and so does one that was misread in between."""
    assert read(keys(0, 7), footage(6), EXIT, EXIT) == [("EXIT", 0, 20)]
    assert read(keys(0, 4, 5), footage(), EXIT, (), EXIT) == [("EXIT", 0, 20)]


def test_of_two_readings_that_differ_in_spaces_the_better_counts() -> None:
    run, spaced = (("WETPAINT", 0.9),), (("WET PAINT", 0.9),)
    assert read(keys(0, 4, 8), footage(), run, spaced, run) == [("WET PAINT", 0, 20)]


def told(
    *found: tuple[float, News | None, Lines], cuts: Sequence[float] = ()
) -> list[tuple[str, float, float]]:
    """Lines with start and end, from key frames with news."""
    times = [time for time, _, _ in found]
    shown = reel(keys=keys(*times))
    shown.keys = [replace(k, news=n) for k, (_, n, _) in zip(shown.keys, found, strict=True)]
    glances = read_reel(shown, Sheet(*(page for _, _, page in found)), SETTINGS, lambda time: None)
    texts = read_text([glances], footage(*cuts), True, APART).texts
    return [(each.text, each.span.start, each.span.end) for each in texts]


def test_a_line_is_there_from_when_it_came_until_it_went() -> None:
    came, went = News(3.2, comes=True), News(7.3, comes=False)
    assert told((0, None, ()), (4, came, EXIT), (8, went, ())) == [("EXIT", 3.2, 7.3)]


def test_what_comes_or_goes_with_a_cut_does_so_to_the_frame() -> None:
    came, went = News(3.2, comes=True), News(7.3, comes=False)
    found = told((0, None, ()), (4, came, EXIT), (8, went, ()), cuts=(3.04, 7.44))
    assert found == [("EXIT", 3.04, 7.44)]
    assert told((3.4, None, EXIT), cuts=(3,)) == [("EXIT", 3, 20)]


def test_a_line_that_is_seen_to_go_was_there_over_a_cut() -> None:
    went = News(7.3, comes=False)
    assert told((0, None, EXIT), (8, went, ()), cuts=(5,)) == [("EXIT", 0, 7.3)]
    assert told((0, None, EXIT), (8, None, ()), cuts=(5,)) == [("EXIT", 0, 5)]


def test_what_went_where_nothing_was_read_is_not_read_again() -> None:
    went = News(7.3, comes=False)
    assert told((0, None, ()), (8, went, EXIT)) == []


def test_two_lines_at_once_both_go_on() -> None:
    both = (("ONE", 0.9), ("TWO", 0.95))
    assert read(keys(0, 4), footage(), both, both) == [("ONE", 0, 20), ("TWO", 0, 20)]


def test_what_is_read_without_confidence_is_texture() -> None:
    page = (("SURE", 0.8), ("|||", 0.79))
    assert read(keys(0), footage(), page) == [("SURE", 0, 20)]


def test_a_key_frame_after_the_end_has_no_time_to_be_read() -> None:
    assert read(keys(0, 20), footage(), EXIT, EXIT) == [("EXIT", 0, 20)]


def test_every_key_frame_is_ticked_off_before_it_is_read() -> None:
    ticks: list[float] = []

    def stop(time: float) -> None:
        ticks.append(time)
        if time == 4:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        read_reel(reel(keys=keys(0, 4, 12)), Sheet((), (), ()), SETTINGS, stop)
    assert ticks == [0, 4]


def test_a_key_frame_without_text_is_noted() -> None:
    assert [(each.time, each.lines) for each in glanced(keys(3), ()).glances] == [(3, ())]


def test_without_a_reader_nothing_was_read() -> None:
    nothing = read_reel(reel(keys=keys(0, 4)), None, SETTINGS, lambda time: None)
    assert nothing == Glances(glances=())
    assert read_text([nothing], footage(), False, APART) == Screen(texts=(), read=False)
    assert read(keys(), footage()) == []
