"""A thousand broken films, made from whole ones: each must be read or refused, in our own words.

    python -m evals.mutants                       # 1000 of them
    python -m evals.mutants --count 200 --seed 7  # others

They are indexed by workers, processes that live long and are fed one film after the other, so that
one which crashes or hangs is seen, counted and replaced. Whatever did that to a worker, or got an
error out of it that is none of ours, is kept in ``--keep``. A mutant depends on seed and number
alone, so any of them can be made again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from evals.seeds import SEEDS, whole

WORKERS = 2
PATIENCE = 30.0
"""Seconds that a film of three seconds may take."""
START = 120.0
"""Seconds that a worker may take to import everything on a busy machine."""
WHOLE = 0.995
"""Coverage from which a film counts as whole."""
KINDS = ("opened", "partial", "refused", "crashes", "hangs", "foreign")
BAD = ("crashes", "hangs", "foreign")

Dice = random.Random
Change = Callable[[bytearray, Dice], object]


class Verdict(NamedTuple):
    """What became of one film."""

    kind: str
    """One of ``KINDS``."""
    said: str = ""
    """The error, or whatever explains the kind."""
    seconds: float = 0.0


# ── what is done to a film ────────────────────────────────────────────────────────────────────

# Names of fields, or what stands before them, in the headers of mp4, mkv, avi, ogg, mp3 and others.
FIELDS = re.compile(
    rb"mvhd|tkhd|mdhd|elst|stsd|stsz|stts|ctts|stsc|stco|stss|trun|tfhd|tfdt|mdat|avcC|esds|free"
    rb"|\x1a\x45\xdf\xa3|\x44\x89|\x2a\xd7\xb1|\x1f\x43\xb6\x75|\xb0\x81|\xba\x81|\x1c\x53\xbb\x6b"
    rb"|avih|strh|strf|idx1|movi|FLV|onMetaData|ID3|LAME|OpusHead|fLaC|\x00\x00\x01[\xb3\xba\xe0]"
)
EXTREMES = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)


def _flip(data: bytearray, dice: Dice) -> None:
    for _ in range(dice.choice((1, 4, 16, 64))):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def _overwrite(data: bytearray, dice: Dice) -> None:
    first, last = _run(data, dice)
    noise = dice.randbytes(last - first)
    data[first:last] = dice.choice((noise, bytes(last - first), b"\xff" * (last - first)))


def _delete(data: bytearray, dice: Dice) -> None:
    first, last = _run(data, dice)
    del data[first:last]


def _repeat(data: bytearray, dice: Dice) -> None:
    first, last = _run(data, dice)
    at = dice.randrange(len(data))
    data[at:at] = data[first:last]


def _swap(data: bytearray, dice: Dice) -> None:
    size = min(dice.choice((4, 188, 1000)), len(data) // 3)
    first, second = dice.randrange(len(data) - size), dice.randrange(len(data) - size)
    one, other = data[first : first + size], data[second : second + size]
    data[first : first + size], data[second : second + size] = other, one


def _truncate(data: bytearray, dice: Dice) -> None:
    del data[dice.randrange(1, len(data)) :]


def _field(data: bytearray, dice: Dice) -> None:
    """A number in a header becomes one that its reader may not have thought of."""
    found = [match.end() for match in FIELDS.finditer(data)] or [0]
    at, width = dice.choice(found) + dice.randrange(24), dice.choice((1, 2, 4, 8))
    number = dice.choice((*EXTREMES, dice.getrandbits(64))) % 256**width
    data[at : at + width] = number.to_bytes(width, dice.choice(("big", "little")))


def _run(data: bytearray, dice: Dice) -> tuple[int, int]:
    first = dice.randrange(len(data))
    return first, min(len(data), first + dice.choice((1, 8, 100, 2000)))


CHANGES: Sequence[Change] = (_flip, _overwrite, _delete, _repeat, _swap, _truncate, _field, _field)


def mutant(films: Sequence[bytes], seed: int, number: int) -> tuple[int, bytes]:
    """Which film was taken, and what was made of it."""
    dice = Dice(f"{seed}/{number}")
    which = number % len(films)
    data = bytearray(films[which])
    for change in dice.choices(CHANGES, k=dice.choice((1, 1, 2, 4))):
        if len(data) > 16:
            change(data, dice)
    return which, bytes(data)


# ── workers ───────────────────────────────────────────────────────────────────────────────────


class Worker:
    """A process that is told a film's path in a line and answers with a verdict in a line."""

    def __init__(self, command: Sequence[str], patience: float) -> None:
        self._command, self._patience = command, patience
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        if not self._line(START):
            raise RuntimeError(f"{self._command} does not start")

    def index(self, path: Path) -> Verdict:
        """What becomes of the film. Afterwards there is a worker again, come what may."""
        began = time.monotonic()
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(f"{path}\n".encode())
            self._process.stdin.flush()
        line = self._line(self._patience)
        seconds = round(time.monotonic() - began, 2)
        if line:
            kind, said = json.loads(line)
            return Verdict(kind, said, seconds)
        self.stop()
        died = f"exit code {self._process.returncode}"
        self._start()
        return Verdict("hangs", "", seconds) if line is None else Verdict("crashes", died, seconds)

    def stop(self) -> None:
        """End it, and whatever it started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()

    def _line(self, patience: float) -> bytes | None:
        """What it says, nothing if it has died, None if it keeps silent."""
        out = self._process.stdout
        assert out is not None
        return out.readline() if select.select([out], [], [], patience)[0] else None


def work(home: Path) -> None:
    """Be a worker. Lines go to the stdout that was; libraries may print to what is there now."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    from vmr_agent import VMRAgent, VmrError
    from vmr_agent.testing import colour_toolbox

    agent = VMRAgent(toolbox=colour_toolbox(home))
    verdict = ("", "ready")
    while True:
        answers.write(json.dumps(verdict) + "\n")
        answers.flush()
        path = sys.stdin.readline().rstrip("\n")
        if not path:
            return
        try:
            coverage = agent.index(path).coverage
            verdict = ("opened" if coverage >= WHOLE else "partial", str(coverage))
        except VmrError as error:
            verdict = ("refused" if str(error).isprintable() else "foreign", repr(error))
        except Exception as error:  # noqa: BLE001  (what is looked for here)
            verdict = ("foreign", repr(error))


