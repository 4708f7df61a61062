"""The index is only derived: whatever is done to it, what it answers is what the shelf says."""

from __future__ import annotations

import errno
import logging
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from vmr_agent.adapters import index as house
from vmr_agent.adapters import register
from vmr_agent.adapters.index import ChromaIndex
from vmr_agent.errors import ShelfError
from vmr_agent.protocols import Array, Row
from vmr_agent.types import Channel, Hit, Span, Video

MAKERS = {"picture": "eyes", "speech": "words", "text": "words"}
KINDS: tuple[Channel, ...] = ("picture", "speech")
MANY = 1_010  # from a thousand rows on vectors have their own files

# Processes that have Chroma loaded when they start: it takes two seconds.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["chromadb", "vmr_agent.adapters.index"])


def film(name: str) -> Video:
    path = f"/films/{name}.mp4"
    return Video(path=path, fingerprint=name, duration=9e3, has_picture=True, has_audio=True)


def units(count: int, seed: int) -> Array:
    found = np.random.default_rng(seed).standard_normal((count, 8)).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def rows(seed: int, count: int) -> list[Row]:
    kinds: tuple[tuple[Channel, int], ...] = (("picture", count), ("speech", 20))
    return [
        (kind, Span(start=second, end=second + 1), unit)
        for kind, much in kinds
        for second, unit in enumerate(units(much, seed))
    ]


SHELF = {"one": rows(1, MANY), "two": rows(2, 50)}
ASKED = [SHELF[name][place][2] for name, place in (("one", 700), ("two", 49))]
Answers = list[tuple[str, Channel, float, float]]


def fill(index: ChromaIndex) -> list[str]:
    """What the agent does before it searches. Which films were not in."""
    known = index.films()
    missing = [name for name in SHELF if known.get(name) != "entry"]
    for name in missing:
        index.put(film(name), "entry", SHELF[name])
    return missing


def answers(index: ChromaIndex) -> Answers:
    def told(hit: Hit) -> tuple[str, Channel, float, float]:
        return hit.path, hit.kind, hit.span.start, round(hit.cosine, 4)

    return [told(hit) for kind in KINDS for unit in ASKED for hit in index.query(kind, unit, 5)]


def opened(home: Path) -> ChromaIndex:
    return ChromaIndex(home / "chroma", MAKERS)


def inside(home: Path) -> Path:
    (folder,) = (path for path in (home / "chroma").iterdir() if path.is_dir())
    return folder


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("original")
    assert fill(opened(home)) == ["one", "two"]
    return home


@pytest.fixture(scope="module")
def expected(original: Path) -> Answers:
    found = answers(opened(original))
    assert len(found) == len(KINDS) * len(ASKED) * 5
    return found


@pytest.fixture
def home(original: Path, tmp_path: Path) -> Path:
    """An index in good order: to its stamp the copy is the original."""
    return Path(shutil.copytree(original, tmp_path / "home"))


@pytest.fixture(autouse=True)
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.WARNING, "vmr_agent")
    return lambda: [record.getMessage() for record in caplog.records]


def _check(folder: Path) -> None:
    """What ``python -m vmr_agent.adapters.index`` does, in a process that has Chroma already."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    os._exit(0 if house.sound(folder) else 1)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How the checks ended that were needed; they run in forks, which is quicker."""
    ends: list[int] = []

    def survives(self: register.Register) -> bool:
        process = FORKS.Process(target=_check, args=(self._folder,))
        process.start()
        process.join(120)
        process.kill()
        process.join()
        assert process.exitcode is not None
        ends.append(process.exitcode)
        return not process.exitcode

    monkeypatch.setattr(register.Register, "_survives", survives)
    return ends


def spoil(path: Path, harm: str) -> None:
    content = path.read_bytes()
    if harm == "random":
        path.write_bytes(random.Random(len(content)).randbytes(len(content)))
    elif harm == "half":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.write_bytes(b"")


# ── in good order ─────────────────────────────────────────────────────────────────────────────


