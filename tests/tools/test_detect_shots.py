"""Shots from the cuts of all reels, and what became of the film on the way."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelved import plain, reel, span

from vmr_agent.artefacts import Ending, Footage, Take
from vmr_agent.strip import Strip
from vmr_agent.tools import detect_shots, keyed, take
from vmr_agent.types import Span
from vmr_agent.writing import News

QUALITY = 80


def took(
    *cuts: float,
    ending: tuple[float, float] | None = None,
    kept: int = 100,
    lost: int = 0,
    holes: tuple[Span, ...] = (),
) -> Take:
    end = Ending(duration=ending[0], promise=ending[1]) if ending else None
    return Take(kept=kept, met=kept + lost, cuts=cuts, holes=holes, ending=end)


def shots(footage: Footage) -> list[tuple[float, float]]:
    return [(shot.span.start, shot.span.end) for shot in footage.shots]


# ── a reel ────────────────────────────────────────────────────────────────────────────────────


def test_a_reel_is_shelved_with_its_strip() -> None:
    given_reel = reel(
        3,
        samples=[(180.0, plain("red")), (181.5, plain("blue"))],
        keys=[(180.0, plain("red", (96, 128)))],
        cuts=[181.5],
    )
    given_reel.kept, given_reel.met, given_reel.holes = 40, 44, [span(182, 183)]
    made, arrays = take(given_reel, QUALITY)
    assert made == Take(kept=40, met=44, cuts=(181.5,), holes=(span(182, 183),), ending=None)
    samples, keys = Strip.load(arrays), Strip.load(arrays, "key_")
    assert (samples.times.tolist(), samples.webp.tobytes()) == ([180, 181.5], b"webpwebp")
    (picture,) = keys.images()
    assert picture.shape == (96, 128, 3)
    assert np.abs(picture.astype(int) - plain("red", (96, 128))).max() < 8


def test_the_last_reel_knows_how_the_film_ends() -> None:
    last = reel()
    last.ending = {"duration": 12.5, "promise": 13.0}
    assert take(last, QUALITY)[0].ending == Ending(duration=12.5, promise=13)


def test_a_reel_of_nothing_can_be_shelved() -> None:
    made, arrays = take(reel(), QUALITY)
    assert made == took(kept=0)
    assert len(Strip.load(arrays)) == len(Strip.load(arrays, "key_")) == 0


def test_key_frames_are_each_shots_first_the_newest_and_one_now_and_then() -> None:
    colours = ["red", "red", "red", "blue", "red", "red", "grey", "grey", "grey"]
    times = [float(time) for time in range(len(colours))]
    pictures = [(time, plain(colour)) for time, colour in zip(times, colours, strict=True)]
    sparse = keyed(reel(keys=pictures, cuts=[6.0]), every=100)
    assert [key.time for key in sparse.keys] == [0, 3, 4, 6]
    dense = keyed(reel(keys=pictures, cuts=[6.0]), every=2)
    assert [key.time for key in dense.keys] == [0, 2, 3, 4, 6, 8]
    assert all(any(key is each for each in dense.keys) for key in dense.keys)


def test_key_frames_that_show_writing_come_or_go_all_stay() -> None:
    given_reel = reel(keys=[(float(time), plain("red")) for time in range(6)])
    given_reel.keys[2] = replace(given_reel.keys[2], news=News(1.8, comes=True))
    given_reel.keys[3] = replace(given_reel.keys[3], news=News(2.8, comes=False))
    assert [key.time for key in keyed(given_reel, every=100).keys] == [0, 2, 3]


def test_what_is_no_key_frame_stays_as_it_is() -> None:
    given_reel = reel(4, samples=[(240.0, plain("red"))], cuts=[241.0])
    assert keyed(given_reel, 10) is given_reel
    given_reel.keys = reel(keys=[(240.0, plain("red"))]).keys
    kept = keyed(given_reel, 10)
    assert (kept.number, kept.cuts, kept.samples) == (4, (241.0,), given_reel.samples)


# ── the film ──────────────────────────────────────────────────────────────────────────────────


def test_shots_tile_the_film_across_its_reels() -> None:
    takes = [took(2, 4.5), took(), took(11, ending=(14, 14))]
    footage = detect_shots(takes, 0.6)
    assert shots(footage) == [(0, 2), (2, 4.5), (4.5, 11), (11, 14)]
    assert (footage.duration, footage.coverage, footage.lost, footage.unreadable) == (14, 1, 0, ())


def test_a_cut_found_twice_or_late_is_one() -> None:
    """A detector may name a cut when it is sure of it, in the reel behind."""
    takes = [took(4.9), took(4.9, 4.5, ending=(10, 10))]
    assert shots(detect_shots(takes, 0)) == [(0, 4.5), (4.5, 4.9), (4.9, 10)]


def test_a_short_shot_goes_to_the_one_before_the_first_to_the_next() -> None:
    footage = detect_shots([took(0.2, 3, 3.4, 6, 9.8, ending=(10, 10))], 0.5)
    assert shots(footage) == [(0, 3.4), (3.4, 6), (6, 10)]


def test_cuts_beyond_the_film_are_none() -> None:
    assert shots(detect_shots([took(0, 10, 12, ending=(10, 10))], 0)) == [(0, 10)]


@given(st.lists(st.floats(0, 20), max_size=15), st.floats(0.01, 20), st.floats(0, 2))
def test_whatever_the_cuts_the_film_is_tiled(
    cuts: list[float], duration: float, least: float
) -> None:
    found = shots(detect_shots([took(*cuts, ending=(duration, duration))], least))
    assert found[0][0] == 0
    assert found[-1][1] == duration
    assert all(a[1] == b[0] for a, b in pairwise(found))
    assert len(found) == 1 or all(end - start > least - 1e-5 for start, end in found)


def test_losses_and_holes_of_all_reels_add_up() -> None:
    hole, other = span(3, 4), span(61, 64)
    takes = [
        took(kept=90, lost=10, holes=(hole,)),
        took(kept=60, lost=40, holes=(other,), ending=(100, 100)),
    ]
    footage = detect_shots(takes, 0)
    assert (footage.coverage, footage.lost) == (0.75, 50)
    assert footage.unreadable == (hole, other)


def test_a_film_that_falls_short_of_its_promise_is_unreadable_from_there() -> None:
    footage = detect_shots([took(ending=(6, 10))], 0)
    assert footage.coverage == pytest.approx(0.6)
    assert footage.unreadable == (span(6, 10),)
    assert shots(footage) == [(0, 6)]


def test_no_picture_has_no_shots() -> None:
    nothing = detect_shots([], 0.6)
    assert (nothing.duration, nothing.shots, nothing.unreadable) == (0, (), ())
    assert detect_shots([took(kept=0, ending=(0, 0))], 0.6) == nothing
