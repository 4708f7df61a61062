"""What a run is looking at: made ahead, in order, and let go of when nobody looks any more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import count

import numpy as np
import pytest
from processes import BESIDE

from vmr_agent.errors import Stopped
from vmr_agent.playback import RATE, Alive, Block, Reel
from vmr_agent.showing import Ahead, Showing
from vmr_agent.spoken import FRAME


def threads() -> set[str]:
    return {each.name for each in threading.enumerate() if each.name.startswith("ahead")}


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = threads()
    yield
    until(lambda: threads() <= before)


def until(happened: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def always() -> None:
    pass


class Film:
    """Hands out numbers and notes what becomes of it."""

    def __init__(self, length: int | None = None) -> None:
        self.length = length
        self.made: list[int] = []
        self.closed = 0

    def roll(self, first: int, alive: Alive) -> Iterator[int]:
        try:
            for number in count(first) if self.length is None else range(first, self.length):
                alive()
                self.made.append(number)
                yield number
        finally:
            self.closed += 1

    def reels(self, first: int, alive: Alive) -> Iterator[Reel]:
        for number in self.roll(first, alive):
            yield Reel(number)

    def blocks(self, first: int, alive: Alive) -> Iterator[Block]:
        """Of two seconds each, all samples of a block being its number."""
        for number in self.roll(first, alive):
            samples = np.full(2 * RATE, number, np.float32)
            voice = np.full(-(-2 * RATE // FRAME), number, np.float32)
            yield Block(2.0 * number, samples, number + 1 == self.length, voice)


# ── ahead ─────────────────────────────────────────────────────────────────────────────────────


def test_all_comes_in_order_and_ends() -> None:
    film = Film(20)
    ahead = Ahead(lambda alive: film.roll(0, alive), always)
    assert list(ahead) == list(range(20))
    assert next(ahead, None) is None
    assert next(ahead, None) is None
    ahead.close()
    assert film.closed == 1


def test_a_little_is_made_before_it_is_asked_for_and_no_more() -> None:
    film = Film()
    ahead = Ahead(lambda alive: film.roll(0, alive), always)
    for number in range(3):
        until(lambda n=number: film.made == list(range(n + Ahead.DEPTH)))  # type: ignore[misc]
        time.sleep(0.02)
        assert film.made == list(range(number + Ahead.DEPTH))
        assert next(ahead) == number
    ahead.close()
    assert film.closed == 1


def test_what_goes_wrong_is_raised_where_it_is_asked_for() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    ahead = Ahead(lambda alive: broken(), always)
    assert next(ahead) == 1
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            next(ahead)
    ahead.close()


def test_closing_ends_what_is_being_made() -> None:
    began = threading.Event()

    def endless(alive: Alive) -> Iterator[int]:
        began.set()
        while True:
            alive()
            time.sleep(0.01)
        yield 1

    ahead = Ahead(endless, always)
    assert began.wait(10)
    now = time.monotonic()
    ahead.close()
    assert time.monotonic() - now < BESIDE


def test_waiting_can_be_broken_off() -> None:
    stop = threading.Event()

    def alive() -> None:
        if stop.is_set():
            raise InterruptedError

    def endless(alive: Alive) -> Iterator[int]:
        while True:
            alive()
            time.sleep(0.01)
        yield 1

    ahead = Ahead(endless, alive)
    threading.Timer(0.1, stop.set).start()
    with pytest.raises(InterruptedError):
        next(ahead)
    ahead.close()


# ── reels ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def showing() -> Iterator[Showing]:
    shown = Showing()
    yield shown
    shown.close()


def test_reels_come_one_after_the_other_from_one_decoding(showing: Showing) -> None:
    film = Film()
    assert [showing.reel(n, film.reels).number for n in (3, 4, 5)] == [3, 4, 5]
    assert film.made[:3] == [3, 4, 5]
    assert film.closed == 0, "and it is the same one all the time"


def test_the_reel_on_the_table_is_not_decoded_again(showing: Showing) -> None:
    film = Film()
    reel = showing.reel(2, film.reels)
    assert showing.reel(2, film.reels) is reel


@pytest.mark.parametrize("number", [0, 7])
def test_another_number_begins_anew_and_lets_go_of_the_old(showing: Showing, number: int) -> None:
    old, new = Film(), Film()
    showing.reel(2, old.reels)
    assert showing.reel(number, new.reels).number == number
    assert (old.closed, new.closed) == (1, 0)
    assert new.made[0] == number


def test_a_decoding_that_failed_is_closed_and_can_be_begun_again() -> None:
    showing, film, better = Showing(), Film(0), Film()

    def failing(first: int, alive: Alive) -> Iterator[Reel]:
        yield from film.reels(first, alive)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        showing.reel(0, failing)
    assert showing.reel(0, better.reels).number == 0
    assert film.closed == 1
    with pytest.raises(ZeroDivisionError):
        showing.reel(5, failing)
    assert better.closed == 1
    showing.close()  # and the fixture above finds no thread


def test_a_run_broken_off_while_it_waits_for_a_reel_leaves_nothing() -> None:
    showing = Showing()

    def slow(first: int, alive: Alive) -> Iterator[Reel]:
        while True:
            alive()
            time.sleep(0.01)
        yield Reel(0)

    threading.Timer(0.1, showing.stop).start()
    with pytest.raises(Stopped):
        showing.reel(0, slow)
    showing.close()


def test_closing_is_stopping(showing: Showing) -> None:
    film = Film()
    showing.reel(0, film.reels)
    showing.alive()
    showing.close()
    assert film.closed == 1
    with pytest.raises(Stopped, match="kept"):
        showing.alive()


# ── blocks ────────────────────────────────────────────────────────────────────────────────────


def test_blocks_come_one_after_the_other_and_none_behind_the_last(showing: Showing) -> None:
    film = Film(3)
    found = [showing.block(number, film.blocks) for number in range(4)]
    assert [block and block.start for block in found] == [0, 2, 4, None]
    assert [block and block.last for block in found] == [False, False, True, None]
    assert film.made == [0, 1, 2], "and each is decoded once"


def test_the_block_before_is_kept_and_no_other(showing: Showing) -> None:
    film = Film()
    for number in range(4):
        showing.block(number, film.blocks)
    heard = showing.since(0.0).samples
    assert len(heard) == 4 * RATE
    assert (heard[0], heard[-1]) == (2, 3)
    assert showing.block(2, film.blocks) is not None
    assert film.closed == 0


def test_begun_in_the_middle_the_block_before_is_there_too(showing: Showing) -> None:
    film = Film()
    block = showing.block(5, film.blocks)
    assert block is not None
    assert block.start == 10
    assert film.made[0] == 4
    assert showing.since(9.5).samples[:: RATE // 2].tolist() == [4, 5, 5, 5, 5]


def test_samples_from_a_second_on(showing: Showing) -> None:
    film = Film()
    showing.block(0, film.blocks)
    showing.block(1, film.blocks)
    assert len(showing.since(2.5).samples) == 1.5 * RATE
    assert len(showing.since(4.0).samples) == 0
    assert showing.since(1.9).samples[[0, -1]].tolist() == [0, 1]


def test_what_was_heard_goes_with_the_samples(showing: Showing) -> None:
    def blocks(first: int, alive: Alive) -> Iterator[Block]:
        for number in range(first, 9):
            frames = np.arange(number * 125, (number + 1) * 125, dtype=np.float32)
            yield Block(4.0 * number, np.repeat(frames, FRAME), False, frames)

    showing.block(0, blocks)
    showing.block(1, blocks)
    for frame in (0, 77, 125, 200):
        found = showing.since(frame * FRAME / RATE)
        assert found.start == frame * FRAME / RATE
        assert np.array_equal(found.voice, np.arange(frame, 250))
        assert np.array_equal(found.samples, np.repeat(found.voice, FRAME))


def test_no_sound_is_no_block(showing: Showing) -> None:
    assert showing.block(0, Film(0).blocks) is None


def test_sound_that_fails_is_let_go_of() -> None:
    showing, film = Showing(), Film(1)

    def failing(first: int, alive: Alive) -> Iterator[Block]:
        yield from film.blocks(first, alive)
        raise ZeroDivisionError

    assert showing.block(0, failing) is not None
    with pytest.raises(ZeroDivisionError):
        showing.block(1, failing)
    showing.close()
    assert film.closed == 1


# ── patience ──────────────────────────────────────────────────────────────────────────────────


def test_work_gives_what_it_makes(showing: Showing) -> None:
    assert showing.patiently(lambda: 7) == 7
    assert showing.patiently(lambda: None) is None


def test_work_raises_what_it_raises(showing: Showing) -> None:
    with pytest.raises(ZeroDivisionError):
        showing.patiently(lambda: 1 // 0)
    with pytest.raises(SystemExit):
        showing.patiently(lambda: exec("raise SystemExit"))


def test_work_is_left_alone_when_the_run_is_broken_off(showing: Showing) -> None:
    free = threading.Event()
    threading.Timer(0.1, showing.stop).start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        showing.patiently(lambda: free.wait(30))
    assert time.monotonic() - began < 5
    free.set()
