"""A nasty user at every command: one line that says what to do, an exit code, nothing left."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from processes import VMR, environment, one_line, vmr

from vmr_agent.chosen import chosen, names
from vmr_agent.errors import SettingsError

WHOLE = ("score", "t.txt", "--dataset", "qvhighlights", "--ground-truth")
TRAIN = ("train", "ground", "--data")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    here = tmp_path / "here"
    (here / "folder").mkdir(parents=True)
    (here / "empty.mp4").touch()
    (here / "t.txt").write_text("no film, and no JSON")
    (here / "b.jsonl").write_bytes(b"\xff\xfe")
    return here


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("find", "t.txt", "x", "--set", "verify.accept=7"), 2, "verify.accept: "),
        (("find", "t.txt", "x", "--set", "verify.accept"), 2, "is not SETTING=VALUE"),
        (("find", "t.txt", "x", "--set", "=3"), 2, "is not SETTING=VALUE"),
        (("find", "t.txt", "x", "--set", "verify=3"), 2, "set one of them, like verify.accept="),
        (("find", "t.txt", "x", "--set", "nonsense.x=3"), 2, "there is no such setting"),
        (("find", "t.txt", "x", "--set", "strip.fps=" + "[" * 9_000), 2, "strip.fps: "),
        (("find", "t.txt", "x", "--set", "models.encoder=x"), 2, "t.txt': cannot be opened"),
        (("find", "t.txt", "x", "--set", "home=t.txt/x"), 2, "t.txt': cannot be opened"),
        (("find", "t.txt", "x", "--profile", "huge"), 2, "'huge' is not one of 'full'"),
        (("find", "", "x"), 2, "give a film"),
        (("find", "folder", "x"), 2, "give a film"),
        (("search", "x", "--limit", "none"), 2, "'--limit'"),
        (("search", " "), 2, "the query is empty"),
        (("index",), 2, "Missing argument 'PATH'"),
        (("index", "folder"), 2, "there is no film in this folder"),
        (("index", "--status", "t.txt"), 2, "--status stands alone"),
        (("index", "t.txt", "--jobs", "0"), 2, "'--jobs'"),
        ((*WHOLE, "t.txt"), 2, "t.txt:1 is not VIDEO start end##sentence"),
        ((*WHOLE, "b.jsonl"), 2, "b.jsonl:1 is no UTF-8"),
        ((*WHOLE, "folder"), 2, "'folder' is a folder"),
        ((*WHOLE, "nowhere"), 2, "nowhere"),
        ((*TRAIN, "simulated:x", "--out", "out"), 2, "say simulated:N"),
        ((*TRAIN, "b.jsonl", "--licence", "x", "--out", "out"), 2, "no text in UTF-8"),
        ((*TRAIN, "simulated:40", "--out", "t.txt"), 2, "give --out a folder"),
        ((*TRAIN, "simulated:40", "--out", "out", "--free", "a"), 2, "go together"),
        (("demo", "extra"), 2, "unexpected extra argument"),
        (("demo", "--set", "models.encoder=x"), 2, "use auto, concepts or open_clip:"),
        (("doctor", "extra"), 2, "unexpected extra argument"),
        (("eval",), 2, "Missing argument 'WHAT'. Choose from: run, report"),
        (("eval", "nope"), 2, "'nope' is not one of 'run'"),
        (("completion",), 2, "Choose from: bash, zsh, fish"),
    ],
)
def test_a_bad_call_is_one_line(
    tmp_path: Path, folder: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    before = sorted(folder.rglob("*"))
    run = vmr(tmp_path / "home", *words, cwd=folder)
    told = one_line(run)
    assert says in told
    assert len(told) < 300
    assert "Value error" not in told
    assert run.returncode == code
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        pytest.param(("doctor", "--json"), marks=pytest.mark.slow),
        ("completion", "bash"),
    ],
)
def test_streams_that_are_full_or_closed(tmp_path: Path, words: tuple[str, ...]) -> None:
    def run(tail: str) -> subprocess.CompletedProcess[str]:
        line = f'"$0" -m vmr_agent {" ".join(words)} {tail}'
        return subprocess.run(
            ["bash", "-c", line, VMR[0]],
            env=environment(tmp_path / "home"),
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    full = run(">/dev/full")
    assert (full.returncode, full.stderr.count("\n")) == (3, 1)
    assert "No space left on device" in full.stderr
    assert run(">&-").returncode == 0
    assert run("2>&- >/dev/null").returncode == 0


def test_colours_are_of_each_stream(tmp_path: Path) -> None:
    """stdout into a pipe has none, whatever stderr is."""
    run = vmr(tmp_path / "home", "doctor")
    assert "\x1b" not in run.stdout + run.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_home_that_may_only_be_read(tmp_path: Path, colours: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    run = vmr(home, "find", colours, "red")
    assert "VMR_HOME" in one_line(run)
    assert run.returncode == 3


# ── settings in words ─────────────────────────────────────────────────────────────────────────


def test_what_is_set_wins_over_environment_and_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMR_VERIFY__ACCEPT", "0.9")
    monkeypatch.setenv("VMR_VERIFY__MOST", "3")
    found = chosen(["profile=lean", "verify.accept=0.6", "strip.fps=1.5", "verify.accept=0.7"])
    assert (found.profile, found.verify.accept, found.verify.most) == ("lean", 0.7, 3)
    assert (found.strip.fps, found.models.whisper) == (1.5, "packaged-tiny")
    assert chosen(["models.language=null"]).models.language is None
    assert chosen(["retrieve.smooth=[3, 1]"]).retrieve.smooth == (3.0, 1.0)


def test_every_name_can_be_set_and_none_is_missing() -> None:
    listed = list(names())
    assert len(listed) == len(set(listed)) > 80
    for name in set(listed) - {"chat.prices"}:  # which is a dictionary
        with pytest.raises(SettingsError, match=f"^{name}[:.]"):
            chosen([f'{name}={{"no": "such thing"}}'])
    with pytest.raises(SettingsError, match="there is no such setting"):
        chosen(["verify.acept=1"])


def test_what_may_be_a_key_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        chosen(["chat.deadline=sk-secret"])
    assert "sk-secret" not in str(caught.value)
    with pytest.raises(SettingsError, match=r"verify.most: .*, not 'x'"):
        chosen(["verify.most=x"])
