"""What the benchmark measures is there, and its figures follow from it. Nothing here is timed."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest

from evals import bench, bench_page, bench_record
from evals.bench import Film
from evals.bench_figures import (
    Spread,
    answers,
    growth,
    rooms,
    stored,
    summary,
    verdicts,
    work,
)
from evals.bench_process import (
    FailedError,
    Measured,
    Sample,
    cores,
    measure,
    parse_sizes,
    parse_stat,
)
from evals.bench_record import Record
from evals.bench_work import COLD, QUESTIONS

STAT = "42 (a) b (c)) S 1 42 40 0 -1 4194560 1 2 0 0 150 50 30 20 20 0 9 0 5 300 60 184467 0 0 0 0"
ROLLUP = (
    "00400000-7ff ---p 00000000 00:00 0   [rollup]\nRss:   500 kB\nPss:   300 kB\nTHPeligible: 1\n"
)
TICKS = os.sysconf("SC_CLK_TCK")

FAKES = """
import sys
import vmr_agent.agent
from evals import bench_work
from vmr_agent.testing import colour_toolbox
vmr_agent.agent.build_toolbox = lambda settings: colour_toolbox(settings.home)
bench_work.main(sys.argv[1:])
"""

PARENT = """
import subprocess, sys, time
mine = bytearray(b"x" * 60_000_000)
print("begun")
child = "import time; x = bytearray(b'x' * 60_000_000); sum(range(10**7)); time.sleep(1)"
subprocess.run([sys.executable, "-c", child], check=True)
"""


def test_proc_is_read_as_its_manual_says():
    stat = parse_stat(STAT)
    assert (stat.session, stat.cpu) == (40, 250 / TICKS)
    assert parse_sizes(ROLLUP) == {"Rss": 500 * 1024, "Pss": 300 * 1024}
    assert parse_sizes("")["Pss"] == 0


def test_a_program_is_measured_with_its_children():
    done = measure([sys.executable, "-c", PARENT])
    assert done.said == "begun\n"
    assert done.seconds >= 1
    assert done.cpu > 0
    # Both hold 60 MB at the same time, and what they share is counted once.
    assert 120e6 < done.peak_pss <= done.peak_rss
    assert done.between(done.began, done.began + done.seconds).cores == pytest.approx(done.cores)


def gone(pid: int) -> bool:
    """Whether a process ends within seconds, if it has not by now."""
    for _ in range(100):
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or ") Z " in status.read_text():
            return True
        time.sleep(0.1)
    return False


def test_what_a_program_leaves_behind_is_ended():
    left = "import subprocess; print(subprocess.Popen(['sleep', '1000']).pid)"
    assert gone(int(measure([sys.executable, "-c", left]).said))


def test_a_measurement_broken_off_ends_the_program(tmp_path, monkeypatch):
    def interrupt(pid: int, _: int) -> tuple[int, int, object]:
        while not (tmp_path / "pid").exists():
            time.sleep(0.05)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "wait4", interrupt)
    with pytest.raises(KeyboardInterrupt):
        measure(
            ["sh", "-c", f"echo $$ > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/pid; sleep 1000"]
        )
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_program_that_fails_says_why():
    with pytest.raises(FailedError, match="no such luck"):
        measure([sys.executable, "-c", "raise SystemExit('no such luck')"])


def measured(**changed: object) -> Measured:
    """Ten seconds: idle for five, then all cores for five; 1 GB, then 2."""
    full = float(cores())
    samples = [
        Sample(105.0, 0.0, 10**9, 10**9, 10**9),
        Sample(109.0, 4 * full, 3 * 10**9, 2 * 10**9, 10**9),
    ]
    facts = {"said": "", "began": 100.0, "seconds": 10.0, "cpu": 5 * full}
    peaks = {"peak_rss": 3 * 10**9, "peak_pss": 2 * 10**9, "samples": tuple(samples)}
    return Measured(**{**facts, **peaks, **changed})


def test_each_stretch_of_time_has_its_own_use():
    done = measured()
    assert done.cores == 0.5
    idle, busy = done.between(100, 105), done.between(105, 110)
    assert (idle.cores, idle.pss) == (0, 10**9)
    assert (busy.cores, busy.pss) == (1, 2 * 10**9)
    assert done.between(104, 106).cores == 0.5
    assert done.between(101, 101).cores == 0


def test_figures_of_a_run():
    assert work(measured(), film=100, decode=4) == {
        "seconds": 10,
        "times_real": 10,
        "times_decode": 2.5,
        "cores": 0.5,
        "rss_mb": 3000,
        "pss_mb": 2000,
    }
    early = work(measured(), film=100, decode=4, end=105)
    assert (early["seconds"], early["cores"]) == (5, 0)


def test_figures_of_rooms():
    busy = {"early": 4, "late": 5, "unheard": 0}
    at = {"late": [105, 110], "early": [100, 105]}
    found = rooms(measured(), busy, at, film=100, decode=4)
    paced = {"seconds": 5, "times_real": 20, "times_decode": 1.25}
    assert found["late"] == {**paced, "cores": 1, "pss_mb": 2000}
    assert (found["early"]["seconds"], found["early"]["cores"]) == (4, 0)
    assert "cores" not in found["unheard"]


def test_bytes_are_counted_for_an_hour_and_the_strip_apart(tmp_path):
    for name, size in {
        "shelf/f/footage-1.npz": 3000,
        "shelf/f/speech-1.npz": 500,
        "shelf/f/curves-1.npz": 9999,
        "shelf/encoders/conse-1.npz": 9999,
        "chroma/a/b.bin": 100,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size)
    assert stored(tmp_path, film=1800) == pytest.approx(
        {
            "without_strip": 0.0012,
            "with_strip": 0.0072,
            "of_footage": 0.006,
            "of_index": 0.0002,
            "of_speech": 0.001,
        }
    )


def test_medians_and_spreads():
    runs = [{"run": n, "index": {"seconds": float(s)}} for n, s in enumerate((30, 10, 20))]
    runs[0]["answers"] = answers([3.0, 1.0, 2.0], [0.01 * n for n in range(1, 22)])
    found = summary(runs)
    assert found["index.seconds"] == Spread(20, 10, 30)
    assert str(found["index.seconds"]) == "20 (10–30)"
    assert found["answers.first"] == Spread(2, 1, 3)
    assert found["answers.later_p50"].median == pytest.approx(0.11)
    assert found["answers.later_p95"].median == pytest.approx(0.20)
    assert "run" not in found


def test_promises_kept_and_broken():
    lean = {"index.times_real": 26.0, "index.rss_mb": 2600.0, "answers.later_p50": 0.02}
    lines = list(verdicts("lean", {k: Spread(v, v, v) for k, v in lean.items()}))
    assert [line.split()[0] for line in lines] == ["kept", "MISSED", "kept"]
    assert not list(verdicts("default", {}))
    assert growth({1: 1000, 12: 1100}).startswith("kept")
    assert growth({1: 1000, 12: 1200}).startswith("MISSED")


@pytest.fixture
def film(colours: Path) -> Film:
    facts = {"film": colours.name, "duration": 16.0, "size": [64, 48], "fps": 10, "seed": 0}
    return Film(colours, {**facts, "shots": [], "said": [], "voiced": [], "voiced_share": 0.0})


@pytest.fixture
def faked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The work done by the colour fakes, on a commit of their own."""
    (tmp_path / "fakes.py").write_text(FAKES)
    monkeypatch.setattr(bench, "WORK", [sys.executable, str(tmp_path / "fakes.py")])
    monkeypatch.setattr(bench, "prepare", lambda *_: None)
    monkeypatch.setattr(bench, "COLD", COLD[:1])
    monkeypatch.setattr(bench_record, "commit", lambda: "abc")
    return tmp_path


