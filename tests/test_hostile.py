"""Whatever is given: an answer in our own words, soon, and no other file or address touched."""

from __future__ import annotations

import ctypes
import dataclasses
import os
import select
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

import forged
import hostile
import media
import numpy as np
import pytest

from vmr_agent import Settings, VMRAgent, VmrError
from vmr_agent.library import Shelf
from vmr_agent.testing import colour_toolbox

PATIENCE = 30.0
IN_OPEN = 0x20


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("canary") / forged.CANARY
    return media.film(path, sound=forged.TWO).read_bytes()


@pytest.fixture
def cage(tmp_path: Path, canary: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a canary in it, where relative paths start."""
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / forged.CANARY).write_bytes(canary)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def opened() -> Iterator[Callable[[Path], Callable[[], bool]]]:
    """``seen = opened(path)``, and later ``seen()``: whether anybody, in any process, opened it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "inotify_init1"):
        yield lambda _: lambda: False
        return
    watch = libc.inotify_init1(os.O_NONBLOCK)

    def look(path: Path) -> Callable[[], bool]:
        assert libc.inotify_add_watch(watch, os.fsencode(path), IN_OPEN) >= 0
        return lambda: bool(select.select([watch], [], [], 0)[0])

    yield look
    os.close(watch)


def called() -> bool:
    """Whether anybody knocked at the address where nobody may."""
    return bool(select.select([forged.EAR], [], [], 0)[0])


def whole(home: Path) -> list[Path]:
    """What is on the shelf, after a look at whether all of it can be read."""
    files = [path for path in home.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".npz", ".json", ".lock"}
    shelved = list((home / "shelf").rglob("*.npz"))
    for path in shelved:
        with np.load(path, allow_pickle=False) as file:
            assert all(file[name] is not None for name in file.files)
    return shelved


def refused(agent: VMRAgent, path: Path, error: type[VmrError]) -> None:
    """In one line that names the file."""
    with pytest.raises(error) as caught:
        agent.run(path, "the red one")
    message = str(caught.value)
    assert message.isprintable()
    assert 20 < len(message) < 500
    assert repr(path.name)[1:-1] in message


def params() -> Iterator[object]:
    for case in hostile.CASES:
        marks = []
        if case.make is forged.locked:
            marks.append(pytest.mark.skipif(os.geteuid() == 0, reason="root may read all files"))
        yield pytest.param(case, id=case.name, marks=marks)


@pytest.mark.parametrize("case", params())
def test_hostile(
    case: hostile.Hostile,
    cage: Path,
    tmp_path: Path,
    opened: Callable[[Path], Callable[[], bool]],
) -> None:
    path = case.make(cage)
    agent = VMRAgent(toolbox=colour_toolbox(tmp_path / "home"))
    seen, began = opened(cage / forged.CANARY), time.monotonic()
    if case.error:
        refused(agent, path, case.error)
        assert whole(tmp_path / "home") == []
    else:
        video = agent.run(path, "the red one").video
        assert case.coverage[0] <= video.coverage <= case.coverage[1]
        if case.duration is not None:
            assert video.duration == pytest.approx(case.duration, abs=0.1)
        assert (video.has_picture, video.has_audio) == (case.picture, case.sound)
        assert whole(tmp_path / "home")
    assert time.monotonic() - began < PATIENCE
    assert not seen()
    assert not called()


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["full", "lean"])
@pytest.mark.parametrize("case", params())
def test_hostile_to_the_packaged_models(
    case: hostile.Hostile, profile: Literal["full", "lean"], cage: Path, new_home: Path
) -> None:
    """Those that are no film are refused before, see above; whatever is one is looked at."""
    path = case.make(cage)
    agent = VMRAgent(Settings(home=new_home, profile=profile))
    if case.error:
        refused(agent, path, case.error)
    else:
        video = agent.run(path, "the red one").video
        assert (video.has_picture, video.has_audio) == (case.picture, case.sound)


def test_there_are_enough_and_no_two_alike() -> None:
    names = [case.name for case in hostile.CASES]
    assert len(set(names)) == len(names) > 80


def test_the_canary_sings(cage: Path, opened: Callable[[Path], Callable[[], bool]]) -> None:
    seen = opened(cage / forged.CANARY)
    (cage / forged.CANARY).stat()
    assert not seen()
    (cage / forged.CANARY).read_bytes()
    assert seen() or not hasattr(ctypes.CDLL(None), "inotify_init1")


# Files that change while they are looked at


class Waiting(Shelf):
    """A shelf that lets something happen to the film once it has been looked at."""

    def then(self, happen: Callable[[Path], object]) -> Waiting:
        self.happen: Callable[[Path], object] = happen
        return self

    def fingerprint(self, path: Path) -> str:
        found = super().fingerprint(path)
        self.happen(path)
        return found


def shrink(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


CHANGES: dict[str, Callable[[Path], object]] = {
    "vanishes": Path.unlink,
    "shrinks": shrink,
    "is emptied": lambda path: path.write_bytes(b""),
    "becomes a folder": lambda path: (path.unlink(), path.mkdir()),
    "becomes noise": lambda path: path.write_bytes(hostile.NOISE),
}
FILMS = {"film.mp4": {"movflags": "faststart"}, "film.mkv": {}}


def long_film(cage: Path, name: str) -> Path:
    return media.film(cage / name, **FILMS[name], **hostile.LONG)


def distracted(home: Path, change: Callable[[Path], object]) -> VMRAgent:
    """An agent under whose hands the film changes."""
    box = dataclasses.replace(colour_toolbox(home), shelf=Waiting(home).then(change))
    return VMRAgent(toolbox=box)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", FILMS)
def test_a_film_that_changes_under_our_hands(
    cage: Path, tmp_path: Path, name: str, change: str
) -> None:
    path = long_film(cage, name)
    content = path.read_bytes()
    agent = distracted(tmp_path / "home", CHANGES[change])
    with suppress(VmrError):
        assert agent.run(path, "the red one").video.coverage < 0.9
    assert not path.is_file() or path.read_bytes() != content
    whole(tmp_path / "home")


def test_what_changed_under_our_hands_is_not_remembered(cage: Path, tmp_path: Path) -> None:
    path = long_film(cage, "film.mkv")
    content = path.read_bytes()
    with suppress(VmrError):
        distracted(tmp_path / "home", shrink).index(path)
    path.write_bytes(content)
    assert VMRAgent(toolbox=colour_toolbox(tmp_path / "home")).index(path).coverage == 1
