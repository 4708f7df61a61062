from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmr_agent import timeline
from vmr_agent.timeline import (
    LONGEST,
    Runup,
    Skips,
    Succession,
    Timeline,
    believed,
    blocks,
    coverage,
    falls_short,
    laid,
    spelt,
)

RATE = 1000


@dataclass
class Stub:
    time: float | None
    is_corrupt: bool = False


def told(*times: float | None, zero: float | None = None) -> tuple[list[float], Timeline]:
    line = Timeline(zero)
    return [time for time, _ in line.frames([Stub(time) for time in times])], line


def lay(*pieces: tuple[float, list[float]]) -> list[float]:
    out = laid([(time, np.array(values, np.float32)) for time, values in pieces], RATE)
    return [float(value) for value in np.concatenate([np.empty(0), *out])]


def test_first_time_is_zero() -> None:
    assert told(1000.0, 1000.04, 1000.08)[0] == [0.0, 0.04, 0.08]


def test_one_leap_ahead_costs_one_frame() -> None:
    times, line = told(0, 1, 90_000, 2, 3)
    assert times == [0, 1, 2, 3]
    assert (line.kept, line.met) == (4, 5)


def test_one_frame_late_costs_one_frame() -> None:
    times, line = told(0, 1, 2, 3, 0.5, 4)
    assert times == [0, 1, 2, 3, 4]
    assert (line.kept, line.met) == (5, 6)


def test_twins_are_one_frame_and_no_loss() -> None:
    times, line = told(0, 1, 1, 2)
    assert times == [0, 1, 2]
    assert line.kept == line.met == 3


def test_no_time_and_corrupt_are_lost() -> None:
    line = Timeline()
    kept = list(line.frames([Stub(5.0), Stub(None), Stub(6.0, is_corrupt=True), Stub(7.0)]))
    assert [time for time, _ in kept] == [0.0, 2.0]
    assert (line.kept, line.met) == (2, 4)


def heard_of(*times: float | None) -> list[tuple[float, int]]:
    """Each frame handed out, and how many had been met up to it."""
    line = Timeline()
    return [(time, line.told) for time, _ in line.frames([Stub(time) for time in times])]


def test_a_frame_is_told_of_without_those_behind_it() -> None:
    assert heard_of(0, 1, 2) == [(0, 1), (1, 2), (2, 3)]
    assert heard_of(5) == [(0, 1)]


def test_what_is_lost_is_told_with_the_next_frame() -> None:
    assert heard_of(0, None, None, 1, 2) == [(0, 1), (1, 4), (2, 5)]
    assert heard_of(0, 1, 90_000, 2, 3) == [(0, 1), (1, 2), (2, 4), (3, 5)]
    line = Timeline()
    list(line.frames([Stub(0), Stub(1), Stub(None)]))
    assert (line.told, line.met) == (2, 3)


def test_what_is_earlier_than_the_first_frame_or_later_than_two_days_is_lost() -> None:
    assert told(10, 9, 11, 11 + LONGEST, 12)[0] == [0, 1, 2]


def test_a_given_zero_lets_earlier_frames_through() -> None:
    assert told(9, 10, 11, zero=10)[0] == [-1, 0, 1]


@given(st.lists(st.none() | st.floats(-1e7, 1e7, allow_nan=False)), st.none() | st.just(3.0))
def test_times_always_rise(times: list[float | None], zero: float | None) -> None:
    found, line = told(*times, zero=zero)
    assert all(a < b for a, b in pairwise(found))
    assert 0 <= line.kept == len(found) <= line.told <= line.met
    assert zero is not None or all(time >= 0 for time in found)


@pytest.mark.parametrize(
    ("end", "promise", "share"),
    [(12, 20, 0.6), (19.8, 20, 1), (20, 20, 1), (21, 20, 1), (12, 0, 1), (0, 20, 0)],
)
def test_coverage_follows_the_promise(end: float, promise: float, share: float) -> None:
    assert coverage(2, 2, end, promise) == pytest.approx(share)
    assert falls_short(end, promise) == (share < 1)


def test_coverage_counts_losses_and_shortness() -> None:
    assert coverage(2, 4, 10, 20) == 0.25
    assert coverage(0, 0, 0, 0) == 0


def test_pictures_without_times_are_shown_one_after_the_other() -> None:
    pictures = Succession()
    for packet in (40, 80, 120):
        pictures.begin(packet)
    placed = [pictures.place(dts) for dts in (120, 160, 200, 280, 320, None, None)]
    assert placed == [40, 80, 120, 200, 240, 280, 320]


@dataclass
class Piece:
    pos: int | None
    size: int
    pts: int | None = None
    time_base: Fraction = Fraction(1, 1000)
    dts: int | None = None