@pytest.mark.slow
def test_a_run_measures_what_really_happens(film, faked, capsys):
    path = faked / "found.json"
    record = bench.index(film, ["default"], 1, faked, path)
    (run,) = record.runs
    assert {"detect_shots", "embed_frames", "index_video"} <= set(run["rooms"])
    assert all(room["seconds"] <= run["index"]["seconds"] for room in run["rooms"].values())
    assert run["decode"]["times_decode"] == 1
    assert run["index"]["rss_mb"] > run["decode"]["pss_mb"] > 10
    assert run["stored"]["with_strip"] > run["stored"]["without_strip"] > 0
    assert len(run["answers"]["first"]) == 1
    assert not list(faked.glob("home-*"))
    bench.report(record)
    printed = capsys.readouterr().out
    assert "detect_shots" in printed
    assert "x decode" in printed
    entry = json.loads(path.read_text())["index 16 s 64x48"]
    assert entry["commit"] == "abc"
    assert entry["machine"]["cores"] == cores()
    assert entry["settings"]["default"]["strip"]["fps"] > 0
    assert entry["summary"]["default"]["index.seconds"]["low"] > 0


def test_runs_that_were_done_are_not_done_again(film, faked, monkeypatch):
    path = faked / "found.json"
    about = film.about()
    Record(path, "index 16 s 64x48", about).add({"profile": "default", "run": 0, "index": {}})
    assert len(bench.index(film, ["default"], 1, faked, path).runs) == 1
    monkeypatch.setattr(bench_record, "commit", lambda: "abc+changes")
    assert Record(path, "index 16 s 64x48", about).runs == []
    monkeypatch.setattr(bench_record, "commit", lambda: "def")
    assert Record(path, "index 16 s 64x48", about).runs == []
    other = Record(path, "another", {})
    other.add({"run": 0, "seconds": 1.23456789})
    assert list(json.loads(path.read_text())) == ["index 16 s 64x48", "another"]
    assert other.runs == [{"run": 0, "seconds": 1.2346}]