def test_what_was_left_in_good_order_is_not_checked(
    home: Path, expected: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    for _ in range(2):
        assert fill(opened(home)) == []
        assert answers(opened(home)) == expected


def test_where_nothing_is_nothing_is_loaded_or_made(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from vmr_agent.adapters.index import ChromaIndex\n"
        "index = ChromaIndex(Path(sys.argv[1]), {'picture': 'eyes'})\n"
        "assert (index.films(), index.query('picture', [1.0], 5)) == ({}, [])\n"
        "index.forget('one')\n"
        "assert 'chromadb' not in sys.modules\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "chroma")]
    subprocess.run(command, check=True, timeout=200)
    assert list(tmp_path.iterdir()) == []


# ── missing, stale, damaged ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("whole", [True, False])
def test_a_folder_that_was_deleted_is_filled_again(
    home: Path, expected: Answers, whole: bool, warnings: Callable[[], list[str]]
) -> None:
    shutil.rmtree(home / "chroma" if whole else inside(home))
    assert fill(opened(home)) == ["one", "two"]
    assert answers(opened(home)) == expected
    assert warnings() == []


def test_a_film_under_another_mark_is_put_again(home: Path, expected: Answers) -> None:
    opened(home).put(film("two"), "old entry", rows(5, 30))
    assert fill(opened(home)) == ["two"]
    assert answers(opened(home)) == expected


FILES = "chroma.sqlite3 films.json stamp.json data_level0.bin header.bin index_metadata.pickle \
length.bin link_lists.bin"


@pytest.mark.parametrize(
    "harm", ["random", *(pytest.param(h, marks=pytest.mark.slow) for h in ("half", "empty"))]
)
def test_whatever_file_is_damaged_the_answers_stay_the_same(
    home: Path, expected: Answers, harm: str, checks: list[int], warnings: Callable[[], list[str]]
) -> None:
    inner = inside(home)
    (vectors,) = (path.parent for path in inner.glob("*/index_metadata.pickle"))
    seen = {path.name for folder in (inner, vectors) for path in folder.iterdir()}
    assert seen == {*FILES.split(), *(path.name for path in inner.iterdir() if path.is_dir())}
    for number, name in enumerate(FILES.split()):
        copy = Path(shutil.copytree(home, home.parent / f"{harm}-{number}"))
        (path,) = [
            each
            for each in (inside(copy) / name, inside(copy) / vectors.name / name)
            if each.exists()
        ]
        checks.clear()
        spoil(path, harm)
        lost = fill(opened(copy))
        assert answers(opened(copy)) == expected, name
        # Without a stamp nobody knows, so it is tried, and found to be sound.
        assert (lost, checks) == ([], [0]) if name == "stamp.json" else lost == [*SHELF], name
        assert fill(opened(copy)) == [], name
    assert len(warnings()) == len(FILES.split()) - 1


@pytest.mark.parametrize("harm", ["random", "half"])
@pytest.mark.parametrize("name", ["data_level0.bin", "index_metadata.pickle", "chroma.sqlite3"])
def test_damage_after_a_kill_is_found_by_trying(
    home: Path, expected: Answers, name: str, harm: str, checks: list[int]
) -> None:
    (inside(home) / "stamp.json").unlink()
    for path in inside(home).rglob(name):
        spoil(path, harm)
    assert fill(opened(home)) == [*SHELF]
    assert answers(opened(home)) == expected
    assert checks != [0]


def test_another_version_of_chroma_is_tried(
    home: Path, expected: Answers, checks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register, "version", lambda _: "99.0")
    assert fill(opened(home)) == []
    assert answers(opened(home)) == expected
    assert checks == [0]


def test_a_copy_without_its_times_is_tried_once(
    home: Path, expected: Answers, checks: list[int]
) -> None:
    copy = shutil.copytree(home, home.parent / "copy", copy_function=shutil.copyfile)
    for _ in range(2):
        assert fill(opened(copy)) == []
        assert answers(opened(copy)) == expected
    assert checks == [0]


def test_rows_that_are_not_in_the_register_or_not_in_the_index(
    home: Path, expected: Answers, checks: list[int]
) -> None:
    path = inside(home) / "films.json"
    path.write_text(path.read_text().replace(str(MANY), str(MANY + 1)))
    (inside(home) / "stamp.json").unlink()
    assert fill(opened(home)) == [*SHELF]
    assert answers(opened(home)) == expected
    assert checks == [1]


# ── the check ─────────────────────────────────────────────────────────────────────────────────

CRASH = ("-c", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
HANG = ("-c", "import time; time.sleep(600)")
REFUSAL = ("-c", "raise SystemExit(1)")


@pytest.mark.parametrize("end", [CRASH, HANG, REFUSAL])
def test_a_check_that_does_not_end_well_empties_the_index(
    home: Path,
    expected: Answers,
    end: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    warnings: Callable[[], list[str]],
) -> None:
    monkeypatch.setattr(house, "CHECK", end)
    monkeypatch.setattr(register, "CHECK", 0.5)
    monkeypatch.setattr(register, "CHECK_ROW", 0.0)
    (inside(home) / "stamp.json").unlink()
    assert fill(opened(home)) == [*SHELF]
    assert answers(opened(home)) == expected
    (line,) = warnings()
    assert line.endswith("was damaged: it is empty now and will be filled again")


def test_the_check_itself(home: Path, tmp_path: Path, expected: Answers) -> None:
    """By the command that is really run, from a folder in which other things have its name."""
    (tmp_path / "chromadb.py").write_text("raise SystemExit(0)")
    command = [sys.executable, *house.CHECK, str(inside(home))]

    def end(*, parent: bool) -> int:
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=tmp_path
        ) as child:
            if not parent:
                assert child.stdin is not None
                child.stdin.close()
            return child.wait(200)

    assert end(parent=True) == 0
    assert end(parent=False) == 1  # it must not be in the folder when nobody holds the lock
    for path in inside(home).glob("*/link_lists.bin"):
        path.write_bytes(bytes(path.stat().st_size))
    assert end(parent=True) == -signal.SIGSEGV
    assert fill(opened(home)) == [*SHELF]
    assert answers(opened(home)) == expected


def _outgrow(home: Path) -> None:
    (links,) = (path for path in inside(home).glob("*/link_lists.bin") if path.stat().st_size)
    os.truncate(links, 1 << 40)  # no byte of which is on the disk


def test_links_that_a_kill_let_grow_without_end_are_not_read(
    home: Path, expected: Answers, warnings: Callable[[], list[str]]
) -> None:
    """Chroma starts with such a file, finds all, and to read it takes hours."""
    _outgrow(home)
    (inside(home) / "stamp.json").unlink()
    assert fill(opened(home)) == [*SHELF]
    assert "was damaged" in warnings()[0]
    assert answers(opened(home)) == expected


def test_links_that_grow_while_somebody_is_in_are_not_stamped(
    home: Path, expected: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(house, "_shrink", lambda _: _outgrow(home))
        assert len(opened(home).query("picture", ASKED[0], 1)) == 1
    assert not (inside(home) / "stamp.json").exists()
    assert fill(opened(home)) == [*SHELF]
    assert answers(opened(home)) == expected


# ── kills, crowds, full disks ─────────────────────────────────────────────────────────────────


def _put(home: Path, ready: Any) -> None:
    index = opened(home)
    ready.send("now")
    index.put(film("one"), "new entry", rows(7, 1_500))
    index.put(film("three"), "entry", rows(3, 2_500))
    ready.recv()  # the kill comes at the latest here


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 3))])
def test_a_kill_while_a_film_is_put_loses_nothing(
    home: Path, expected: Answers, seed: int, checks: list[int]
) -> None:
    here, there = FORKS.Pipe()
    process = FORKS.Process(target=_put, args=(home, there))
    process.start()
    assert here.recv() == "now"
    time.sleep(random.Random(seed).uniform(0.0, 1.0))
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    index = opened(home)
    fill(index)
    assert len(checks) <= 1
    index.forget("three")
    assert answers(index) == expected
    index.put(film("three"), "entry", rows(3, 2_500))
    assert [len(index.query(kind, ASKED[0], 9_999)) for kind in KINDS] == [MANY + 2_550, 60]


