"""However it is broken off, it ends within two seconds, and nothing that was finished is lost."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from processes import (
    BESIDE,
    FAKES,
    VMR,
    at_work,
    environment,
    in_terminal,
    program,
    started,
    until,
    vmr,
)

from vmr_agent import VMRAgent
from vmr_agent.library import Shelf
from vmr_agent.testing import colour_toolbox

SOON = 2.0 * BESIDE  # seconds
STOPPED = "vmr: stopped; what was finished is kept, run it again to go on\n"
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
both = pytest.mark.parametrize(
    "number",
    [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)],
    ids=["SIGINT", "SIGTERM"],
)

GUARD = "from vmr_agent.cli.guard import guard; guard()"  # as vmr does, before anything is imported
# As when a library is loaded: it comes back to Python after a minute, and lets nobody else run.
HOLD = "import ctypes; ctypes.PyDLL(None).sleep(60)"
LOOK = "from vmr_agent.testing import ColourEncoder\nColourEncoder.look = lambda *_: "
LOADING = f"import ctypes\n{LOOK}ctypes.PyDLL(None).sleep(60)"
AT_WORK = f"import time\n{LOOK}time.sleep(60)"
MUTE = (  # a decoder that hangs, and does not notice that its caller is gone
    "import subprocess; popen = subprocess.Popen\n"
    "subprocess.Popen = lambda words, **how: popen(['/bin/sleep', '60'], **how)"
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def kept(home: Path) -> dict[Path, int]:
    """What is shelved, each whole, and when it was written."""
    files = list(home.glob("shelf/*/**/*.npz"))
    for path in files:
        with np.load(path) as file:
            assert "record" in file.files
    return {path: path.stat().st_mtime_ns for path in files}


def ended(run: subprocess.Popen[str], number: signal.Signals, home: Path) -> None:
    """Strikes, and sees that it ends as it should."""
    assert run.poll() is None
    began = time.monotonic()
    run.send_signal(number)
    out, err = run.communicate(timeout=60)
    assert time.monotonic() - began < SOON
    assert (run.returncode, out, err) == (CODES[number], "", STOPPED)
    until(lambda: not at_work(home), SOON)


# ── the command line ──────────────────────────────────────────────────────────────────────────


@both
@pytest.mark.parametrize("busy", [LOADING, AT_WORK], ids=["loading", "at-work"])
def test_a_signal_ends_a_room_and_the_next_run_goes_on(
    home: Path, colours: Path, busy: str, number: signal.Signals
) -> None:
    with started(home, "find", colours, "red", command=program(FAKES, busy)) as run:
        until(lambda: list(home.glob("shelf/*/footage-*.pieces/*.npz")))
        time.sleep(0.5)
        ended(run, number, home)
    before = kept(home)
    assert before
    again = vmr(home, "find", colours, "red", command=program(FAKES))
    assert (again.returncode, again.stderr) == (0, "")
    assert "'red': 2 moments" in again.stdout
    assert before.items() <= kept(home).items()


@both
def test_a_signal_ends_it_before_it_has_begun(home: Path, number: signal.Signals) -> None:
    with started(home, "--version", command=program(GUARD, HOLD)) as run:
        until(lambda: len(at_work(home)) == 2)
        ended(run, number, home)
    assert not kept(home)


@both
def test_a_signal_ends_a_decoder_that_says_nothing(
    home: Path, colours: Path, number: signal.Signals
) -> None:
    with started(home, "index", colours, command=program(FAKES, MUTE)) as run:
        until(lambda: any(words.startswith("/bin/sleep") for words in at_work(home)))
        ended(run, number, home)
    assert not at_work(home)


@both
def test_a_signal_ends_the_waiting_for_another_process(
    home: Path, colours: Path, number: signal.Signals
) -> None:
    shelf = Shelf(home)
    waiting = started(home, "index", colours, command=program(FAKES))
    with shelf.alone(shelf.fingerprint(colours)), waiting as run:
        until(lambda: list(home.glob("shelf/*/probe-*.npz")))
        time.sleep(0.5)
        ended(run, number, home)
    assert vmr(home, "index", colours, command=program(FAKES)).returncode == 0


@both
def test_a_signal_ends_whisper_and_decoders(
    weights_home: Path, tmp_path: Path, demo_film: Path, number: signal.Signals
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "weights").symlink_to(weights_home / "weights")
    with started(home, "index", demo_film) as run:
        until(lambda: list(home.glob("shelf/*/sounds-*")), 150)  # what Whisper is given is there
        time.sleep(2)
        ended(run, number, home)
    assert kept(home)


@pytest.mark.slow
def test_every_instant_will_do(home: Path, colours: Path) -> None:
    for number, after in zip(list(CODES) * 3, (0, 0.2, 0.5, 0.9, 1.4, 2.0), strict=True):
        command = program(GUARD, FAKES, AT_WORK)
        with started(home, "find", colours, "red", command=command) as run:
            until(lambda: len(at_work(home)) > 1)
            time.sleep(after)
            ended(run, number, home)
        assert not at_work(home)


def test_the_keyboard_leaves_a_tidy_terminal(home: Path, colours: Path) -> None:
    code, sent = in_terminal(
        home,
        "index",
        colours,
        command=program(FAKES, AT_WORK),
        press=lambda sent: b"\x03" if "watch" in sent and "^C" not in sent else b"",
    )
    assert code == 130
    assert "Traceback" not in sent
    assert sent.endswith(f"\x1b[?25h\n{STOPPED}".replace("\n", "\r\n"))


@pytest.mark.slow
def test_what_was_told_to_ignore_the_keyboard_does(home: Path, colours: Path) -> None:
    slow = f"import time; from vmr_agent.testing import ColourEncoder as E; look = E.look\n{LOOK}"
    with started(
        home,
        "index",
        colours,
        command=program(FAKES, f"{slow}time.sleep(2) or look(*_)"),
        before=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    ) as run:
        until(lambda: list(home.glob("shelf/*/footage-*.pieces/*.npz")))
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=60)
    assert (run.returncode, err) == (0, "")
    assert "100% decoded" in out


def test_whoever_kills_it_kills_all_of_it(home: Path, colours: Path) -> None:
    with started(home, "index", colours, command=program(FAKES, AT_WORK)) as run:
        until(lambda: list(home.glob("shelf/*/footage-*.pieces/*.npz")))
        run.kill()
        until(lambda: run.wait() and not at_work(home), SOON)
        assert run.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("number", "code", "says"),
    [
        (signal.SIGKILL, 3, "vmr: killed, perhaps for want of memory; what was finished is kept"),
        (signal.SIGSEGV, 70, "vmr: crashed (SIGSEGV); this is a bug"),
        (signal.SIGTERM, 143, STOPPED),
    ],
)
def test_a_child_that_dies_is_told(
    home: Path, number: signal.Signals, code: int, says: str
) -> None:
    die = f"import os; os.kill(os.getpid(), {number:d})"
    run = vmr(home, "--version", command=program(GUARD, die))
    assert (run.returncode, run.stdout) == (code, "")
    assert run.stderr.startswith(says)


# ── in Python ─────────────────────────────────────────────────────────────────────────────────

CALL = """
import os, signal, sys, threading, time
from contextlib import suppress
from pathlib import Path
from vmr_agent import Settings, VMRAgent
from vmr_agent.testing import colour_toolbox

