"""The shelf: made once, whole or not at all, whoever asks and whatever is killed."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest

from vmr_agent.artefacts import Footage, Vectors
from vmr_agent.errors import ShelfError, VideoNotFoundError, VideoUnreadableError
from vmr_agent.library import IN_MEMORY, Shelf, digest

NAME = "film/vectors-1"
ARRAYS = {"times": np.arange(5.0), "vectors": np.eye(5, 3, dtype=np.float32)}
JOURNAL = {NAME: Vectors}
Made = tuple[Vectors, dict[str, np.ndarray]]


def made() -> Made:
    return Vectors(encoder="colours"), ARRAYS


def never() -> Made:
    raise AssertionError("it is on the shelf")


def whole(shelf: Shelf) -> bool:
    record, arrays = shelf.get(NAME, Vectors)
    same = all(np.array_equal(arrays[key], ARRAYS[key]) for key in ARRAYS)
    return record.encoder == "colours" and set(arrays) == set(ARRAYS) and same


def test_what_is_kept_comes_back_and_is_made_once(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.keep(NAME, Vectors, made)
    shelf.keep(NAME, Vectors, never)
    assert whole(shelf)
    another = Shelf(tmp_path)
    another.keep(NAME, Vectors, never)
    assert whole(another)
    assert [path.name for path in (tmp_path / "shelf").rglob("*.*")] == ["vectors-1.npz"]
    assert another.get(NAME, Vectors)[1]["vectors"].dtype == np.float32


def test_keys_do_not_share_a_place(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    for number in range(3):
        shelf.keep(f"film/{number}", Vectors, lambda n=number: (Vectors(encoder=str(n)), {}))
    assert [shelf.get(f"film/{n}", Vectors)[0].encoder for n in range(3)] == ["0", "1", "2"]


def test_what_was_never_made_is_an_error_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ShelfError, match="run the film again") as caught:
        Shelf(tmp_path).get(NAME, Vectors)
    assert "\n" not in str(caught.value)


def test_memory_is_bounded_and_nothing_is_lost_by_it(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    for number in range(IN_MEMORY + 5):
        shelf.keep(f"film/{number}", Vectors, lambda n=number: (Vectors(encoder=str(n)), {}))
    assert len(shelf._loaded) == IN_MEMORY
    assert shelf.get("film/0", Vectors)[0].encoder == "0"


def test_many_threads_make_it_once(tmp_path: Path) -> None:
    shelves = [Shelf(tmp_path), Shelf(tmp_path)]
    calls: list[int] = []
    gate = threading.Barrier(8)

    def slowly() -> Made:
        calls.append(1)
        time.sleep(0.1)
        return made()

    def ask(number: int) -> bool:
        gate.wait()
        shelves[number % 2].keep(NAME, Vectors, slowly)
        return whole(shelves[number % 2])

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(8)))
    assert len(calls) == 1


def work(home: Path, what: str) -> None:
    """What another process does: makes it, hangs while making it, or dies while writing it."""
    (home / f"ready{os.getpid()}").touch()
    until((home / "go").exists)

    def make() -> Made:
        with (home / "calls").open("a") as calls:
            calls.write(f"{os.getpid()} ")
        (home / "making").touch()
        time.sleep(60 if what == "hang" else 0.1)
        return made()

    if what == "die":
        os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)
    Shelf(home).keep(NAME, Vectors, make)


def start(home: Path, what: str) -> BaseProcess:
    process = get_context("fork").Process(target=work, args=(home, what), daemon=True)
    process.start()
    return process


def ended(process: BaseProcess) -> int | None:
    process.join(30)
    return process.exitcode


def until(happened: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def artefacts(home: Path) -> list[str]:
    return [path.name for path in home.rglob("*.npz")]


def test_many_processes_make_it_once(tmp_path: Path) -> None:
    others = [start(tmp_path, "make") for _ in range(4)]
    until(lambda: len(list(tmp_path.glob("ready*"))) == 4)
    (tmp_path / "go").touch()
    assert [ended(other) for other in others] == [0] * 4
    assert len((tmp_path / "calls").read_text().split()) == 1
    assert artefacts(tmp_path) == ["vectors-1.npz"]


def test_killed_while_making_it_leaves_nothing_and_the_next_run_succeeds(tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    other = start(tmp_path, "hang")
    until((tmp_path / "making").exists)
    other.kill()
    assert ended(other) == -signal.SIGKILL
    assert not [path for path in (tmp_path / "shelf").rglob("*") if path.is_file()]
    shelf = Shelf(tmp_path)
    began = time.monotonic()
    shelf.keep(NAME, Vectors, made)
    assert time.monotonic() - began < 5, "the lock of the dead must not be waited for"
    assert whole(shelf)


def test_killed_while_writing_it_leaves_nothing_under_its_name(tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    assert ended(start(tmp_path, "die")) == -signal.SIGKILL
    assert artefacts(tmp_path) == []
    shelf = Shelf(tmp_path)
    shelf.keep(NAME, Vectors, made)
    assert whole(shelf)


def test_an_error_while_making_leaves_nothing_and_is_passed_on(tmp_path: Path) -> None:
    def fail() -> Made:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Shelf(tmp_path).keep(NAME, Vectors, fail)
    assert artefacts(tmp_path) == []
    Shelf(tmp_path).keep(NAME, Vectors, made)


def test_a_damaged_artefact_is_made_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Shelf(tmp_path).keep(NAME, Vectors, made)
    (path,) = tmp_path.rglob("*.npz")
    good = path.read_bytes()
    broken = [b"", good[:100], good[:-30], b"<html>", bytes(len(good)), good[:200] + b"\0" * 400]
    for content in broken:
        path.write_bytes(content)
        shelf = Shelf(tmp_path)
        with caplog.at_level(logging.WARNING):
            shelf.keep(NAME, Vectors, made)
        assert whole(shelf)
        assert path.read_bytes() == good
        assert "made again" in caplog.text
        caplog.clear()


def test_whatever_bit_flips_nothing_escapes(tmp_path: Path) -> None:
    """The zip reader has a dozen ways to complain; each of them only means: make it again."""
    Shelf(tmp_path).keep(NAME, Vectors, made)
    (path,) = tmp_path.rglob("*.npz")
    good = path.read_bytes()
    heads = [*range(0, 30, 3), *range(good.index(b"PK\x01\x02"), len(good), 2)]
    for at in heads:
        path.write_bytes(good[:at] + bytes([good[at] ^ (1 << at // 2 % 8)]) + good[at + 1 :])
        Shelf(tmp_path).keep(NAME, Vectors, made)
        assert path.exists()


def test_an_artefact_of_another_kind_is_not_taken_for_ours(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.keep(NAME, Vectors, made)
    with pytest.raises(ShelfError):
        shelf.get(NAME, Footage)


def blocked(folder: Path) -> None:
    """Nothing can be written there, not even by root: a file is where the folder should be."""
    shutil.rmtree(folder)
    folder.write_text("in the way")


def test_a_home_that_cannot_be_is_an_error_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for home in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ShelfError, match="set VMR_HOME") as caught:
            Shelf(home)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("place", ["shelf", "prints"])
def test_a_place_that_cannot_be_written_is_an_error_in_one_line(tmp_path: Path, place: str) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")
    shelf = Shelf(tmp_path / "home")
    blocked(shelf.home / place)
    with pytest.raises(ShelfError, match="VMR_HOME") as caught:
        shelf.keep(NAME, Vectors, made) if place == "shelf" else shelf.fingerprint(film)
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_an_error_and_leaves_no_scrap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    shelf = Shelf(tmp_path)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ShelfError, match=r"No space left on device.*free some room"):
        shelf.keep(NAME, Vectors, made)
    assert not [path for path in (tmp_path / "shelf").rglob("*") if path.is_file()]


def test_the_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "home")
    one, copy, other = (tmp_path / name for name in ("one", "copy", "other"))
    one.write_bytes(b"film" * 1000)
    copy.write_bytes(b"film" * 1000)
    other.write_bytes(b"filn" * 1000)
    prints = [shelf.fingerprint(path) for path in (one, copy, other)]
    assert prints[0] == prints[1] != prints[2]
    assert len(prints[0]) == 40


def test_new_content_of_the_same_size_and_date_is_seen(tmp_path: Path) -> None:
    shelf, film = Shelf(tmp_path / "home"), tmp_path / "film.mp4"
    film.write_bytes(b"a" * 100)
    before, first = film.stat(), shelf.fingerprint(film)
    time.sleep(0.02)  # the file system's clock ticks a hundred times a second or more
    film.write_bytes(b"b" * 100)
    os.utime(film, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert shelf.fingerprint(film) != first


def test_a_film_is_read_once_and_a_spoilt_memo_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf, film = Shelf(tmp_path / "home"), tmp_path / "film.mp4"
    film.write_bytes(b"a" * 100)
    found = shelf.fingerprint(film)
    (memo,) = (tmp_path / "home" / "prints").glob("*.json")
    for spoilt in (
        b"",
        b"[]",
        b"{}",
        b"\xff",
        json.dumps({"seen": [1], "fingerprint": "x"}).encode(),
    ):
        memo.write_bytes(spoilt)
        assert shelf.fingerprint(film) == found
    monkeypatch.setattr("hashlib.file_digest", never)
    assert Shelf(tmp_path / "home").fingerprint(film) == found


def test_digests_are_the_same_for_the_same_and_only_then() -> None:
    assert digest("a", {"x": 1, "y": 2}) == digest("a", {"y": 2, "x": 1})
    assert len({digest(*parts) for parts in (["a", 1], ["a", "1"], ["a1"], [["a"], 1], [])}) == 5
    assert len(digest()) == 16


# ── the journal ───────────────────────────────────────────────────────────────────────────────


def piece(number: int) -> Made:
    return Vectors(encoder=f"piece {number}"), {"times": np.full(3, float(number))}


def note(shelf: Shelf, *numbers: int) -> None:
    for number in numbers:
        record, arrays = shelf.once(NAME, number, Vectors, lambda n=number: piece(n))
        assert (record.encoder, arrays["times"][0]) == (f"piece {number}", number)


def noted(shelf: Shelf) -> list[str]:
    return [record.encoder for record, _ in shelf.pieces(NAME, Vectors)]


def test_a_piece_is_made_once(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    note(shelf, 0, 1)
    for again in (shelf, Shelf(tmp_path)):
        record, arrays = again.once(NAME, 1, Vectors, never)
        assert (record.encoder, arrays["times"].tolist()) == ("piece 1", [1, 1, 1])
        assert again.piece(NAME, 0, Vectors)[0].encoder == "piece 0"
    assert artefacts(tmp_path) == ["00000.npz", "00001.npz"]
    assert not shelf.has(NAME, Vectors), "a journal is no artefact"


def test_pieces_count_up_to_the_first_gap(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    assert (shelf.noted(JOURNAL), noted(shelf)) == (0, [])
    note(shelf, 0, 1, 3)
    assert shelf.noted(JOURNAL) == 2
    assert noted(shelf) == ["piece 0", "piece 1"]
    note(shelf, 2)
    assert shelf.noted(JOURNAL) == 4


def test_of_several_journals_counts_what_all_of_them_have(tmp_path: Path) -> None:
    shelf, other = Shelf(tmp_path), "film/vectors-2"
    note(shelf, 0, 1, 2, 3)
    for number in range(3):
        shelf.once(other, number, Vectors, lambda: piece(7))
    assert shelf.noted({NAME: Vectors, other: Vectors}) == 3
    (tmp_path / "shelf" / f"{other}.pieces" / "00001.npz").write_bytes(b"damaged")
    assert shelf.noted({NAME: Vectors, other: Vectors}) == 1
    assert shelf.noted(JOURNAL) == 4


def test_pieces_come_in_order_however_many(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    note(shelf, *range(12))
    assert noted(shelf) == [f"piece {number}" for number in range(12)]


def test_journals_do_not_share_a_place_and_are_swept_alone(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    note(shelf, 0)
    shelf.once("film/vectors-2", 0, Vectors, lambda: piece(7))
    shelf.keep(NAME, Vectors, made)
    shelf.sweep(NAME)
    assert shelf.noted(JOURNAL) == 0
    assert whole(Shelf(tmp_path))
    assert shelf.piece("film/vectors-2", 0, Vectors)[0].encoder == "piece 7"
    shelf.sweep(NAME)  # nothing is there, and that is well


def test_a_piece_that_was_never_made_is_an_error_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ShelfError, match="run the film again") as caught:
        Shelf(tmp_path).piece(NAME, 0, Vectors)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"<html>", bytes(5000)])
def test_a_damaged_piece_is_made_again_or_thrown_away(tmp_path: Path, content: bytes) -> None:
    shelf = Shelf(tmp_path)
    note(shelf, 0, 1)
    first, second = sorted(tmp_path.rglob("*.npz"))
    good = first.read_bytes()
    first.write_bytes(content)
    second.write_bytes(content)
    note(shelf, 0)
    assert first.read_bytes() == good
    assert shelf.noted(JOURNAL) == 1, "so that it is made again"
    with pytest.raises(ShelfError, match="thrown away: run the film again"):
        noted(shelf)
    assert shelf.noted(JOURNAL) == 1
    note(shelf, 1)
    assert noted(shelf) == ["piece 0", "piece 1"]


def test_a_bit_that_flips_in_a_header_is_damage(tmp_path: Path) -> None:
    """NumPy reads headers as Python, in large arrays before any checksum, and says so as Python."""
    made = Vectors(encoder="x"), {"vectors": np.zeros((400, 384), np.float16)}
    Shelf(tmp_path).once(NAME, 0, Vectors, lambda: made)
    (path,) = tmp_path.rglob("*.npz")
    good = path.read_bytes()
    for place in [index for index, byte in enumerate(good) if byte in b"{}()"]:
        for bit in range(8):
            broken = bytearray(good)
            broken[place] ^= 1 << bit
            path.write_bytes(broken)
            Shelf(tmp_path).once(NAME, 0, Vectors, lambda: made)
            assert path.read_bytes() in (good, broken), "made again, or still readable"


def test_what_fails_to_be_made_is_not_noted(tmp_path: Path) -> None:
    def fail() -> Made:
        raise ZeroDivisionError

    shelf = Shelf(tmp_path)
    with pytest.raises(ZeroDivisionError):
        shelf.once(NAME, 0, Vectors, fail)
    assert shelf.noted(JOURNAL) == 0
    note(shelf, 0)


def test_half_a_piece_is_never_read_and_soon_gone(tmp_path: Path) -> None:
    """What somebody left who was killed while writing."""
    shelf = Shelf(tmp_path)
    note(shelf, 0)
    (path,) = tmp_path.rglob("00000.npz")
    scraps = [
        path.with_name("00001.npz.abc.tmp"),
        path.parent.with_name("vectors-1.npz.abc.tmp"),
        path.parent.with_name("entry-1.npz.abc.tmp"),
    ]
    for scrap in scraps:
        scrap.write_bytes(path.read_bytes())
    other = tmp_path / "shelf" / "other" / "vectors-1.npz.abc.tmp"
    other.parent.mkdir()
    other.write_bytes(b"somebody is at work on it")
    assert shelf.noted(JOURNAL) == 1
    assert noted(shelf) == ["piece 0"]
    assert not shelf.has(NAME, Vectors)
    with shelf.alone("film"):
        assert [scrap for scrap in scraps if scrap.exists()] == []
        assert other.exists()
    assert shelf.noted(JOURNAL) == 1


# ── being alone ───────────────────────────────────────────────────────────────────────────────


def test_two_are_never_alone_with_the_same_film_at_once(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def enter(number: int) -> None:
        with Shelf(tmp_path).alone("film"):
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.01)
            inside.remove(number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(enter, range(8)))
    assert most == [1] * 8


def test_whoever_waits_can_be_called_off(tmp_path: Path) -> None:
    looks: list[float] = []

    def alive() -> None:
        looks.append(time.monotonic())
        if len(looks) == 2:
            raise InterruptedError

    shelf = Shelf(tmp_path)
    with shelf.alone("film"):
        began = time.monotonic()
        with pytest.raises(InterruptedError), Shelf(tmp_path).alone("film", alive):
            raise AssertionError("two are alone")
        assert time.monotonic() - began < 5
    with shelf.alone("other"), shelf.alone("film"):
        pass  # nobody was left holding it


# ── films ─────────────────────────────────────────────────────────────────────────────────────


def test_films_are_listed_measured_and_forgotten(tmp_path: Path) -> None:
    shelf, one, two = Shelf(tmp_path), "a" * 40, "b" * 40
    for film in (one, two):
        shelf.put(f"{film}/vectors-1", *made())
        shelf.put(f"{film}/vectors-2", *made())
        shelf.put(f"{film}/curves/123", *made())
        shelf.once(f"{film}/footage-1", 0, Vectors, lambda: piece(0))
    shelf.put("encoders/conse-1", *made())
    assert shelf.films() == [one, two]
    size = (tmp_path / "shelf" / one / "vectors-1.npz").stat().st_size
    sizes = shelf.sizes(one)
    assert sorted(sizes) == ["curves", "strip", "vectors"]
    assert sizes["vectors"] == 2 * size == 2 * sizes["curves"]
    shelf.forget(one)
    assert shelf.films() == [two]
    assert shelf.sizes(one) == {}
    assert not shelf.has(f"{one}/vectors-1", Vectors), "nor is it remembered"
    assert shelf.has(f"{two}/vectors-1", Vectors)
    assert shelf.has("encoders/conse-1", Vectors)


def test_what_another_process_forgot_is_not_there(tmp_path: Path) -> None:
    shelf, name = Shelf(tmp_path), f"{'a' * 40}/vectors-1"
    shelf.keep(name, Vectors, made)
    Shelf(tmp_path).forget("a" * 40)
    assert not shelf.has(name, Vectors)
    shelf.keep(name, Vectors, made)
    assert Shelf(tmp_path).has(name, Vectors)


def test_a_journal_that_is_swept_meanwhile_is_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf, film = Shelf(tmp_path), "a" * 40
    shelf.put(f"{film}/vectors-1", *made())
    shelf.put(f"{film}/vectors-3", *made())
    for number in range(3):
        shelf.once(f"{film}/vectors-2", number, Vectors, lambda: piece(0))
    size, stat = (tmp_path / "shelf" / film / "vectors-1.npz").stat().st_size, Path.stat

    def sweep(path: Path, **more: bool) -> os.stat_result:
        """By the time that one is looked at, others are gone."""
        if path.name == "vectors-1.npz":
            shelf.sweep(f"{film}/vectors-2")
            (path.parent / "vectors-3.npz").unlink(missing_ok=True)
        return stat(path, **more)

    monkeypatch.setattr(Path, "stat", sweep)
    assert shelf.sizes(film) == {"vectors": size}
    assert [each.encoder for each in shelf.entries(film, "vectors", Vectors)] == ["colours"]


def test_artefacts_of_a_stage_come_the_last_made_first(tmp_path: Path) -> None:
    shelf, film = Shelf(tmp_path), "a" * 40
    for number in (2, 1, 3):
        shelf.put(f"{film}/vectors-{number}", Vectors(encoder=str(number)), {})
        path = tmp_path / "shelf" / film / f"vectors-{number}.npz"
        os.utime(path, (number, number))
    (tmp_path / "shelf" / film / "vectors-9.npz").write_bytes(b"damaged")
    assert [each.encoder for each in shelf.entries(film, "vectors", Vectors)] == ["3", "2", "1"]
    assert shelf.entries(film, "entry", Vectors) == []


def test_a_film_that_is_gone_is_an_error_about_the_film(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")
    shelf = Shelf(tmp_path / "home")
    shelf.fingerprint(film)
    film.unlink()
    with pytest.raises(VideoNotFoundError, match=r"film\.mp4.*No such file") as caught:
        shelf.fingerprint(film)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(5, "Input")])
def test_a_film_that_cannot_be_read_is_an_error_about_the_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    def refuse(*_: object) -> None:
        raise error

    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")
    shelf = Shelf(tmp_path / "home")
    monkeypatch.setattr("hashlib.file_digest", refuse)
    with pytest.raises(VideoUnreadableError, match=rf"film\.mp4.*{error.strerror}") as caught:
        shelf.fingerprint(film)
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    assert len(shelf.fingerprint(film)) == 40