@pytest.mark.parametrize(
    ("pieces", "matroska", "mpegts"),
    [
        ([Piece(0, 9000, 0), Piece(9010, 9000, 40), Piece(18_020, 9000, 80)], 0, 0),
        ([Piece(9000 * i, 9000, pts) for i, pts in enumerate([0, 640, 40, 1240])], 0, 0),
        ([Piece(0, 9000, 0), Piece(9010, 9000, 4000)], 0, 99),
        ([Piece(0, 9000, 0), Piece(90_000, 9000, 40)], 0, 0),
        ([Piece(0, 9000, 0), Piece(90_000, 9000, 4000), Piece(99_000, 9, 4040)], 99, 99),
        ([Piece(0, 9000, 0), Piece(90_000, 90), Piece(90_090, 9000, 4000)], 99, 99),
        ([Piece(0, 9000, 0), Piece(9010, 60_000), Piece(69_020, 9000, 4000)], 0, 99),
        ([Piece(0, 9000, 0), *[Piece(9010, 900)] * 9, Piece(17_110, 9000, 4000)], 0, 99),
        (
            [
                *(Piece(0, 9000, 0), Piece(9010, 9000, 100_000)),
                *(Piece(18_020, 9000, 40), Piece(90_000, 9000, 4040)),
            ],
            99,
            2499 + 99,
        ),
        ([Piece(50_000, 9000, 4000), Piece(None, 9, 5000), Piece(59_000, 90, 4040)], 0, 0),
    ],
    ids=[
        "whole",
        "order",
        "pause",
        "bytes",
        "both",
        "sound",
        "between",
        "laced",
        "wrong",
        "unknown",
    ],
)
def test_what_a_reader_leaves_out(pieces: list[Piece], matroska: int, mpegts: int) -> None:
    for reader, lost in (("matroska,webm", matroska), ("mpegts", mpegts), ("mov,mp4", 0)):
        skips = Skips(reader, Fraction(25))
        assert sum(skips.before(piece, piece.pts is not None) for piece in pieces) == lost
        assert Skips(reader, None).rate == 0


@dataclass
class Packed:
    is_keyframe: bool
    size: int = 1
    pts: int | None = 0


def run_up(pattern: str) -> str:
    """Which of the packets to decode first; ``K`` is a key frame, and each has a loss before."""
    run = Runup()
    for number, letter in enumerate(pattern):
        run.add(number, Packed(letter == "K"))
    found = run.packets()
    assert [lost for lost, _ in found] == list(range(len(pattern) - len(found), len(pattern)))
    return "".join("K" if packet.is_keyframe else "p" for _, packet in found)


@pytest.mark.parametrize(
    ("pattern", "first"),
    [
        ("", ""),
        ("ppp", "ppp"),
        ("Kpp", "Kpp"),
        ("ppK", "ppK"),
        ("KpppKpp", "KpppKpp"),
        ("KpKpppKpp", "KpppKpp"),
        ("KKKKK", "KK"),
    ],
)
def test_decoding_sets_in_at_the_last_key_frame_but_one(pattern: str, first: str) -> None:
    assert run_up(pattern) == first


def test_decoding_does_not_set_in_where_no_time_is_known() -> None:
    run = Runup()
    packets = [Packed(letter in "Kk", pts=None if letter in "ko" else 0) for letter in "KpKpkoko"]
    for packet in packets:
        run.add(0, packet)
    assert [packet for _, packet in run.packets()] == packets


def test_a_film_with_hardly_a_key_frame_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "MOST_HELD", 10)
    run = Runup()
    run.add(0, Packed(True, 9))
    assert not run.full
    run.add(0, Packed(False, 2))
    assert run.full
    run.add(0, Packed(True, 1))
    run.add(0, Packed(True, 1))
    assert not run.full, "what was let go counts no longer"


def test_only_possible_lengths_are_believed() -> None:
    assert believed(LONGEST) == LONGEST
    assert [believed(x) for x in (LONGEST + 1, 0, -5)] == [0, 0, 0]


def test_a_length_is_read_as_matroska_spells_it() -> None:
    assert [spelt(told) for told in ("01:02:03.500", "00:00:07", "12", "")] == [3723.5, 7, 0, 0]


def test_holes_become_silence() -> None:
    assert lay((0.002, [1]), (0.203, [2])) == [0, 0, 1, *[0] * 200, 2]


def test_what_fits_nearly_follows_on() -> None:
    assert lay((0, [1, 1]), (0.1, [2]), (0, [3])) == [1, 1, 2, 3]


def test_strays_do_not_add_up() -> None:
    pieces = [(0.2 * i, [1.0] * 140) for i in range(50)]
    sound = lay(*pieces)
    last = len(sound) - 140
    assert abs(last / RATE - 0.2 * 49) <= 0.1


def test_what_lies_before_zero_or_was_heard_is_cut() -> None:
    assert lay((-0.003, [1, 2]), (-0.001, [3, 4, 5])) == [4, 5]
    first = [1.0] * 300
    assert lay((0, first), (0.1, [2.0] * 250)) == first + [2.0] * 50


@given(st.lists(st.tuples(st.floats(-2, 5), st.integers(0, 300))))
def test_laid_sound_is_where_it_belongs(pieces: list[tuple[float, int]]) -> None:
    sound = lay(*((time, [1.0] * count) for time, count in pieces))
    ends = [round(time * RATE) + count for time, count in pieces]
    assert len(sound) <= max([0, *ends]) + 0.1 * RATE * max(1, len(pieces))
    assert sum(sound) <= sum(count for _, count in pieces)


@given(st.lists(st.integers(0, 50)), st.integers(1, 70))
def test_blocks_hold_everything_in_order(lengths: list[int], size: int) -> None:
    ends = np.cumsum([0, *lengths])
    pieces = [np.arange(a, b, dtype=np.float32) for a, b in pairwise(ends)]
    found = list(blocks(pieces, size))
    assert all(len(block) == size for block in found[:-1])
    assert all(0 < len(block) <= size for block in found[-1:])
    assert np.array_equal(np.concatenate([np.empty(0), *found]), np.arange(ends[-1]))