def test_the_memory_of_two_lengths(film, faked, monkeypatch):
    """The second film is indexed by a program that takes a fifth more memory."""
    peaks = iter([10**9, 12 * 10**8])
    parts: list[tuple[str, ...]] = []

    def run(home: Path, profile: str, *part: str) -> tuple[Measured, dict]:
        parts.append((profile, *part[:1]))
        assert (home / "weights").is_symlink()
        peak = next(peaks) if part[0] == "index" else 0
        return measured(peak_rss=peak), {"at": {"index_video": [101, 109]}}

    monkeypatch.setattr(bench, "run", run)
    longer = Film(film.path, {**film.truth, "duration": 32.0})
    path = faked / "found.json"
    assert bench.memory([film, longer], "lean", 1, faked, path) == {0.0044: 1000, 0.0089: 1200}
    assert parts == 2 * [("lean", "decode"), ("lean", "index")]
    (entry,) = json.loads(path.read_text()).values()
    assert [found["index"]["seconds"] for found in entry["runs"]] == [9, 9]


def test_a_home_is_prepared_once_for_each_profile(tmp_path, monkeypatch):
    parts: list[tuple[object, ...]] = []
    monkeypatch.setattr(bench, "run", lambda *part: parts.append(part))
    bench.prepare(tmp_path / "ready", ["full", "lean"])
    assert [part[:3] for part in parts] == [
        (tmp_path / "ready", profile, "index") for profile in ("full", "lean")
    ]


def test_twenty_different_questions_follow_one_that_warms_up():
    assert len(set(QUESTIONS)) == len(QUESTIONS) == 21
    assert len({*COLD, *QUESTIONS}) == 24


def test_a_commit_and_a_machine_have_names():
    assert len(bench_record.commit()) >= 7
    assert bench_record.machine()["memory_gb"] > 0


@pytest.mark.parametrize(
    "words",
    [["index"], ["index", "--clips", ".", "--profiles", "fullest"], ["film", "--clips", "."]],
)
def test_bad_calls_end_with_a_reason(words, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    try:
        code = bench.main(words)
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    assert capsys.readouterr().err


def test_the_readme_quotes_the_record():
    entry = json.loads(bench.RESULTS.read_text(encoding="utf-8"))[bench_page.TITLE]
    text = bench_page.README.read_text(encoding="utf-8")
    between = text.partition(bench_page.START)[2].partition(bench_page.END)[0]
    assert between == bench_page.page(entry), "python -m evals.bench_page writes it anew"


def test_a_row_has_medians_and_spreads():
    runs = [
        {
            "profile": profile,
            "run": number,
            "index": {
                "times_real": 10.0 + number,
                "times_decode": 2.0,
                "cores": 0.9,
                "rss_mb": 2000.4,
            },
            "stored": {"without_strip": 7.25, "with_strip": 40.0},
            "answers": {"later_p50": 0.05, "first": [1.0, 3.0]},
        }
        for profile in ("full", "balanced", "lean")
        for number in range(3)
    ]
    machine = {"cpu": "a processor", "cores": 2}
    lines = bench_page.page(
        {"runs": runs, "commit": "abc", "date": "today", "machine": machine}
    ).splitlines()
    assert lines[0] == "| | wanted | `full` | `balanced` | `lean` |"
    cell = "11.0 (10.0–12.0)"
    assert lines[2] == f"| times real time | ≥ 7 / 12 / 25 | {cell} | {cell} | {cell} |"
    assert lines[5] == "| memory at most, MB | ≤ 2500 | 2000 | 2000 | 2000 |"
    assert lines[8] == "| a later answer (median), ms | ≤ 60 | 50 | 50 | 50 |"
    assert lines[9].endswith("| 2.0 (1.0–3.0) |")
    assert "3 runs of each at commit abc" in lines[-1]
