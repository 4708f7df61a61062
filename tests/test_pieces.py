"""Killed at any instant, and by many at once: every piece is made once, and the shelf is the same.

The front half runs on the colour film, in reels of five seconds, in processes of its own.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from shelved import video

from vmr_agent import VMRAgent, piecework
from vmr_agent.artefacts import Sounds, Speech
from vmr_agent.frame import Frame
from vmr_agent.protocols import Array, Image
from vmr_agent.state import State
from vmr_agent.testing import ColourEncoder, ColourShots, colour_toolbox
from vmr_agent.toolbox import Toolbox

REELS = 4
Machines = get_context("forkserver")
Machines.set_forkserver_preload(["vmr_agent.graph", "vmr_agent.testing", "test_pieces"])


class Log:
    """Lines that many processes write."""

    def __init__(self, home: Path, name: str) -> None:
        self.path = home.parent / f"{home.name}.{name}"

    def write(self) -> None:
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(handle, b".")
        os.close(handle)

    def count(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0


class Shots(ColourShots):
    """Counts the reels it sees."""

    def __init__(self, home: Path) -> None:
        self.log = Log(home, "reels")

    def cuts(self, frames: Iterable[Frame], since: float) -> tuple[float, ...]:
        self.log.write()
        return super().cuts(frames, since)


class Encoder(ColourEncoder):
    """Takes its time, counts how often, and may fail."""

    def __init__(self, home: Path, pause: float = 0.0, good: int = 99) -> None:
        self.log, self.pause, self.good = Log(home, "looks"), pause, good

    def look(self, images: Sequence[Image]) -> Array:
        self.log.write()
        time.sleep(self.pause)
        self.good -= 1
        if self.good < 0:
            raise ZeroDivisionError
        return super().look(images)


class Reader:
    """Reads how bright it is."""

    name = "brightness"

    def __init__(self, pause: float = 0.0) -> None:
        self.pause = pause

    def read(self, image: Image) -> tuple[tuple[str, float], ...]:
        time.sleep(self.pause)
        return ((f"{image.mean():.0f}", 0.99),)


def toolbox(home: Path, pause: float = 0.0, good: int = 99) -> Toolbox:
    box = colour_toolbox(home)
    video = box.settings.video.model_copy(update={"reel": 5.0})
    return replace(
        box,
        settings=box.settings.model_copy(update={"video": video}),
        detector=Shots(home),
        encoder=Encoder(home, pause, good),
        reader=Reader(pause / 4),
    )


def index(home: Path, film: Path, pause: float = 0.0) -> None:
    """What every process does."""
    VMRAgent(toolbox=toolbox(home, pause)).index(film)


def start(home: Path, film: Path, pause: float = 0.0) -> Any:
    process = Machines.Process(target=index, args=(home, film, pause))
    process.start()
    return process


def ended(process: Any) -> int | None:
    process.join(60)
    return process.exitcode  # type: ignore[no-any-return]


def shelf(home: Path) -> dict[str, bytes]:
    files = [path for path in (home / "shelf").rglob("*") if path.is_file()]
    return {path.relative_to(home / "shelf").as_posix(): path.read_bytes() for path in files}


def finished(home: Path) -> dict[str, tuple[int, int]]:
    """Which file lies where, and since when."""
    return {
        path.relative_to(home).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in (home / "shelf").rglob("*.npz")
    }


@pytest.fixture(scope="module")
def reference(colours: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an uninterrupted run leaves."""
    home = tmp_path_factory.mktemp("whole") / "home"
    index(home, colours)
    assert (Log(home, "reels").count(), Log(home, "looks").count()) == (REELS, REELS)
    found = shelf(home)
    stages = sorted(Path(name).name.partition("-")[0] for name in found if ".pieces" not in name)
    assert stages == ["entry", "footage", "probe", "screen", "sounds", "speech", "vectors"]
    assert sum(".pieces" in name for name in found) == REELS, "the strip"
    return found


