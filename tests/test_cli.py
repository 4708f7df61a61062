"""The command line as users have it: real processes, their streams and their exit codes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import media
import pytest
from processes import FAKES, VMR, in_terminal, one_line, program, vmr

from vmr_agent import RunReport, VMRAgent, __version__
from vmr_agent.types import Hit

ESCAPE = "\x1b"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture(scope="module")
def known(demo_agent: VMRAgent, demo_film: Path) -> Path:
    """The demo film, its once-per-video half done."""
    demo_agent.index(demo_film)
    return demo_film


# ── calls that cannot work ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["find", "nowhere.mp4", "a cat"], r"nowhere.mp4': No such file or directory"),
        (["find", ".", "a cat"], "give a film"),
        (["find", "empty.mp4", "a cat"], "empty.mp4': cannot be opened"),
        (["find", "text.mp4", "a cat"], "text.mp4': cannot be opened"),
        (["find", "text.mp4", "a cat", "--json"], "text.mp4': cannot be opened"),
        (["find", "text.mp4", "  "], "the query is empty"),
        (["find", "text.mp4", "word " * 5_000], "5000 words, at most 200"),
        (["index", "text.mp4"], "text.mp4': cannot be opened"),
        (["find", "--", "-film.mp4", "a cat"], "-film.mp4': No such file"),
        (["find", "text.mp4", "a", "cat"], "unexpected extra argument(s) (cat); see vmr find"),
        (["find"], "Missing argument 'FILM'; see vmr find --help"),
        (["find", "text.mp4"], "Missing argument 'QUERY'; see vmr find --help"),
        (["find", "text.mp4", "a cat", "--jsn"], "No such option: --jsn"),
        (["fond", "text.mp4", "a cat"], "No such command 'fond'"),
        (["search", "a cat", "--limit", "0"], "--limit"),
        (["search", ""], "the query is empty"),
    ],
)
def test_a_bad_call_is_one_line_and_two(
    home: Path, tmp_path: Path, words: list[str], says: str
) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("no film")
    run = vmr(home, *words, cwd=tmp_path)
    assert says in one_line(run)
    assert run.returncode == 2
    assert not home.exists()


def test_a_bad_call_loads_no_model_library(home: Path, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no film")
    heavy = "dict.fromkeys(('torch', 'chromadb', 'langgraph', 'timm'))"  # None cannot be imported
    lacking = program(f"import sys; sys.modules.update({heavy})")
    for query in ("a cat", ""):
        run = vmr(home, "find", tmp_path / "text.mp4", query, command=lacking)
        assert run.returncode == 2
        one_line(run)


@pytest.mark.parametrize(
    ("setting", "value"), [("VMR_RETRIEVE__TOP_K", "zero"), ("VMR_NONSENSE__X", "1")]
)
def test_a_bad_setting_is_named(home: Path, colours: Path, setting: str, value: str) -> None:
    run = vmr(home, "find", colours, "red", **{setting: value})
    assert one_line(run).startswith(f"{setting}: ")
    assert run.returncode == 2


def test_a_name_with_escape_sequences_does_not_reach_the_terminal(home: Path) -> None:
    run = vmr(home, "find", f"{ESCAPE}]0;owned\x07{ESCAPE}[31m\nnowhere.mp4", "a cat")
    one_line(run)
    assert ESCAPE not in run.stderr
    assert run.returncode == 2


def test_without_words_there_is_help(home: Path) -> None:
    bare, asked = vmr(home), vmr(home, "--help")
    assert (bare.returncode, bare.stdout) == (2, "")
    assert (asked.returncode, asked.stderr) == (0, "")
    assert bare.stderr == asked.stdout
    assert all(name in asked.stdout for name in ("find", "index", "search", "doctor", "Exit codes"))


def test_the_version(home: Path) -> None:
    run = vmr(home, "--version")
    assert (run.returncode, run.stdout, run.stderr) == (0, f"vmr_agent {__version__}\n", "")


def test_the_installed_command_is_the_same_program(home: Path) -> None:
    run = vmr(home, "--version", command=(str(Path(sys.executable).with_name("vmr")),))
    assert (run.returncode, run.stdout) == (0, f"vmr_agent {__version__}\n")


# ── what this machine lacks ───────────────────────────────────────────────────────────────────


def test_a_home_that_cannot_be_written_is_the_machines(colours: Path, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    run = vmr(tmp_path / "home", "find", colours, "red")
    assert "VMR_HOME" in one_line(run)
    assert run.returncode == 3


def test_weights_that_are_not_the_recorded_ones_are_named(colours: Path, new_home: Path) -> None:
    other = program(
        "from vmr_agent.adapters import weights\n"
        "true = weights.FILES['efficientnet-lite2']\n"
        "weights.FILES['efficientnet-lite2'] = true._replace(sha256='ab' * 32)"
    )
    run = vmr(new_home, "find", colours, "red", command=other)
    assert "efficientnet-lite2-9656183e.pth is not the file that was recorded" in one_line(run)
    assert run.returncode == 3
    told = vmr(new_home, "doctor", command=other)
    assert told.returncode == 3
    assert [line for line in told.stdout.splitlines() if line.startswith("✗")] == [
        line for line in told.stdout.splitlines() if "efficientnet-lite2-9656183e.pth" in line
    ]


def test_a_bug_is_not_taken_for_an_honest_none(home: Path, colours: Path) -> None:
    broken = program("import vmr_agent.agent; vmr_agent.agent.probe = lambda *_: 1 / 0")
    run = vmr(home, "find", colours, "red", command=broken)
    assert (run.returncode, run.stdout) == (70, "")
    assert "ZeroDivisionError" in run.stderr


def test_the_doctor_finds_this_machine_healthy(home: Path) -> None:
    run = vmr(home, "doctor")
    assert (run.returncode, run.stderr) == (0, "")
    lines = run.stdout.splitlines()
    assert all(line.startswith(("✓ ", "· ")) for line in lines)
    for wanted in ("python 3", "torch", "device: ", "home: ", "picture, packaged: conse",
                   "speech, packaged: whisper-base", "text, packaged: PP-OCR",
                   "sentences, packaged: ", "SHA-256"):  # fmt: skip
        assert any(wanted in line for line in lines), wanted
    assert str(home) in run.stdout


def test_the_doctor_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    run = vmr(tmp_path / "home", "doctor")
    assert (run.returncode, run.stderr) == (3, "")
    assert run.stdout.splitlines()[-1].startswith(f"✗ home: {tmp_path / 'home'} cannot be written")


# ── answers ───────────────────────────────────────────────────────────────────────────────────


def test_what_is_found_is_a_line_each(new_home: Path, known: Path) -> None:
    run = vmr(new_home, "find", known, "a cat looking around")
    assert (run.returncode, run.stderr) == (0, "")
    head, *moments = run.stdout.splitlines()
    assert head == "'a cat looking around': 3 moments"
    assert len(moments) == 3
    assert all("cat" in line and "%" in line and line == line.rstrip() for line in moments)


def test_json_is_alone_on_stdout(new_home: Path, known: Path) -> None:
    run = vmr(new_home, "find", known, "a cup of coffee on a wooden table", "--json")
    assert (run.returncode, run.stderr) == (0, "")
    report = RunReport.model_validate_json(run.stdout)
    assert (report.status, len(report.moments)) == ("found", 1)
    assert run.stdout.isascii()
    none = vmr(new_home, "find", "--json", known, "a giraffe eating leaves")
    assert (none.returncode, none.stderr) == (1, "")
    assert RunReport.model_validate_json(none.stdout).status == "not_found"


def test_a_search_lists_places(new_home: Path, known: Path) -> None:
    run = vmr(new_home, "search", "a rocket on the launch pad", "--limit", "2", "--json")
    assert (run.returncode, run.stderr) == (0, "")
    first, second = [Hit.model_validate(each) for each in json.loads(run.stdout)]
    assert first.path == second.path == str(known)
    assert 80 <= first.span.start < 94


def test_a_search_on_an_empty_shelf_says_what_is_searched(home: Path) -> None:
    run = vmr(home, "search", "a rocket", command=program(FAKES))
    assert run.returncode == 1
    assert "only films given to" in one_line(run)


@pytest.mark.parametrize(
    "name", ["two words.mkv", "Überfahrt 猫 😀.mkv", "-quiet.mkv", "[red]x.mkv"]
)
def test_films_may_have_any_name(home: Path, tmp_path: Path, name: str) -> None:
    film = media.film(tmp_path / name, frames=20)
    run = vmr(home, "index", "--", name, cwd=tmp_path, command=program(FAKES))
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == f"{film}: 0.8 s, 100% decoded\n"


def test_none_in_half_a_film_is_none_with_a_warning(home: Path, tmp_path: Path) -> None:
    film = media.promising(media.film(tmp_path / "half.mkv", frames=50), 8)
    run = vmr(home, "find", film, "a giraffe", command=program(FAKES))
    assert (run.returncode, run.stderr) == (1, "")
    head, *notes = run.stdout.splitlines()
    assert "not found in the 25% of the picture that could be decoded" in head
    assert "  note: only 25% of the picture could be decoded" in notes
    again = vmr(home, "find", film, "a giraffe", "--json", command=program(FAKES))
    assert again.returncode == 1
    assert RunReport.model_validate_json(again.stdout).status == "partial"


# ── terminals and pipes ───────────────────────────────────────────────────────────────────────


def test_a_terminal_sees_progress_and_a_table(new_home: Path, known: Path) -> None:
    code, sent = in_terminal(new_home, "find", known, "the cat is awake", COLUMNS="70")
    assert code == 0
    assert "━" in sent
    assert "how sure" in sent
    assert f"{ESCAPE}[1m" in sent  # bold
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", sent[sent.rindex("when") :])
    assert all(len(line) <= 70 for line in shown.splitlines())


def test_no_color_and_quiet_leave_only_the_table(new_home: Path, known: Path) -> None:
    code, sent = in_terminal(new_home, "find", "-q", known, "the cat is awake", NO_COLOR="1")
    assert code == 0
    assert "━" not in sent
    assert f"{ESCAPE}[3" not in sent


def test_a_dumb_terminal_is_sent_no_escape(new_home: Path, known: Path) -> None:
    for words in (("find", known, "the cat is awake"), ("doctor", "-q"), ("find", "-h")):
        code, sent = in_terminal(new_home, *words, TERM="dumb")
        assert (code, ESCAPE in sent) == (0, False), words


def test_a_reader_that_leaves_early_is_no_drama(home: Path) -> None:
    long = "import time, vmr_agent.cli.app as app; app.__version__ = 'x' * 999_999; time.sleep(0.3)"
    python, *words = program(long)
    line = '"$0" "$@" --version | head -c 9; exit ${PIPESTATUS[0]}'
    run = vmr(home, *words, command=("bash", "-c", line, python))
    assert (run.returncode, run.stdout, run.stderr) == (141, "vmr_agent", "")


def test_an_answer_that_cannot_be_written_is_told(home: Path) -> None:
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [*VMR, "--version"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert run.returncode == 3
    assert run.stderr == "vmr: the answer cannot be written: No space left on device\n"
