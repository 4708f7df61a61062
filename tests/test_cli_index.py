"""``vmr index``: many films, what is shelved of them, and forgetting it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import media
import pytest
from processes import FAKES, in_terminal, one_line, program, vmr

from vmr_agent import RunReport, VMRAgent
from vmr_agent.artefacts import Shelved
from vmr_agent.cli.board import Board, Stage
from vmr_agent.cli.options import Profile
from vmr_agent.events import Progress
from vmr_agent.settings import PROFILES
from vmr_agent.show import amount, inventory

FAKED = program(FAKES)
SLOW = (
    "import time; from vmr_agent.testing import ColourEncoder; look = ColourEncoder.look\n"
    "ColourEncoder.look = lambda *a: time.sleep(1) or look(*a)"
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A folder: two films to be found, of 1 and 2 s, and what is not to be."""
    folder = tmp_path / "films"
    for name in ("deep/er", ".hidden", "empty"):
        (folder / name).mkdir(parents=True)
    media.film(folder / "b.MKV", frames=25)
    media.film(folder / "deep/er/a.mp4", frames=50)
    for name in (".hidden/c.mp4", ".d.mp4", "notes.txt", "deep/mp4", "bare.m2v"):
        (folder / name).write_text("no film")
    (folder / "deep/er/up").symlink_to(folder)
    return folder


def kept(home: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in home.glob("shelf/*/*") if path.is_file()}


# ── many films ────────────────────────────────────────────────────────────────────────────────


def test_films_in_folders_are_found_in_order(home: Path, films: Path) -> None:
    run = vmr(home, "index", films, command=FAKED)
    lines = [f"{films}/{name} s, 100% decoded\n" for name in ("b.MKV: 1.0", "deep/er/a.mp4: 2.0")]
    assert (run.returncode, run.stdout) == (0, "".join(lines))
    assert run.stderr == "vmr: 2 of 2 films indexed\n"


def test_what_is_shelved_already_costs_nothing(home: Path, films: Path) -> None:
    vmr(home, "index", films, command=FAKED)
    before = kept(home)
    blind = "import vmr_agent.playback; vmr_agent.playback.served = None"
    run = vmr(home, "index", films, films / "b.MKV", command=program(FAKES, blind))
    assert run.returncode == 0
    assert [line.partition(": ")[2] for line in run.stdout.splitlines()] == [
        "1.0 s, 100% decoded, shelved already",
        "2.0 s, 100% decoded, shelved already",
    ]
    assert run.stderr == "vmr: 0 of 2 films indexed, 2 shelved already\n"
    assert kept(home) == before


def test_json_is_a_line_for_each_film(home: Path, films: Path) -> None:
    (films / "c.mp4").write_text("no film")
    run = vmr(home, "index", films, "--json", "-q", command=FAKED)
    first, broken, last = map(json.loads, run.stdout.splitlines())
    assert run.returncode == 2
    assert (first["path"], first["already"]) == (str(films / "b.MKV"), False)
    assert (last["video"]["path"], last["video"]["duration"]) == (last["path"], 2.0)
    assert broken["exit_code"] == 2
    assert run.stderr == f"vmr: {broken['error']}\n"


def test_a_film_that_fails_does_not_stop_the_others(home: Path, films: Path) -> None:
    (films / "a.mp4").write_text("no film")
    run = vmr(home, "index", films / "nowhere.mkv", films, films / "empty", command=FAKED)
    assert run.returncode == 2
    assert [line.split(": ")[0] for line in run.stdout.splitlines()] == [
        str(films / "b.MKV"),
        str(films / "deep/er/a.mp4"),
    ]
    missing, broken, none, summary = run.stderr.splitlines()
    assert missing.startswith(f"vmr: '{films}/nowhere.mkv': No such file")
    assert broken.startswith(f"vmr: '{films}/a.mp4': cannot be opened")
    assert none == f"vmr: '{films}/empty': there is no film in this folder"
    assert summary == "vmr: 2 of 5 films indexed, 3 failed"


