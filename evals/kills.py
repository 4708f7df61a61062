"""Kills at random instants: a front half killed again and again ends as one left in peace does.

    python -m evals.kills [--kills 20] [--seed 0]

Real processes with the packaged models index the demo film in short reels. One is left in peace;
another shelf is worked on by processes that get SIGKILL at random instants, until one comes
through. Then both shelves must be equal to the byte, and nothing that lay in a journal when a
process was killed may have been made again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from subprocess import DEVNULL

HERE = Path(__file__).parent
FILM = HERE / "demo" / "demo_film.mp4"
PIECES = {"VMR_VIDEO__REEL": "10", "VMR_TRANSCRIBE__CHUNK": "60"}
Pieces = dict[str, int]


def kills(count: int = 20, seed: int = 0) -> dict[str, object]:
    """How many processes were killed and what became of their shelf."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        calm, wild = Path(folder) / "calm", Path(folder) / "wild"
        began = time.monotonic()
        _start(calm).wait()
        longest = time.monotonic() - began
        killed = redone = 0
        while killed < count:
            before = _pieces(wild)
            process = _start(wild)
            try:
                process.wait(rng.uniform(0.2, longest / 3))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # the worker behind the guard too
                killed += 1
            else:
                _forget(wild)  # it came through: begin anew
            process.wait()
            redone += _made_again(before, _pieces(wild))
        final = _start(wild).wait()
        return {
            "killed": killed,
            "came through in the end": final == 0,
            "finished pieces made again": redone,
            "shelf equal to the byte": _content(calm) == _content(wild),
        }


def well(found: dict[str, object]) -> bool:
    """Whether the kills cost nothing that was finished."""
    return bool(found["shelf equal to the byte"]) and not found["finished pieces made again"]


def _start(home: Path) -> subprocess.Popen[bytes]:
    home.mkdir(exist_ok=True)
    shared = Path(os.environ.get("VMR_HOME", ".vmr")).absolute() / "weights"
    shared.mkdir(parents=True, exist_ok=True)
    if not (home / "weights").exists():
        (home / "weights").symlink_to(shared)
    words = [sys.executable, "-m", "vmr_agent", "index", str(FILM)]
    environment = {**os.environ, **PIECES, "VMR_HOME": str(home)}
    return subprocess.Popen(
        words, env=environment, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
    )


def _pieces(home: Path) -> Pieces:
    """The pieces in all journals, each with its inode: what is made again has another."""
    found = (home / "shelf").rglob("*.pieces/*.npz")
    return {str(path): path.stat().st_ino for path in found}


def _made_again(before: Pieces, after: Pieces) -> int:
    return sum(after.get(path, inode) != inode for path, inode in before.items())


def _content(home: Path) -> dict[str, bytes]:
    shelf = home / "shelf"
    return {str(p.relative_to(shelf)): p.read_bytes() for p in shelf.rglob("*") if p.is_file()}


def _forget(home: Path) -> None:
    words = [sys.executable, "-m", "vmr_agent", "index", "--forget", str(FILM)]
    subprocess.run(words, env={**os.environ, **PIECES, "VMR_HOME": str(home)}, check=True)


def main() -> None:
    """Print what became of it as JSON; exit 1 unless all is well."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    found = kills(given.kills, given.seed)
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    sys.exit(0 if well(found) else 1)


if __name__ == "__main__":
    main()
