"""Clocks that are set anew, and clocks that are wrong for a while."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmr_agent import clocks
from vmr_agent.clocks import Header, settled, unwound

SECOND = 25
HOUR = 3600 * SECOND
SURELY = Header(least=math.inf)


@dataclass
class Ticking:
    dts: int | None
    pts: int | None
    pos: int | None = None
    size: int = 9
    time_base: Fraction = Fraction(1, 25)


def ticked(*times: int | None) -> list[int | None]:
    """What becomes of the times of packets that are shown two ticks later."""
    packets = [Ticking(t, None if t is None else t + 2) for t in times]
    found = [packet for _, packet in unwound((0, packet) for packet in packets)]
    assert all((each.dts is None) == (each.pts is None) for each in found)
    assert all(each.dts is None or each.pts == each.dts + 2 for each in found)
    return [each.dts for each in found]


def test_a_clock_that_is_set_back_goes_on() -> None:
    assert ticked(*range(90)) == [*range(90)]
    assert ticked(*range(50), *range(40), *range(9)) == [*range(99)]
    assert ticked(*range(700, 750), *range(3, 43)) == [*range(700, 790)]
    assert ticked(*range(50), None, *range(40)) == [*range(50), None, *range(50, 90)]


@pytest.mark.parametrize("wild", [-90_000, -60, 300, 90_000])
@pytest.mark.parametrize("count", [1, 5])
def test_a_clock_that_few_packets_tell_is_none(wild: int, count: int) -> None:
    odd = [100 + wild + n for n in range(count)]
    assert ticked(*range(100), *odd, *range(100 + count, 200)) == [
        *range(100),
        *odd,
        *range(100 + count, 200),
    ]


def test_a_pause_is_no_clock_set_anew() -> None:
    assert ticked(*range(50), *range(900, 990)) == [*range(50), *range(900, 990)]
    assert ticked(*range(50), *range(900, 990), *range(30)) == [
        *range(50),
        *range(900, 990),
        *range(990, 1020),
    ]


def test_a_clock_may_begin_before_zero() -> None:
    """And is then not one that was set back: picture and sound begin together."""
    assert ticked(*range(-75, 90)) == [*range(-75, 90)]
    assert ticked(*range(-75, 50), *range(-75, 40)) == [*range(-75, 165)]


def test_packets_stay_in_order_whatever_is_in_doubt() -> None:
    """What empties the decoder comes last, or it would take nothing more."""
    assert ticked(*range(50), *range(5), None) == [*range(50), *range(5), None]
    assert ticked(*range(50), 0, None, *range(1, 40)) == [*range(51), None, *range(51, 90)]
    mute = [None] * 200
    assert ticked(*range(50), 0, *mute, *range(50, 60)) == [*range(50), 0, *mute, *range(50, 60)]


def placed(*times: int | None, header: Header = SURELY) -> list[int | None]:
    """What becomes of the times of packets, 25 ticks a second."""
    packets = [(0, Ticking(None, time)) for time in times]
    found = list(settled(packets, SECOND, header))
    assert [id(packet) for _, packet in found] == [id(packet) for _, packet in packets]
    return [packet.pts for _, packet in found]


def run(start: int, length: int) -> list[int]:
    return [*range(start, start + length)]


def film(wild: int, start: int = 0, length: int = 125, by: int = HOUR) -> list[int]:
    """A hundred seconds, of which from packet ``wild`` on a stretch is ``by`` ticks too late."""
    times = run(start, 2500)
    return [*times[:wild], *(t + by for t in times[wild:][:length]), *times[wild + length :]]


@pytest.mark.parametrize("by", [2 * SECOND, 30 * SECOND, HOUR, 40 * HOUR])
@pytest.mark.parametrize("length", [1, 20, 125, 1400])
@pytest.mark.parametrize("wild", [0, 1, 250, 1000])
@pytest.mark.parametrize("start", [0, 500 * SECOND])
def test_only_a_stretch_whose_clock_is_wrong_has_no_time(
    wild: int, length: int, by: int, start: int
) -> None:
    by = max(by, (length + 5) * 2)  # else it is not certain which of them was wrong
    wanted: list[int | None] = [*run(start, 2500)]
    wanted[wild : wild + length] = [None] * length
    assert placed(*film(wild, start, length, by)) == wanted


def test_stretches_that_are_wrong_one_after_the_other() -> None:
    times = [*run(0, 250), *run(2 * HOUR, 125), *run(375, 50), *run(HOUR, 125), *run(550, 999)]
    found = placed(*times)
    assert found == [t if t < HOUR else None for t in times]


def test_a_wrong_stretch_soon_after_a_gap() -> None:
    times = [*run(0, 250), *run(9000, 250), *run(2 * HOUR, 125), *run(9375, 3000)]
    assert placed(*times) == [t if t < HOUR else None for t in times]


@pytest.mark.parametrize(
    "times",
    [
        run(0, 3000),
        run(-75, 3000),
        [*run(0, 250), *run(9000, 3000)],
        [*run(0, 250), *run(9000, 30), *run(HOUR, 30), *run(2 * HOUR, 3)],
        [300 * SECOND * n for n in range(200)],
        [n // 4 * 40 * SECOND + (0, 30, 10, 20)[n % 4] * SECOND for n in range(200)],
        [0, 1, 2, 9000, *range(3, 19), *range(9001, 12_000)],
        [0, None, 9000, None, None, 9001, *[None] * 200, 3, 9002],
        [*run(0, 250), *run(9000, 125), *run(0, 125), *run(9250, 3000)],
    ],
    ids=["even", "early", "gap", "gaps", "slides", "both ways", "late", "untold", "back"],
)
def test_all_else_stays_as_it_is(times: list[int | None]) -> None:
    assert placed(*times) == times


@pytest.mark.parametrize(
    ("last", "least", "most", "believed"),
    [
        (run(9000, 1), 0, math.inf, False),
        (run(9000, 16), 0, math.inf, False),
        (run(9000, 17), 0, math.inf, True),
        (run(9000, 17), 0, 100, False),
        (run(9000, 1), 361, 361, True),
        (run(9000, 1), 359, 359, False),
        (run(1500, 1), 0, 0, True),
        ([*run(9000, 125), *run(375, 9)], 0, 100, False),
    ],
)
def test_where_the_film_ends_its_header_and_what_is_usual_decide(
    last: list[int], least: float, most: float, believed: bool
) -> None:
    times = [*run(0, 250), *last]
    found = placed(*times, header=Header(least, most))
    assert found == (times if believed else [t if t < 9000 else None for t in times])


def test_without_any_other_clock_there_is_nothing_to_hold_it_against() -> None:
    for length in (1, 100):
        assert placed(*run(HOUR, length), header=Header(0, 0)) == run(HOUR, length)


class Counted:
    """Packets, and how many of them were asked for."""

    def __init__(self, times: Iterable[int], size: int = 9) -> None:
        self.asked, self._times, self._size = 0, times, size

    def __iter__(self) -> Iterator[tuple[int, Ticking]]:
        for time in self._times:
            self.asked += 1
            yield 0, Ticking(None, time, size=self._size)


def test_no_more_is_held_than_is_needed_to_be_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    even = Counted(run(0, 3000))
    for number, _ in enumerate(settled(even, SECOND, SURELY)):
        assert even.asked == number + 1, "nothing waits without a leap"
    still = Counted([HOUR] * 50_000)
    next(settled(still, SECOND, SURELY))
    assert still.asked == clocks.MOST_WAITING + 1
    large = Counted(run(HOUR, 2000), 1_000_000)
    next(settled(large, SECOND, SURELY))
    assert large.asked == 65


def test_what_is_reckoned_from_a_wrong_time_is_not_lost() -> None:
    packets = [(9 if time == HOUR else 0, Ticking(None, time)) for time in (0, 1, HOUR)]
    packets += [(3, Ticking(None, time)) for time in run(3, 40)]
    assert [lost for lost, _ in settled(packets, SECOND, SURELY)] == [0, 0, 0, *[3] * 40]


@given(st.lists(st.none() | st.integers(-90, 90) | st.integers(0, 9999)))
def test_no_packet_is_lost_or_told_anything_new(times: list[int | None]) -> None:
    for header in (SURELY, Header(), Header(9, 9)):
        found = placed(*times, header=header)
        assert all(now in (None, time) for now, time in zip(found, times, strict=True))