home, film, how = sys.argv[1:]
signal.signal(signal.SIGINT, signal.default_int_handler)
struck = []

def strike(after):
    time.sleep(after)
    struck.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)

def soon(after):
    threading.Thread(target=strike, args=(after,), daemon=True).start()

def watch(event):
    if event.room == how.split()[0] and not watch.seen:
        watch.seen = True
        soon(float(how.split()[1]))
watch.seen = False

def children():
    found = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # a thread may have ended meanwhile
            found += (task / "children").read_text().split()
    return found

{agent}
try:
    {call}
except KeyboardInterrupt:
    print(time.monotonic() - struck[0], len(children()))
    {after}
    sys.stdout.flush()
    os._exit(0)
"""
# While a library is being loaded Python can break nothing off: here they are loaded before.
LIBRARIES = "import ctranslate2, faster_whisper, onnxruntime, torch"
REAL = f"{LIBRARIES}; agent = VMRAgent(Settings(home=home), progress=watch)"
FAKED = "agent = VMRAgent(toolbox=colour_toolbox(Path(home)), progress=watch)"


def interrupted(
    home: Path, film: Path, how: str, agent: str, call: str = "agent.index(film)", after: str = ""
) -> list[str]:
    """What the caller prints once it has the KeyboardInterrupt, which must be soon."""
    script = CALL.format(agent=agent, call=call, after=after)
    run = subprocess.run(
        [sys.executable, "-c", script, str(home), str(film), how],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert run.stderr == ""
    told, *rest = run.stdout.splitlines()
    seconds, left = told.split()
    assert float(seconds) < SOON
    assert left == "0"
    return rest


@pytest.mark.slow
@pytest.mark.parametrize("how", ["detect_shots 0", "transcribe 3"])
def test_the_caller_is_interrupted_soon(
    weights_home: Path, tmp_path: Path, demo_film: Path, how: str
) -> None:
    (tmp_path / "weights").symlink_to(weights_home / "weights")
    assert interrupted(tmp_path, demo_film, how, REAL) == []
    kept(tmp_path)  # whole, whatever there is


def test_the_caller_is_interrupted_while_another_process_has_the_film(
    home: Path, colours: Path
) -> None:
    shelf = Shelf(home)
    call = "soon(0.5); agent.run(film, 'red')"
    with shelf.alone(shelf.fingerprint(colours)):
        assert interrupted(home, colours, "- 0", FAKED, call) == []


def test_a_caller_that_was_interrupted_can_ask_again(home: Path, colours: Path) -> None:
    after = "print(len(agent.run(film, 'red').moments))"
    asleep = f"{FAKED}; from vmr_agent.testing import ColourEncoder as E; look = E.look"
    agent = f"{asleep}; E.look = lambda *a: time.sleep(0.3) or look(*a)"
    call = "for event in agent.stream(film, 'red'): pass"
    assert interrupted(home, colours, "detect_shots 0", agent, call, after) == ["2"]


def test_a_stream_that_nobody_reads_on_ends(home: Path, colours: Path) -> None:
    agent = VMRAgent(toolbox=colour_toolbox(home))
    stream = agent.stream(colours, "red")
    next(stream)
    began = time.monotonic()
    stream.close()
    assert time.monotonic() - began < SOON


# ── disks ─────────────────────────────────────────────────────────────────────────────────────

# The speech wing sits in a model from which nothing comes back, and the time of the failure is
# written down.
SPEECH = """
import dataclasses, time, vmr_agent.agent, vmr_agent.testing
from pathlib import Path
from vmr_agent.library import Shelf
class Speaker:
    name = "speaker"
    def transcribe(self, samples, rate, voice):
        Path({marks!r}, "speech").touch()
        time.sleep({asleep})
        return ()
