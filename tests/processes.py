"""``vmr`` as users start it: real processes, their streams, their exit codes and their children."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
VMR = (sys.executable, "-m", "vmr_agent")
BESIDE = 3.0 if "PYTEST_XDIST_WORKER" in os.environ else 1.0
"""Times as long as is promised that things may take where other tests run beside this one."""
FAKES = (
    "import vmr_agent.agent, vmr_agent.testing\n"
    "vmr_agent.agent.build_toolbox = lambda s: vmr_agent.testing.colour_toolbox(s.home)\n"
    "vmr_agent.testing.ListIndex.knows = lambda *_: True"  # as one that outlives its process
)
"""For what does not depend on models: those of ``vmr_agent.testing`` instead, in three seconds."""


def program(*before: str) -> tuple[str, ...]:
    """``vmr`` after some lines of Python."""
    lines = [*before, "from vmr_agent.__main__ import main", "main()"]
    return (sys.executable, "-c", "\n".join(lines))


def environment(home: Path, **more: str) -> dict[str, str]:
    """As it is, without settings of ours; unbuffered, Python does not notice a closed pipe."""
    ours = ("VMR_", "PYTHONUNBUFFERED", "NO_COLOR", "COLUMNS")
    bare = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    here = {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    return {**bare, **here, "VMR_HOME": str(home), **more}


@contextmanager
def started(
    home: Path,
    *words: str | Path,
    command: Sequence[str] = VMR,
    before: Callable[[], object] = lambda: None,
    **more: str,
) -> Iterator[subprocess.Popen[str]]:
    """``vmr`` at work; ``before`` is called in the new process. Not left behind."""

    def prepare() -> None:
        # Whoever runs the tests may have switched it off.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        before()

    with subprocess.Popen(
        [*command, *map(str, words)],
        env=environment(home, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        preexec_fn=prepare,
    ) as run:
        try:
            yield run
        finally:
            run.kill()


def vmr(
    home: Path,
    *words: str | Path,
    command: Sequence[str] = VMR,
    cwd: Path | None = None,
    **more: str,
) -> subprocess.CompletedProcess[str]:
    """What became of it."""
    return subprocess.run(
        [*command, *map(str, words)],
        env=environment(home, **more),
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        timeout=200,
        check=False,
    )


FORKS = """
import json, os, sys, tempfile
import vmr_agent.cli.app, vmr_agent.export.clips, vmr_agent.settings
from vmr_agent.__main__ import main

told = []
for words in json.loads(sys.argv[1]):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if not child:
            os.dup2(out.fileno(), 1), os.dup2(err.fileno(), 2)
            sys.argv = ["vmr", *words]
            try:
                main()
            except SystemExit as end:
                sys.stdout.flush(), sys.stderr.flush()
                os._exit(end.code or 0)
            except BaseException:
                sys.excepthook(*sys.exc_info())
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.seek(0), err.seek(0)
        told.append((code, out.read().decode(), err.read().decode()))
print(json.dumps(told))
"""


def one_by_one(
    home: Path, calls: Sequence[Sequence[str | Path]], cwd: Path | None = None
) -> list[subprocess.CompletedProcess[str]]:
    """What became of each call: processes of their own, from one that has read our modules."""
    words = [[str(word) for word in call] for call in calls]
    run = vmr(home, json.dumps(words), command=(sys.executable, "-c", FORKS), cwd=cwd)
    assert run.returncode == 0, run.stderr
    found = zip(words, json.loads(run.stdout), strict=True)
    return [subprocess.CompletedProcess(call, *told) for call, told in found]


def one_line(run: subprocess.CompletedProcess[str]) -> str:
    """The only line on stderr, with nothing on stdout."""
    assert run.stdout == ""
    assert run.stderr.startswith("vmr: ")
    assert run.stderr.count("\n") == 1
    assert run.stderr.endswith("\n")
    return run.stderr.removeprefix("vmr: ").rstrip("\n")


def in_terminal(
    home: Path,
    *words: str | Path,
    command: Sequence[str] = VMR,
    press: Callable[[str], bytes] = lambda _: b"",
    **more: str,
) -> tuple[int, str]:
    """Exit code and all that a terminal 100 columns wide was sent; ``press`` reads it and types."""
    child, master = pty.fork()
    if not child:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        settings = environment(home, **{"TERM": "xterm-256color", "COLUMNS": "100"} | more)
        os.execve(command[0], [*command, *map(str, words)], settings)
    sent = b""
    try:
        while part := os.read(master, 65_536):
            sent += part
            os.write(master, press(sent.decode(errors="replace")))
    except OSError:  # Linux says so when the other end is closed
        pass
    os.close(master)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), sent.decode()


def at_work(home: Path) -> list[str]:
    """The processes that work for this home, whoever started them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"VMR_HOME={home}\0".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # ended meanwhile, or not ours to read
            continue
    return found


def until(found: Callable[[], object], seconds: float = 60.0) -> float:
    """Waits for it. How long that took."""
    began = time.monotonic()
    while not found():
        assert time.monotonic() - began < seconds, "it never came"
        time.sleep(0.02)
    return time.monotonic() - began