def mutants(
    count: int = 1000,
    seed: int = 1,
    *,
    keep: Path = Path("mutants"),
    command: Sequence[str] = (sys.executable, "-m", "evals.mutants", "--work"),
    patience: float = PATIENCE,
) -> dict[str, object]:
    """How many of ``count`` became what. Those that should not have are kept in a folder."""
    films = [whole(each) for each in SEEDS]
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(WORKERS) as pool:

        def stretch(first: int) -> list[Verdict]:
            folder = Path(scratch) / str(first)
            folder.mkdir()
            worker = Worker([*command, str(folder / "home")], patience)
            try:
                numbers = range(first, count, WORKERS)
                return [_tried(worker, films, seed, number, folder, keep) for number in numbers]
            finally:
                worker.stop()

        verdicts = [v for each in pool.map(stretch, range(min(WORKERS, count))) for v in each]
    counts = Counter(verdict.kind for verdict in verdicts)
    return {
        "mutants": count,
        "seed": seed,
        **{kind: counts[kind] for kind in KINDS},
        "slowest": max((verdict.seconds for verdict in verdicts), default=0.0),
        "wrong": [verdict.said for verdict in verdicts if verdict.kind in BAD],
    }


def _tried(
    worker: Worker, films: Sequence[bytes], seed: int, number: int, folder: Path, keep: Path
) -> Verdict:
    which, data = mutant(films, seed, number)
    path = folder / f"{seed}-{number}-{SEEDS[which].name}"
    path.write_bytes(data)
    verdict = worker.index(path)
    if verdict.kind in BAD:
        keep.mkdir(parents=True, exist_ok=True)
        (keep / path.name).write_bytes(data)
        verdict = verdict._replace(said=f"{keep / path.name}: {verdict.kind}, {verdict.said}")
    path.unlink()
    return verdict


def main() -> None:
    """Make them, try them, say what became of them; exit code 1 if one of them went wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("mutants"), help="for what went wrong")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(given.work)
        return
    found = mutants(given.count, given.seed, keep=given.keep)
    for name, figure in found.items():
        print(f"{name:>9}  {figure}")
    sys.exit(1 if found["wrong"] else 0)


if __name__ == "__main__":
    main()