@pytest.mark.parametrize("seed", range(2))
def test_killed_three_times_it_goes_on_where_it_was(
    colours: Path, tmp_path: Path, reference: dict[str, bytes], seed: int
) -> None:
    home, dice = tmp_path / "home", random.Random(seed)
    before: dict[str, tuple[int, int]] = {}
    for files in sorted(dice.sample(range(1, 14), 3)):
        process = start(home, colours, pause=0.05)
        while len(finished(home)) < files and process.is_alive():
            time.sleep(0.002)
        time.sleep(dice.random() * 0.05)
        process.kill()
        assert ended(process) in (-signal.SIGKILL, 0)
        after = finished(home)
        again = {name for name, file in before.items() if after.get(name, file) != file}
        assert not again, "they were made a second time"
        before = after
    index(home, colours)
    assert shelf(home) == reference
    kept = finished(home)
    assert all(kept[name] == file for name, file in before.items() if name in kept)
    assert REELS <= Log(home, "looks").count() <= REELS + 3, "a kill costs a reel at most"


def test_eight_at_once_do_the_work_of_one(
    colours: Path, tmp_path: Path, reference: dict[str, bytes]
) -> None:
    home = tmp_path / "home"
    processes = [start(home, colours, pause=0.02) for _ in range(8)]
    assert [ended(process) for process in processes] == [0] * 8
    assert shelf(home) == reference
    assert Log(home, "reels").count() == REELS
    assert Log(home, "looks").count() == REELS


@pytest.fixture
def half(colours: Path, tmp_path: Path) -> Path:
    """A shelf whose last reel is decoded, but not looked at: the encoder failed on it."""
    home = tmp_path / "home"
    with pytest.raises(ZeroDivisionError):
        VMRAgent(toolbox=toolbox(home, good=REELS - 1)).index(colours)
    return home


def journal(home: Path, stage: str) -> list[Path]:
    return sorted((home / "shelf").glob(f"*/{stage}-*.pieces/*.npz"))


def test_what_is_decoded_is_not_decoded_again(
    colours: Path, half: Path, reference: dict[str, bytes]
) -> None:
    assert [len(journal(half, s)) for s in ("footage", "vectors", "screen")] == [4, 3, 3]
    assert Log(half, "reels").count() == REELS
    index(half, colours)
    assert shelf(half) == reference
    assert Log(half, "reels").count() == REELS + 1, "the pictures of the last reel are needed"
    assert Log(half, "looks").count() == REELS + 1


@pytest.mark.parametrize("good", [REELS - 1, REELS - 2])
@pytest.mark.parametrize(
    ("stage", "number"),
    [("footage", 0), ("footage", 2), ("vectors", 0), ("vectors", 1), ("screen", 1)],
)
def test_a_damaged_piece_heals(
    colours: Path,
    tmp_path: Path,
    reference: dict[str, bytes],
    stage: str,
    number: int,
    good: int,
) -> None:
    """It is made again, whether or not what it is joined into is there already."""
    home = tmp_path / "home"
    with pytest.raises(ZeroDivisionError):
        VMRAgent(toolbox=toolbox(home, good=good)).index(colours)
    assert bool(list((home / "shelf").glob("*/footage-*.npz"))) == (good == REELS - 1)
    path = journal(home, stage)[number]
    path.write_bytes(path.read_bytes()[:200])
    index(home, colours)
    assert shelf(home) == reference


def test_a_damaged_piece_of_sound_is_where_work_goes_on(tmp_path: Path) -> None:
    box, state = toolbox(tmp_path / "home"), State(video=video())
    kinds = {"sounds": Sounds(duration=0), "speech": Speech(utterances=(), heard=0)}
    for stage, record in kinds.items():
        for number in range(4):
            made = record, dict[str, Any]()
            box.shelf.once(box.name(state, stage), number, type(record), lambda m=made: m)
    assert piecework.next_block(box, state) == 4
    journal(tmp_path / "home", "sounds")[2].write_bytes(b"damaged")
    assert piecework.next_block(box, state) == 2
    journal(tmp_path / "home", "speech")[1].write_bytes(b"damaged")
    assert piecework.next_block(box, state) == 1


def test_scraps_of_the_killed_are_not_taken_for_pieces(
    colours: Path, half: Path, reference: dict[str, bytes]
) -> None:
    last = journal(half, "vectors")[-1]
    scraps = [last.with_name("00003.npz.k1ll3d.tmp"), last.parent.with_name("entry-1.npz.k.tmp")]
    for scrap in scraps:
        scrap.write_bytes(last.read_bytes())
    index(half, colours)
    assert shelf(half) == reference, "and they are gone"