def build(s):
    box = vmr_agent.testing.colour_toolbox(s.home)
    return dataclasses.replace(box, transcriber=Speaker())
vmr_agent.agent.build_toolbox = build
look = vmr_agent.testing.ColourEncoder.look
def wait(*images):
    while not Path({marks!r}, "speech").exists(): time.sleep(0.05)
    return look(*images)
vmr_agent.testing.ColourEncoder.look = wait
publish = Shelf._publish
def timed(*what):
    try: publish(*what)
    except vmr_agent.errors.ShelfError: Path({marks!r}, "failed").touch(); raise
Shelf._publish = timed
"""


def speaking(tmp_path: Path, asleep: float) -> tuple[str, ...]:
    return program(SPEECH.format(marks=str(tmp_path), asleep=asleep))


def mounted(*words: str) -> None:
    done = subprocess.run(["mount", *words], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("only root may mount, and not everywhere")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 600 kB."""
    home = tmp_path / "home"
    home.mkdir()
    mounted("-t", "tmpfs", "-o", "size=600k", "tmpfs", str(home))
    yield home
    subprocess.run(["umount", "--lazy", str(home)], check=True)


def failed(run: subprocess.Popen[str], tmp_path: Path, says: str) -> None:
    """It ended soon after the failure, with one line."""
    out, err = run.communicate(timeout=100)
    assert time.time() - (tmp_path / "failed").stat().st_mtime < SOON
    assert (run.returncode, out) == (3, "")
    assert err.startswith("vmr: cannot write ")
    assert says in err
    assert err.count("\n") == 1


def test_a_full_disk_is_told_soon_and_what_was_finished_serves_again(
    small: Path, tmp_path: Path, demo_film: Path
) -> None:
    with started(small, "index", demo_film, command=speaking(tmp_path, 100)) as run:
        says = "(No space left on device): free some room or set VMR_HOME elsewhere"
        failed(run, tmp_path, says)
    assert not list(small.rglob("*.tmp"))
    before = kept(small)
    assert before
    mounted("-o", "remount,size=60m", str(small))
    again = vmr(small, "index", demo_film, command=speaking(tmp_path, 0))
    assert again.returncode == 0
    whole = kept(small)
    assert all(whole.get(path, mark) == mark for path, mark in before.items())


@pytest.mark.slow
def test_a_file_that_may_not_grow_is_told_soon(home: Path, tmp_path: Path, demo_film: Path) -> None:
    limit = (100_000, resource.RLIM_INFINITY)
    with started(
        home,
        "index",
        demo_film,
        command=speaking(tmp_path, 100),
        before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    ) as run:
        failed(run, tmp_path, "(File too large)")
    assert not at_work(home)


def test_a_home_that_may_only_be_read_is_told(home: Path, colours: Path) -> None:
    assert vmr(home, "index", colours, command=program(FAKES)).returncode == 0
    before = kept(home)
    mounted("--bind", str(home), str(home))
    try:
        mounted("-o", "remount,ro,bind", str(home))
        run = vmr(home, "find", colours, "green", command=program(FAKES))
        assert (run.returncode, run.stdout) == (3, "")
        assert "(Read-only file system)" in run.stderr
        assert run.stderr.count("\n") == 1
        done = vmr(home, "index", colours, command=program(FAKES))
        assert (done.returncode, done.stderr) == (0, ""), "there is nothing to be written"
    finally:
        subprocess.run(["umount", str(home)], check=True)
    assert kept(home) == before


@pytest.mark.parametrize("place", ["", "shelf", "locks"])
def test_a_file_in_place_of_a_folder_is_told(home: Path, colours: Path, place: str) -> None:
    (home / place).parent.mkdir(parents=True, exist_ok=True)
    (home / place).write_text("a file")
    run = vmr(home, "index", colours, command=VMR)
    assert (run.returncode, run.stdout) == (3, "")
    assert run.stderr.startswith("vmr: cannot write to ")
    assert run.stderr.count("\n") == 1
    assert (home / place).read_text() == "a file"
    assert os.environ.get("VMR_HOME") != str(home)
