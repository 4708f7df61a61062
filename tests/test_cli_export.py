"""``vmr export`` and ``vmr cut`` as users start them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import media
import pytest
from answered import TWO, moment, report
from processes import FAKES, VMR, environment, in_terminal, one_line, program, vmr

from vmr_agent.export import FORMATS, read, text
from vmr_agent.files import fingerprint
from vmr_agent.limits import VideoSettings
from vmr_agent.playback import probe

EMPTY = report()


@pytest.fixture
def told(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_text(text(TWO, "json"))
    return path


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sound = ((0.0, media.humming(10, 4.5)),)
    return media.film(tmp_path_factory.mktemp("film") / "a.mp4", **media.LONG, sound=sound)


@pytest.fixture
def asked(film: Path, tmp_path: Path) -> Path:
    """What was found in the film: moments from 8 and from 4.3 s on."""
    video = probe(film, fingerprint(film), VideoSettings())
    path = tmp_path / "asked.json"
    path.write_text(text(report(moment(4.3, 6, 0.5), moment(8, 9.5), video=video), "json"))
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_to_a_file_and_to_stdout(name: str, told: Path, tmp_path: Path) -> None:
    out = tmp_path / f"out{FORMATS[name].suffix}"
    run = vmr(tmp_path, "export", told, "--out", out)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert out.read_bytes() == text(TWO, name).encode()
    run = subprocess.run(
        [*VMR, "export", "-", "--to", name],
        input=told.read_bytes(),
        capture_output=True,
        env=environment(tmp_path),
        check=True,
    )
    assert run.stdout == out.read_bytes()


def test_what_find_prints_is_exported_as_the_live_report_is(
    colours: Path, new_home: Path, tmp_path: Path
) -> None:
    run = vmr(new_home, "find", colours, "red", "--json", command=program(FAKES))
    answer = tmp_path / "answer.json"
    answer.write_text(run.stdout)
    (live,) = read(run.stdout)
    assert live.moments
    for name in ("csv", "edl", "jsonl", "vtt"):
        run = vmr(tmp_path, "export", answer, "--to", name)
        assert run.returncode == 0
        assert run.stdout.replace("\n", "") == text(live, name).replace("\r", "").replace("\n", "")


def test_several_reports_make_one_file(told: Path, tmp_path: Path) -> None:
    none = tmp_path / "none.json"
    none.write_text(text(EMPTY, "json"))
    run = vmr(tmp_path, "export", told, none, "--to", "jsonl")
    assert [json.loads(line)["qid"] for line in run.stdout.splitlines()] == [1, 2]
    assert run.stderr == "vmr: 'a dog runs': nothing was found; there is no moment in the jsonl\n"
    run = vmr(tmp_path, "export", told, none, "--to", "srt")
    assert run.returncode == 2
    assert "takes one report, not 2" in one_line(run)


def test_wrong_calls_are_one_line(told: Path, tmp_path: Path) -> None:
    (tmp_path / "there.srt").write_text("before")
    (tmp_path / "film.json").write_bytes(b"\xff\xd8\xff\xe0")
    for words, said in (
        ((told,), "say which format"),
        ((told, "--out", "a.doc"), "does not say which format: end it in"),
        ((told, "--to", "doc"), "Invalid value for '--to'"),
        ((tmp_path / "no.json", "--to", "srt"), "No such file or directory; give what vmr find"),
        ((tmp_path, "--to", "srt"), "Is a directory; give what vmr find"),
        ((tmp_path / "film.json", "--to", "srt"), "is no text"),
        ((told, "--out", tmp_path / "there.srt"), "is there already: name another, or add --force"),
        ((told, "--out", tmp_path / "no" / "a.srt"), "there is no folder"),
        (("a\nb.json", "--to", "srt"), "No such file"),
    ):
        run = vmr(tmp_path, "export", *words, cwd=tmp_path)
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
    path = tmp_path / "r.json"
    path.write_text(
        text(report(moment(1, 2, note="\x1b[31mred\x07"), query="\x1b]0;x\x07"), "json")
    )
    for name in FORMATS:
        _, sent = in_terminal(tmp_path, "export", path, "--to", name)
        assert "\x1b[31m" not in sent
        assert "\x1b]0;" not in sent
        assert "\x07" not in sent


def test_clips_say_how_early_they_begin(film: Path, asked: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "clips"
    run = vmr(tmp_path, "cut", film, asked, "--out", out)
    assert run.returncode == 0
    names = ["a-01-0h00m08s.mp4", "a-02-0h00m04s.mp4"]
    assert [Path(line.partition(": ")[0]).name for line in run.stdout.splitlines()] == names
    assert sorted(each.name for each in out.iterdir()) == names
    lines = run.stderr.splitlines()
    assert any(
        line.startswith("vmr: a-02-0h00m04s.mp4: begins 0.") and "--exact cuts" in line
        for line in lines
    )
    run = vmr(tmp_path, "cut", film, asked, "--out", out)
    assert run.returncode == 2
    assert "is there already" in one_line(run)
    assert vmr(tmp_path, "cut", film, asked, "--out", out, "--force").returncode == 0


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


def test_another_film_is_not_cut(film: Path, asked: Path, tmp_path: Path) -> None:
    other = media.film(tmp_path / "b.mp4", frames=30)
    out = tmp_path / "clips"
    for path, said in (
        (other, "is not the film of the report, which was asked of 'a.mp4'"),
        (tmp_path / "no.mp4", "give a local file"),
        (tmp_path, "is a folder; give a film"),
    ):
        run = vmr(tmp_path, "cut", path, asked, "--out", out)
        assert run.returncode == 2
        assert said in one_line(run)
    assert not out.exists()
    copy = tmp_path / "another name.mp4"
    copy.write_bytes(film.read_bytes())
    assert vmr(tmp_path, "cut", copy, asked, "--out", out, "--limit", "1").returncode == 0
    assert [each.name for each in out.iterdir()] == ["another name-01-0h00m08s.mp4"]


def test_where_nothing_was_found_nothing_is_cut(film: Path, asked: Path, tmp_path: Path) -> None:
    (found,) = read(asked.read_text())
    none = tmp_path / "none.json"
    none.write_text(text(report(video=found.video), "json"))
    run = vmr(tmp_path, "cut", film, none, "--out", tmp_path / "clips", "--json")
    assert (run.returncode, json.loads(run.stdout)) == (1, [])
    assert not (tmp_path / "clips").exists()


def test_wrong_cuts_are_one_line(film: Path, asked: Path, told: Path, tmp_path: Path) -> None:
    for words, said in (
        ((film, asked), "Missing option '--out'"),
        ((film, asked, "--out", told), "is no folder for clips"),
        ((film, asked, "--out", "c", "--pad", "-1"), "Invalid value for '--pad'"),
        ((film, asked, "--out", "c", "--pad", "nan"), "--pad"),
        ((film, asked, "--out", "c", "--limit", "0"), "Invalid value for '--limit'"),
        ((film, film, "--out", "c"), "is no text"),
    ):
        run = vmr(tmp_path, "cut", *words, cwd=tmp_path)
        assert run.returncode == 2, (words, run.stderr)
        assert said in one_line(run)
    assert not (tmp_path / "c").exists()


def test_what_a_killed_process_left_is_swept_away(told: Path, tmp_path: Path) -> None:
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                          capture_output=True, check=True).stdout.decode().strip()  # fmt: skip
    old, fresh, ours = (
        tmp_path / f".vmr-{number}-{name}.part.mp4"
        for number, name in ((gone, 1), (gone, 2), (os.getpid(), 3))
    )
    for path in (old, fresh, ours):
        path.touch()
    for path in (old, ours):
        os.utime(path, (0, 0))
    assert vmr(tmp_path, "export", told, "--out", tmp_path / "a.srt").returncode == 0
    assert sorted(tmp_path.glob(".vmr-*")) == sorted((fresh, ours))