def test_a_film_that_vanishes_at_work_does_not_stop_the_others(home: Path, films: Path) -> None:
    first = films / "b.MKV"
    gone = (
        "from pathlib import Path; from vmr_agent.testing import ColourEncoder\n"
        f"look, film = ColourEncoder.look, Path({str(first)!r})\n"
        "ColourEncoder.look = lambda *a: film.unlink(missing_ok=True) or look(*a)"
    )
    run = vmr(home, "index", films, command=program(FAKES, gone))
    assert run.returncode == 2
    assert run.stdout == f"{films}/deep/er/a.mp4: 2.0 s, 100% decoded\n"
    missing, summary = run.stderr.splitlines()
    assert missing.startswith(f"vmr: '{first}': No such file")
    assert summary == "vmr: 1 of 2 films indexed, 1 failed"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["{films}/empty"], "empty': there is no film in this folder"),
        ([""], "'': "),
        ([], "Missing argument 'PATH'; see vmr index --help"),
        (["--forget"], "Missing argument 'PATH'; see vmr index --help"),
        (["--status", "{films}"], "--status stands alone; see vmr index --help"),
        (["--status", "--forget"], "--status stands alone"),
        (["--jobs", "0", "{films}"], "--jobs"),
        (["--profile", "lax", "{films}"], "'lax' is not one of 'full', 'balanced', 'lean'"),
        (["{films}/" + "a" * 300], "File name too long; give a local file"),
        (["https://example.org/film.mp4"], "an address is not fetched unless"),
    ],
)
def test_a_bad_call_is_one_line_and_two(
    home: Path, films: Path, words: list[str], says: str
) -> None:
    run = vmr(home, "index", *(word.format(films=films) for word in words), command=FAKED)
    assert says in one_line(run)
    assert run.returncode == 2


@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_what_would_fail_for_all_stops_at_once(home: Path, films: Path, jobs: str) -> None:
    lacking = (
        "import time; from vmr_agent.errors import WeightsError\n"
        "from vmr_agent.testing import ColourEncoder\n"
        "def look(self, images):\n"
        "    if len(images) > 10: time.sleep(100)\n"
        "    raise WeightsError('there are no weights')\n"
        "ColourEncoder.look = look"
    )
    run = vmr(home, "index", films, "--jobs", jobs, command=program(FAKES, lacking))
    assert one_line(run) == "there are no weights"
    assert run.returncode == 3


def test_jobs_are_films_at_work_at_once(home: Path, films: Path) -> None:
    together = (
        "import threading; from vmr_agent.testing import ColourEncoder\n"
        "look, both = ColourEncoder.look, threading.Barrier(2, timeout=60)\n"
        "ColourEncoder.look = lambda *a: both.wait() and None or look(*a)"
    )
    run = vmr(home, "index", films, "--jobs", "2", command=program(FAKES, together))
    assert run.returncode == 0
    assert len(run.stdout.splitlines()) == 2


@pytest.mark.slow
def test_one_film_under_two_names_is_worked_on_once(home: Path, films: Path) -> None:
    (films / "twin.mp4").write_bytes((films / "deep/er/a.mp4").read_bytes())
    run = vmr(home, "index", films, "--jobs", "3", "--json", command=program(FAKES, SLOW))
    assert (run.returncode, len(run.stdout.splitlines())) == (0, 3)
    assert len(list(home.glob("shelf/*/entry-*.npz"))) == 2


@pytest.mark.slow
def test_a_profile_is_said_by_option_or_by_setting(home: Path, films: Path) -> None:
    assert get_args(get_args(get_args(Profile)[0])[0]) == tuple(PROFILES)
    told = (
        "import vmr_agent.agent; from vmr_agent.errors import SettingsError\n"
        "def build_toolbox(s): raise SettingsError(f'{s.profile}, {s.strip.fps:g}')\n"
        "vmr_agent.agent.build_toolbox = build_toolbox"
    )
    for words, wanted in (
        (["index", films], "balanced, 3"),
        (["index", films, "--profile", "lean"], "lean, 3"),
        (["find", films / "b.MKV", "red", "--profile", "lean"], "lean, 3"),
    ):
        settings = {"VMR_PROFILE": "balanced", "VMR_STRIP__FPS": "3"}
        run = vmr(home, *words, command=program(told), **settings)
        assert (one_line(run), run.returncode) == (wanted, 2)


