"""Broken films by the dozen, and workers that die or sleep on command: both must be counted."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from evals.mutants import KINDS, Worker, mutant, mutants
from evals.seeds import SEEDS, Seed, whole
from vmr_agent import VMRAgent
from vmr_agent.testing import colour_toolbox

# A worker that does to each film what the film's number in the name says.
PLANTED = """
import json, os, signal, sys, time
print('["", "ready"]', flush=True)
for line in sys.stdin:
    number = int(line.rsplit("/", 1)[1].split("-")[1])
    if number == 3:
        os.kill(os.getpid(), signal.SIGSEGV)
    if number == 4:
        time.sleep(60)
    kind = {5: "foreign", 6: "refused", 7: "partial"}.get(number, "opened")
    print(json.dumps([kind, f"number {number}"]), flush=True)
"""
COMMAND = (sys.executable, "-c", PLANTED)


@pytest.mark.slow
def test_a_dozen_mutants_do_no_harm(tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    found = mutants(len(SEEDS), seed=3, keep=keep)
    assert sum(int(str(found[kind])) for kind in KINDS) == len(SEEDS) >= 12
    assert (found["crashes"], found["hangs"], found["foreign"]) == (0, 0, 0)
    assert found["wrong"] == []
    assert 0 < float(str(found["slowest"])) < 30
    assert not keep.exists()


@pytest.mark.slow
def test_a_crash_and_a_hang_are_counted_and_their_films_kept(tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    found = mutants(12, seed=1, keep=keep, command=COMMAND, patience=3.0)
    assert [found[kind] for kind in KINDS] == [7, 1, 1, 1, 1, 1]
    assert float(str(found["slowest"])) >= 3
    kept = {path.name: path.read_bytes() for path in keep.iterdir()}
    films = [whole(seed) for seed in SEEDS]
    made = {number: mutant(films, 1, number) for number in (3, 4, 5)}
    assert kept == {f"1-{n}-{SEEDS[which].name}": data for n, (which, data) in made.items()}
    said = "\n".join(map(str, found["wrong"]))  # type: ignore[call-overload]
    assert "exit code -11" in said
    assert "number 5" in said


def test_a_worker_that_cannot_start_is_no_crash_of_a_film() -> None:
    with pytest.raises(RuntimeError, match="does not start"):
        Worker([sys.executable, "-c", "raise SystemExit(1)"], 1.0)


def test_a_mutant_can_be_made_again() -> None:
    films = [bytes(range(256)) * 20, b"moovmvhd" * 500]
    made = [mutant(films, 5, number) for number in range(200)]
    assert made == [mutant(films, 5, number) for number in range(200)]
    assert made != [mutant(films, 6, number) for number in range(200)]
    changed = [data != films[which] for which, data in made]
    assert sum(changed) > 190


@pytest.mark.parametrize("seed", SEEDS, ids=[seed.name for seed in SEEDS])
def test_seeds_are_whole_and_the_same_every_time(seed: Seed, tmp_path: Path) -> None:
    path = tmp_path / seed.name
    path.write_bytes(whole(seed))
    assert path.read_bytes() == whole(seed)
    video = VMRAgent(toolbox=colour_toolbox(tmp_path / "home")).index(path)
    assert video.duration == pytest.approx(3, abs=0.1)
    assert (video.coverage, video.has_picture, video.has_audio) == (1, bool(seed.picture), True)
