"""``vmr cut`` as users start it, and stop it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import av
import media
import pytest
from answered import TWO, moment, report
from processes import (
    VMR,
    at_work,
    environment,
    in_terminal,
    one_by_one,
    one_line,
    started,
    until,
    vmr,
)
from test_signals import CODES, SOON

from vmr_agent.cli.guard import CUT_SHORT
from vmr_agent.export import read, text
from vmr_agent.files import fingerprint
from vmr_agent.limits import VideoSettings
from vmr_agent.types import Moment
from vmr_agent.video import probe


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sound = ((0.0, media.humming(10, 4.5)),)
    return media.film(tmp_path_factory.mktemp("film") / "a.mp4", **media.LONG, sound=sound)


@pytest.fixture
def asked(film: Path, tmp_path: Path) -> Path:
    """What was found in the film: moments from 8 and from 4.3 s on."""
    return answered(film, tmp_path, moment(4.3, 6, 0.5), moment(8, 9.5))


def answered(film: Path, folder: Path, *moments: Moment) -> Path:
    video = probe(film, fingerprint(film), VideoSettings())
    path = folder / "asked.json"
    path.write_text(text(report(*moments, video=video), "json"))
    return path


def test_clips_say_how_early_they_begin(film: Path, asked: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "clips"
    words = ("cut", film, asked, "--out", out)
    run, again, forced = one_by_one(tmp_path, [words, words, (*words, "--force")])
    names = ["a-01-0h00m08s.mp4", "a-02-0h00m04s.mp4"]
    assert [Path(line.partition(": ")[0]).name for line in run.stdout.splitlines()] == names
    assert sorted(each.name for each in out.iterdir()) == names
    late = [line for line in run.stderr.splitlines() if "a-02" in line]
    assert len(late) == 1
    assert late[0].startswith("vmr: a-02-0h00m04s.mp4: begins 0.")
    assert "--exact cuts" in late[0]
    assert (run.returncode, again.returncode, forced.returncode) == (0, 2, 0)
    assert "is there already" in one_line(again)


def test_exact_clips_as_json(film: Path, asked: Path, tmp_path: Path) -> None:
    out = tmp_path / "clips"
    words = ("--out", out, "--exact", "--pad", "0.5", "--limit", "1", "--json")
    run = vmr(tmp_path, "cut", film, asked, *words)
    assert (run.returncode, run.stderr) == (0, "")
    (made,) = json.loads(run.stdout)
    assert made["asked"] == {"start": 7.5, "end": 10.0}
    assert made["span"]["start"] == pytest.approx(7.5, abs=0.021)
    assert (made["exact"], made["made"], made["early"]) == (True, "H.264 and AAC", 0.0)
    with av.open(made["path"]) as box:
        assert {each.type for each in box.streams} == {"video", "audio"}


def test_progress_is_for_a_terminal_and_can_be_left_out(
    film: Path, asked: Path, tmp_path: Path
) -> None:
    words = ("cut", film, asked, "--exact", "--force", "--out", tmp_path / "c")
    code, sent = in_terminal(tmp_path, *words)
    assert code == 0
    assert "cut clips" in sent
    assert "of 0:03" in sent
    code, sent = in_terminal(tmp_path, *words, "-q")
    assert (code, sent.count("\n"), "cut clips" in sent) == (0, 2, False)


def test_another_film_is_not_cut(film: Path, asked: Path, told: Path, tmp_path: Path) -> None:
    other = media.film(tmp_path / "b.mp4", frames=30)
    copy = tmp_path / "another name.mp4"
    copy.write_bytes(film.read_bytes())
    out = tmp_path / "clips"
    wrong = (
        ((other, asked, "--out", out), "is not the film of the report, which was asked of 'a.mp4'"),
        ((tmp_path / "no.mp4", asked, "--out", out), "give a local file"),
        ((tmp_path, asked, "--out", out), "is a folder; give a film"),
        ((film, asked), "Missing option '--out'"),
        ((film, asked, "--out", told), "is no folder for clips"),
        ((film, asked, "--out", "c", "--pad", "-1"), "Invalid value for '--pad'"),
        ((film, asked, "--out", "c", "--pad", "nan"), "--pad"),
        ((film, asked, "--out", "c", "--limit", "0"), "Invalid value for '--limit'"),
        ((film, asked, "--out", "c", "--set", "video.patience=0"), "video.patience: "),
        ((film, film, "--out", "c"), "is no text"),
    )
    runs = one_by_one(tmp_path, [("cut", *words) for words, _ in wrong], cwd=tmp_path)
    for (words, said), run in zip(wrong, runs, strict=True):
        assert run.returncode == 2, (words, run.stderr)
        assert said in one_line(run)
    assert not out.exists()
    assert not (tmp_path / "c").exists()
    run = vmr(tmp_path, "cut", copy, asked, "--out", out, "--limit", "1")  # it has been moved
    assert run.returncode == 0
    assert [each.name for each in out.iterdir()] == ["another name-01-0h00m08s.mp4"]


@pytest.fixture
def told(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_text(text(TWO, "json"))
    return path


def test_where_nothing_was_found_nothing_is_cut(film: Path, asked: Path, tmp_path: Path) -> None:
    (found,) = read(asked.read_text())
    none = tmp_path / "none.json"
    none.write_text(text(report(video=found.video), "json"))
    run = vmr(tmp_path, "cut", film, none, "--out", tmp_path / "clips", "--json")
    assert (run.returncode, json.loads(run.stdout)) == (1, [])
    assert not (tmp_path / "clips").exists()


def test_what_cannot_be_cut_leaves_no_folder(film: Path, tmp_path: Path) -> None:
    late = answered(film, tmp_path, moment(1, 2), moment(4000, 4001))
    run = vmr(tmp_path, "cut", film, late, "--out", tmp_path / "deep" / "clips")
    assert run.returncode == 2
    assert "is behind its end" in one_line(run)
    assert not (tmp_path / "deep").exists()


def half_made(out: Path) -> list[Path]:
    """Parts that something was written to already."""
    return [each for each in out.glob(".vmr-*.part*") if each.stat().st_size]


@pytest.mark.parametrize("number", CODES, ids=lambda each: each.name)
def test_stopped_it_leaves_nothing_half_made(
    number: signal.Signals, demo_film: Path, tmp_path: Path
) -> None:
    long = answered(demo_film, tmp_path, moment(0.5, 130))
    out, home = tmp_path / "clips", tmp_path / "home"
    with started(home, "cut", demo_film, long, "--out", out, "--exact") as run:
        until(lambda: half_made(out))
        began = time.monotonic()
        run.send_signal(number)
        told = run.communicate(timeout=60)
        assert time.monotonic() - began < SOON
    assert (run.returncode, *told) == (CODES[number], "", CUT_SHORT)
    assert not out.exists()
    until(lambda: not at_work(home), SOON)


def test_killed_it_leaves_what_the_next_run_sweeps(
    demo_film: Path, film: Path, tmp_path: Path
) -> None:
    long = answered(demo_film, tmp_path, moment(0.5, 130))
    out, home = tmp_path / "clips", tmp_path / "home"
    with started(home, "cut", demo_film, long, "--out", out, "--exact") as run:
        until(lambda: half_made(out))
        run.kill()
        until(lambda: run.wait() and not at_work(home), SOON)
    (left,) = out.iterdir()
    os.utime(left, (0, 0))  # two seconds ago, or more
    short = answered(film, tmp_path, moment(1, 2))
    assert vmr(home, "cut", film, short, "--out", out).returncode == 0
    assert [each.name for each in out.iterdir()] == ["a-01-0h00m01s.mp4"]


def test_a_clip_that_does_not_fit_on_the_disk(film: Path, asked: Path, tmp_path: Path) -> None:
    """A limit of the shell's is to a process what a full disk is."""
    line = 'ulimit -f 8; exec "$0" -m vmr_agent cut "$@"'
    words = [str(each) for each in (film, asked, "--out", tmp_path / "c")]
    run = subprocess.run(
        ["bash", "-c", line, VMR[0], *words],
        env=environment(tmp_path),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert run.returncode == 3
    assert "cannot be written: File too large; free some room" in one_line(run)
    assert not (tmp_path / "c").exists()