# ── terminals ─────────────────────────────────────────────────────────────────────────────────


def test_a_terminal_sees_every_stage(home: Path, films: Path) -> None:
    (films / "c.mp4").write_text("no film")
    code, sent = in_terminal(home, "index", films, command=program(FAKES, SLOW))
    assert code == 2
    for wanted in ("watch picture", "describe picture", "0:01 of 0:01", "1 of 3 films done"):
        assert wanted in sent, wanted
    assert sent.count("\x1b[?25l") == sent.count("\x1b[?25h")  # the cursor is there again
    erased = r"(?:\r|\x1b\[2K|\x1b\[1A)*"
    told = re.split(rf"\x1b\[\?25h{erased}", sent)[1:]  # what was said with the board put aside
    first, broken, last, summary = (part.splitlines()[0] for part in told)
    assert first == f"{films}/b.MKV: 1.0 s, 100% decoded"
    assert f"{films}/c.mp4': cannot be opened" in broken
    assert last == f"{films}/deep/er/a.mp4: 2.0 s, 100% decoded"
    assert summary == "vmr: 2 of 3 films indexed, 1 failed"
    drawn = re.findall(rf"\x1b\[\?25l({erased})", sent)
    assert not any("1A" in up for up in drawn), "the board is drawn over what was said"


@pytest.mark.slow
def test_quiet_is_quiet(home: Path, films: Path) -> None:
    code, sent = in_terminal(home, "index", films, "-q", command=FAKED)
    assert code == 0
    assert "\x1b" not in sent
    assert len(sent.splitlines()) == 2


def test_a_stage_knows_its_speed_and_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("vmr_agent.cli.board.time.monotonic", lambda: now[0])
    stage = Stage(first=60, began=100)  # as when a run goes on
    stage.move(60, 600)
    assert (stage.speed, stage.left) == (0, None)
    now[0] += 10
    stage.move(180, 600)
    assert (stage.speed, stage.left) == (12, 35)
    now[0] += 5
    assert stage.left == 30
    stage.move(600, 600)
    assert stage.left is None


def test_films_over_leave_the_board() -> None:
    board = Board(films=2)
    for path in ("/f/a.mp4", "/f/[b].mp4"):
        board.watch(Progress("transcribe", 0.0, 10.0, path))
    board.over("/f/a.mp4")
    cells = [str(cell) for cell in board.__rich__().columns[0].cells]
    assert cells == ["[b].mp4", "  hear speech", "1 of 2 films done"]


# ── what is shelved ───────────────────────────────────────────────────────────────────────────


def test_the_status_has_sizes_and_versions(
    new_home: Path, demo_agent: VMRAgent, demo_film: Path
) -> None:
    known = demo_agent.index(demo_film).fingerprint
    run = vmr(new_home, "index", "--status", "--json")
    assert (run.returncode, run.stderr) == (0, "")
    (about,) = [e for e in json.loads(run.stdout) if e["fingerprint"] == known]
    film = Shelved.model_validate({k: about[k] for k in Shelved.model_fields})
    assert film.video is not None
    # Other tests may have asked a copy of it first.
    assert Path(film.video.path).read_bytes() == demo_film.read_bytes()
    assert (film.ready, about["profiles"]) == (True, ["full"])
    files = list((new_home / "shelf" / film.fingerprint).rglob("*.npz"))
    assert about["bytes"] == sum(film.sizes.values()) == sum(p.stat().st_size for p in files)
    assert film.sizes["strip"] > film.sizes["vectors"] > film.sizes["footage"] > 0
    lean = vmr(new_home, "index", "--status", "--profile", "lean")
    line = next(line for line in lean.stdout.splitlines() if line.startswith(film.video.path))
    assert f": 2:11.0, not ready (full), version {film.version}, " in line
    assert f"strip {amount(film.sizes['strip'])}" in line
    assert re.fullmatch(r"\d+ films?, [\d.]+ MB", lean.stdout.splitlines()[-1])