def test_rows_of_a_film_that_is_not_in_as_yet_are_not_seen(
    home: Path, expected: Answers, checks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(register.Register, "write", lambda *_: (home / "nowhere").stat())
        with pytest.raises(ShelfError):
            opened(home).put(film("three"), "entry", SHELF["two"])
    assert fill(opened(home)) == []
    assert answers(opened(home)) == expected
    assert checks == [0]


def _crowd(home: Path, name: str) -> None:
    mine = rows(int(name), 60)
    index = opened(home)
    index.put(film(name), "entry", mine)
    assert index.query("picture", mine[0][2], 1)[0].path == film(name).path
    assert name in index.films()


def test_eight_processes_at_once(tmp_path: Path) -> None:
    names = [str(number) for number in range(8)]
    processes = [FORKS.Process(target=_crowd, args=(tmp_path, name)) for name in names]
    for process in processes:
        process.start()
    for process in processes:
        process.join(200)
    assert [process.exitcode for process in processes] == [0] * 8
    assert sorted(opened(tmp_path).films()) == names
    assert len(opened(tmp_path).query("picture", ASKED[0], 999)) == 8 * 60


@pytest.fixture
def elsewhere(home: Path) -> Iterator[None]:
    """Another process is in there: its lock, and no stamp."""
    (inside(home) / "stamp.json").unlink()
    with FileLock(f"{inside(home)}.lock"):
        yield


@pytest.mark.usefixtures("elsewhere")
def test_waiting_for_others_has_an_end(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register, "BUSY", 0.2)
    visits: tuple[Callable[[ChromaIndex], object], ...] = (
        ChromaIndex.films,
        lambda index: index.put(film("two"), "entry", []),
        lambda index: index.query("picture", ASKED[0], 5),
    )

    def patient(visit: Callable[[ChromaIndex], object]) -> None:
        with pytest.raises(ShelfError, match=r"another process is in .*: end it or try again"):
            visit(opened(home))

    for visit in visits:
        thread = threading.Thread(target=patient, args=(visit,))
        thread.start()
        thread.join(60)
        assert not thread.is_alive()
    assert opened(home).knows(film("two"), "entry")  # that waits for nobody


@pytest.mark.usefixtures("elsewhere")
def test_waiting_for_others_can_be_interrupted(home: Path) -> None:
    code = (
        "import signal, sys; from pathlib import Path\n"
        "from vmr_agent.adapters.index import ChromaIndex\n"
        # A shell that starts the tests in the background has them ignore it.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"index = ChromaIndex(Path(sys.argv[1]), {MAKERS!r})\n"
        "print('waiting', flush=True)\n"
        "try: index.films()\n"
        "except KeyboardInterrupt: print('interrupted')\n"
    )
    command = [sys.executable, "-c", code, str(home / "chroma")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[0] == "interrupted\n"


def _small_disk(home: Path, answer: Any) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
    try:
        opened(home).put(film("three"), "entry", rows(3, 3_000))
    except ShelfError as error:
        answer.send(str(error))


def test_a_disk_that_gets_full(home: Path, expected: Answers, checks: list[int]) -> None:
    here, there = FORKS.Pipe()
    process = FORKS.Process(target=_small_disk, args=(home, there))
    process.start()
    line = here.recv()
    process.join()
    assert "see that the disk is not full and try again" in line
    assert "\n" not in line
    fill(opened(home))
    assert answers(opened(home)) == expected


def test_a_disk_that_is_full(
    home: Path, expected: Answers, checks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(home)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=register.ROOM))
        with pytest.raises(ShelfError, match=r"No space left on device\): free some room"):
            opened(home).put(film("three"), "entry", rows(3, 5))
        assert answers(opened(home)) == expected  # reading needs no room
    assert fill(opened(home)) == []
    assert len(checks) == 1


def test_a_folder_that_cannot_be_written(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(FileLock, "acquire", refuse)
    with pytest.raises(ShelfError, match=r"\(Read-only file system\): free some room or set VMR"):
        answers(opened(home))


def test_a_file_in_place_of_the_folder(home: Path, expected: Answers) -> None:
    folder = inside(home)
    shutil.rmtree(folder)
    folder.write_text("no folder")
    assert fill(opened(home)) == [*SHELF]
    assert answers(opened(home)) == expected


def test_chroma_fails_where_all_seemed_well(
    home: Path, expected: Answers, checks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a fault of the disk: neither size nor time of the file tell of it."""
    database = inside(home) / "chroma.sqlite3"
    stat = database.stat()
    spoil(database, "random")
    os.utime(database, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(ShelfError, match=r"failed \(.*\): .* try again") as caught:
        fill(opened(home)), answers(opened(home))
    assert "\n" not in str(caught.value)
    assert fill(opened(home)) == [*SHELF]
    assert answers(opened(home)) == expected
