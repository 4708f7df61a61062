"""A benchmark asked by several processes, and by processes that are killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from made_benchmarks import FULL, KILLS, ROOT, SLOW, answers, asked, highlights, words
from processes import at_work, environment, until

from evals.logbook import Sample, read


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("qvhighlights")
    highlights(folder)
    return folder


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no film and no curve is known."""
    monkeypatch.setenv("VMR_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def whole(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing came in the way of."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VMR_HOME", str(folder / "home"))
        assert asked(films, folder / "r.jsonl") == 0
    return folder / "r.jsonl"


def test_two_processes_answer_as_one_does(films: Path, whole: Path, tmp_path: Path) -> None:
    assert asked(films, tmp_path / "r.jsonl", "--jobs", 2) == 0
    book = read(tmp_path / "r.jsonl")
    assert answers(book) == answers(read(whole))
    assert book.metrics == read(whole).metrics


@pytest.mark.parametrize(("times", "failed"), [(1, 0), pytest.param(9, 1, marks=pytest.mark.slow)])
def test_a_process_that_is_killed_costs_its_query_a_try(
    films: Path,
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    times: int,
    failed: int,
) -> None:
    monkeypatch.setenv(KILLS, f"{times} {tmp_path / 'killed'}")
    out = tmp_path / "r.jsonl"
    assert asked(films, out, "--jobs", 2, "--fail-on-error", 0.2) == 0
    assert len((tmp_path / "killed").read_text().splitlines()) == min(times, 2)
    found, expected = answers(read(out)), answers(read(whole))
    lost: list[Sample] = [each for each in read(out).samples if each.error]
    assert [(each.query, each.error and each.error.kind) for each in lost] == [
        ("something purple is to be seen", "Killed")
    ][:failed]
    for each in lost:
        del found[each.id], expected[each.id]
    assert found == expected


def test_what_no_process_can_get_past_ends_the_run_in_one_line(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(FULL, "1")
    assert asked(films, tmp_path / "r.jsonl", "--jobs", 2) == 3
    error = capsys.readouterr().err.splitlines()
    assert error[-1] == "evals.run: the shelf is full: free some room"


# ── killed at random instants ─────────────────────────────────────────────────────────────────


def started(films: Path, out: Path, home: Path, jobs: int) -> subprocess.Popen[str]:
    """A run in a process of its own, slow enough to be killed in the midst of it."""
    here = Path(__file__).parent
    path = os.pathsep.join(map(str, [ROOT, here, here.parent]))
    more = environment(home, **{SLOW: "0.08", "PYTHONPATH": path})
    told = [sys.executable, str(here / "made_benchmarks.py"), *words(films, out, "--jobs", jobs)]
    return subprocess.Popen(
        told,
        env=more,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        cwd=ROOT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def asks(run: subprocess.Popen[str], out: Path, size: int) -> None:
    """Waits until it has written more than that; a machine with much else to do starts slowly."""

    def grown() -> bool:
        return out.exists() and out.stat().st_size > size

    until(lambda: grown() or run.poll() is not None, 180)
    assert grown(), run.communicate()[1]


def killed_often(films: Path, folder: Path, kills: int, jobs: int, seed: int) -> Path:
    """What a run comes to that was killed so often, looking at the file after each kill."""
    out, home, dice = folder / "r.jsonl", folder / "home", random.Random(seed)
    done, fell = 0, 0
    while done < kills:
        before = out.read_bytes() if out.exists() else b""
        run = started(films, out, home, jobs)
        asks(run, out, len(before))
        time.sleep(dice.uniform(0, 0.5))
        run.send_signal(signal.SIGKILL)
        run.wait()
        until(lambda: not at_work(home))  # whoever worked for it has noticed
        after = out.read_bytes()
        kept = before[: before.rfind(b"\n") + 1]
        assert after.startswith(kept)
        done += 1
        fell += len(after) > len(kept) and after.count(b'"kind":"sample"') < 18
    assert fell >= kills / 2  # else it tests nothing
    final = started(films, out, home, jobs)
    assert final.wait() == 0
    return out


def held(out: Path, whole: Path) -> None:
    """Nothing that was finished is lost, or was done again; all came out the same."""
    lines = out.read_bytes().splitlines()
    assert sum(line.startswith(b'{"kind":"sample"') for line in lines) == 18
    assert answers(read(out)) == answers(read(whole))
    assert read(out).metrics == read(whole).metrics
    left = out.with_suffix(".submission.jsonl").read_bytes()
    assert left == whole.with_suffix(".submission.jsonl").read_bytes()


def test_kills_cost_nothing_that_is_finished(films: Path, whole: Path, tmp_path: Path) -> None:
    held(killed_often(films, tmp_path, kills=2, jobs=1, seed=1), whole)


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("seed", range(2, 7))
def test_many_kills_cost_nothing_that_is_finished(
    films: Path, whole: Path, tmp_path: Path, jobs: int, seed: int
) -> None:
    held(killed_often(films, tmp_path, kills=5, jobs=jobs, seed=seed), whole)


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_who_stops_a_run_can_go_on_with_it(
    films: Path, whole: Path, tmp_path: Path, jobs: int
) -> None:
    out, home = tmp_path / "r.jsonl", tmp_path / "home"
    run = started(films, out, home, jobs)
    until(lambda: out.exists() and out.read_bytes().count(b'"kind":"sample"') > 2)
    run.send_signal(signal.SIGINT)
    _, error = run.communicate(timeout=60)
    assert run.returncode == 130
    assert error.splitlines()[-1] == "evals.run: stopped; the same command goes on from here"
    until(lambda: not at_work(home))
    assert started(films, out, home, 1).wait() == 0
    held(out, whole)
