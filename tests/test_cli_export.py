"""``vmr export`` as users start it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from answered import TWO, moment, report
from processes import FAKES, VMR, environment, in_terminal, one_by_one, one_line, program, vmr

from vmr_agent.export import FORMATS, read, text
from vmr_agent.export.saving import appearing

EMPTY = report()


@pytest.fixture
def told(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_text(text(TWO, "json"))
    return path


def test_to_a_file_and_to_stdout(told: Path, tmp_path: Path) -> None:
    outs = {name: tmp_path / f"out{FORMATS[name].suffix}" for name in FORMATS}
    files = [("export", told, "--out", out) for out in outs.values()]
    runs = one_by_one(tmp_path, [*files, ("export", told, "--to", "vtt-chapters")])
    assert {run.returncode for run in runs} == {0}
    assert {run.stdout + run.stderr for run in runs} == {"", text(TWO, "vtt-chapters")}
    for name, out in outs.items():
        assert out.read_bytes() == text(TWO, name).encode()


def test_what_is_piped_in(told: Path, tmp_path: Path) -> None:
    run = subprocess.run(
        [*VMR, "export", "-", "--to", "csv"],
        input=told.read_bytes(),
        capture_output=True,
        env=environment(tmp_path),
        check=True,
    )
    assert run.stdout == text(TWO, "csv").encode()


def test_what_find_prints_is_exported_as_the_live_report_is(
    colours: Path, new_home: Path, tmp_path: Path
) -> None:
    run = vmr(new_home, "find", colours, "red", "--json", command=program(FAKES))
    answer = tmp_path / "answer.json"
    answer.write_text(run.stdout)
    (live,) = read(run.stdout)
    assert live.moments
    for name in ("csv", "edl"):
        run = vmr(tmp_path, "export", answer, "--to", name)
        assert (run.returncode, run.stdout) == (0, text(live, name).replace("\r\n", "\n"))


def test_several_reports_make_one_file(told: Path, tmp_path: Path) -> None:
    none = tmp_path / "none.json"
    none.write_text(text(EMPTY, "json"))
    lines, wrong = one_by_one(
        tmp_path, [("export", told, none, "--to", "jsonl"), ("export", told, none, "--to", "srt")]
    )
    assert [json.loads(line)["qid"] for line in lines.stdout.splitlines()] == [1, 2]
    assert lines.stderr == "vmr: 'a dog runs': nothing was found; there is no moment in the jsonl\n"
    assert wrong.returncode == 2
    assert "takes one report, not 2" in one_line(wrong)


def test_wrong_calls_are_one_line(told: Path, tmp_path: Path) -> None:
    (tmp_path / "there.srt").write_text("before")
    (tmp_path / "film.json").write_bytes(b"\xff\xd8\xff\xe0")
    (tmp_path / "old.json").write_text(text(TWO, "json").replace('"rounds": 1,', ""))
    wrong = (
        ((told,), "say which format"),
        ((told, "--out", "a.doc"), "does not say which format: end it in"),
        ((told, "--to", "doc"), "Invalid value for '--to'"),
        ((tmp_path / "no.json", "--to", "srt"), "No such file or directory; give what vmr find"),
        ((tmp_path, "--to", "srt"), "Is a directory; give what vmr find"),
        ((tmp_path / "film.json", "--to", "srt"), "is no text"),
        ((tmp_path / "old.json", "--to", "srt"), "no report of vmr find --json (rounds: "),
        ((told, "--out", tmp_path / "there.srt"), "is there already: name another, or add --force"),
        ((told, "--out", tmp_path / "no" / "a.srt"), "there is no folder"),
        (("a\nb.json", "--to", "srt"), "No such file"),
    )
    runs = one_by_one(tmp_path, [("export", *words) for words, _ in wrong], cwd=tmp_path)
    for (words, said), run in zip(wrong, runs, strict=True):
        assert run.returncode == 2, words
        assert said in one_line(run)
    assert (tmp_path / "there.srt").read_text() == "before"
    assert vmr(tmp_path, "export", told, "-o", tmp_path / "there.srt", "--force").returncode == 0
    assert "said so" in (tmp_path / "there.srt").read_text()
    assert not list(tmp_path.glob(".vmr*"))


def test_a_full_disk_is_told_in_one_line(told: Path, tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        run = subprocess.run(
            [*VMR, "export", str(told), "--to", "srt"],
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=environment(tmp_path),
            check=False,
        )
    assert run.returncode == 3
    assert run.stderr == "vmr: the answer cannot be written: No space left on device\n"


def test_what_films_say_does_not_reach_a_terminal_as_control(tmp_path: Path) -> None:
    """What all formats do not have is tested without one: in what is written, and what is said."""
    path = tmp_path / "r.json"
    harm = report(moment(1, 2, note="\x1b[31mred\x07"), query="\x1b]0;x\x07", status="partial")
    path.write_text(text(harm, "json"))
    _, sent = in_terminal(tmp_path, "export", path, "--to", "srt")
    assert "not all of the film could be searched" in sent
    assert not {"\x1b[31m", "\x1b]0;", "\x07"} & {sent[at : at + n] for at in range(len(sent))
                                                for n in (1, 4, 5)}  # fmt: skip


def test_what_a_killed_process_left_is_swept_away(told: Path, tmp_path: Path) -> None:
    dead, fresh, held = (tmp_path / f".vmr-1-{name}.part.mp4" for name in range(3))
    for path in (dead, fresh, held):
        path.touch()
    for path in (dead, held):
        os.utime(path, (0, 0))
    os.utime(fresh, (2**32, 2**32))  # a busy machine takes longer than it is fresh
    os.mkfifo(pipe := tmp_path / ".vmr-1-3.part.mp4")
    with held.open("rb") as mine:
        fcntl.flock(mine, fcntl.LOCK_EX)  # as whoever writes to it does
        assert vmr(tmp_path, "export", told, "--out", tmp_path / "a.srt").returncode == 0
    assert sorted(tmp_path.glob(".vmr-*")) == [fresh, held, pipe]


def test_what_is_being_written_is_nobodys_to_sweep(tmp_path: Path) -> None:
    with appearing(tmp_path / "one.txt") as part:
        part.write_text("half")
        os.utime(part, (0, 0))
        with appearing(tmp_path / "other.srt") as other:
            other.write_text("all")
        assert part.read_text() == "half"
    assert {each.name for each in tmp_path.iterdir()} == {"one.txt", "other.srt"}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_while_it_writes(
    number: signal.Signals, code: int, told: Path, tmp_path: Path
) -> None:
    slow = (
        "import os, signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored in the background
        "def slowly(_):\n"
        f"    os.kill(os.getppid(), {number:d})\n"
        "    signal.pause()\n"
        "    raise SystemError('nobody stopped it')\n"
        "os.fsync = slowly"
    )
    out = tmp_path / "out"
    out.mkdir()
    run = vmr(tmp_path, "export", told, "--out", out / "a.srt", command=program(slow))
    assert (run.returncode, run.stdout) == (code, "")
    assert run.stderr.startswith("vmr: stopped")
    assert not list(out.iterdir())


def test_a_dash_is_stdout_and_what_goes_there_is_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(report(moment(1, 2, note="heard: “a dog”")).model_dump_json(), encoding="utf-8")
    run = vmr(tmp_path, "export", path, "--to", "srt", "-o", "-", PYTHONIOENCODING="ascii")
    assert run.returncode == 0
    assert "“" in run.stdout
    assert not (tmp_path / "-").exists()