@pytest.mark.slow
def test_the_status_in_a_terminal_is_a_table(home: Path, films: Path) -> None:
    vmr(home, "index", films, command=FAKED)
    code, sent = in_terminal(home, "index", "--status", command=FAKED)
    assert code == 0
    for wanted in ("length", "strip", "b.MKV", "0:02.0", "2 films, "):
        assert wanted in sent, wanted


def test_an_empty_shelf_is_no_films(home: Path) -> None:
    assert vmr(home, "index", "--status", command=FAKED).stdout == "0 films, 0 B\n"
    assert vmr(home, "index", "--status", "--json", command=FAKED).stdout == "[]\n"


def test_what_a_film_is_called_gives_no_orders() -> None:
    about = media_less("/f/\x1b[2J\n[red]x.mp4")
    assert "\x1b" not in inventory([about], {"f": []})
    assert inventory([about], {"f": []}).count("\n") == 2


def media_less(path: str) -> Shelved:
    video = {"path": path, "fingerprint": "f", "duration": 1, "has_picture": 1, "has_audio": 0}
    return Shelved.model_validate(
        {"fingerprint": "f", "video": video, "ready": False, "version": "", "sizes": {"speech": 9}}
    )


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (412_345_678, "412.3 MB"),
        (10**12, "1000.0 GB"),
    ],
)
def test_amounts(size: int, shown: str) -> None:
    assert amount(size) == shown


def test_forgetting_drops_what_is_shelved_and_nothing_else(home: Path, films: Path) -> None:
    one, two = films / "b.MKV", films / "deep/er/a.mp4"
    content = two.read_bytes()
    vmr(home, "index", films, command=FAKED)
    told = json.loads(vmr(home, "index", "--status", "--json", command=FAKED).stdout)
    marks = {each["video"]["path"]: each["fingerprint"] for each in told}
    run = vmr(home, "index", "--forget", two, "nothing", command=FAKED)
    assert (run.returncode, run.stderr.count("\n")) == (1, 1)
    assert run.stderr.startswith("vmr: 'nothing': nothing of it is shelved")
    assert re.fullmatch(rf"{re.escape(str(two))}: [\d.]+ kB dropped\n", run.stdout)
    assert [path.name for path in (home / "shelf").iterdir()] == [marks[str(one)]]
    assert two.read_bytes() == content
    again = vmr(home, "index", "--forget", two, command=FAKED)
    assert (again.returncode, again.stdout) == (1, "")
    gone = vmr(home, "index", "--forget", marks[str(one)], "--json", command=FAKED)
    assert gone.returncode == 0
    assert [each["video"]["path"] for each in json.loads(gone.stdout)] == [str(one)]
    assert not list((home / "shelf").iterdir())


@pytest.mark.slow
def test_a_film_that_is_gone_can_be_forgotten_by_its_place(home: Path, films: Path) -> None:
    vmr(home, "index", films, command=FAKED)
    (films / "b.MKV").unlink()
    run = vmr(home, "index", "--forget", films / "b.MKV", command=FAKED)
    assert run.returncode == 0
    assert len(list((home / "shelf").iterdir())) == 1


def test_a_film_that_was_forgotten_is_found_again(home: Path, colours: Path) -> None:
    for _ in range(2):
        run = vmr(home, "find", colours, "red", "--json", command=FAKED)
        assert len(RunReport.model_validate_json(run.stdout).moments) == 2
        assert vmr(home, "index", "--forget", colours, command=FAKED).returncode == 0
