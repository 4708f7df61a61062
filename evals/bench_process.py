"""A program measured from outside, with all its children: seconds, cores and memory, by /proc.

done = measure([sys.executable, "-m", "evals.bench_work", "decode", "film.mp4"])
done.seconds, done.cpu, done.peak_pss, done.between(done.began, done.began + 5)
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

EVERY = 0.2
"""Seconds between two samples, at least."""
MODEST = 100
"""Times what a sample took that the watcher then waits. A large process takes 25 ms to add up, in
which it cannot map memory either: every 0.2 s, that cost what was measured a sixteenth."""
PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")


class FailedError(Exception):
    """A measured program did not end well; the message has what it said last."""


class Stat(NamedTuple):
    """What /proc/PID/stat says about a process."""

    session: int
    cpu: float
    """Seconds on any core, with those of children that ended and were waited for."""


class Sample(NamedTuple):
    """The whole family of processes at an instant."""

    at: float
    """``time.monotonic()``, which all processes share."""
    cpu: float
    """Seconds on any core until now."""
    rss: int
    """Bytes; what processes share counts for each of them."""
    pss: int
    """Bytes; what processes share is divided among them."""
    highest: int
    """Bytes; the most that any one process has had until now, between samples too."""


class Usage(NamedTuple):
    """What a stretch of time took."""

    seconds: float
    cores: float
    """Share of all cores that was used."""
    pss: int
    """Most bytes at once."""


@dataclass(frozen=True)
class Measured:
    """A program that ended well."""

    said: str
    """Its stdout."""
    began: float
    """``time.monotonic()`` when it was started."""
    seconds: float
    cpu: float
    """Seconds on any core, children included."""
    peak_rss: int
    """Bytes."""
    peak_pss: int
    """Bytes."""
    samples: tuple[Sample, ...]

    @property
    def cores(self) -> float:
        """Share of all cores that was used."""
        return self.cpu / (self.seconds * cores())

    def between(self, start: float, end: float) -> Usage:
        """The family's use from one instant to another; memory as far as samples lie in between."""
        seconds = max(end - start, 1e-3)
        used = self._cpu(end) - self._cpu(start)
        pss = (s.pss for s in self.samples if start - EVERY <= s.at <= end + EVERY)
        return Usage(seconds, used / (seconds * cores()), max(pss, default=0))

    def _cpu(self, at: float) -> float:
        """Seconds used until an instant, on a straight line between samples."""
        points = [(s.at, s.cpu) for s in self.samples]
        points = [(self.began, 0.0), *points, (self.began + self.seconds, self.cpu)]
        before = max((p for p in points if p[0] <= at), default=points[0])
        after = min((p for p in points if p[0] > at), default=points[-1])
        if after[0] <= before[0]:
            return before[1]
        share = (at - before[0]) / (after[0] - before[0])
        return before[1] + share * (after[1] - before[1])


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))


def measure(command: Sequence[str], env: Mapping[str, str] | None = None) -> Measured:
    """Run a program to its end. Raises FailedError when it ends in another code than 0."""
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        began = time.monotonic()
        # A session of its own, by which its children, and theirs, are told from all others.
        family = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=complained,
            env=dict(env) if env is not None else None,
            start_new_session=True,
        )
        samples: list[Sample] = []
        done = Event()
        watcher = Thread(target=_watch, args=(family.pid, done, samples))
        watcher.start()
        try:
            _, status, used = os.wait4(family.pid, 0)
            seconds = time.monotonic() - began
            family.returncode = os.waitstatus_to_exitcode(status)
        finally:
            done.set()
            watcher.join()
            _end(family)
        if family.returncode:
            complained.seek(0)
            last = complained.read().decode(errors="replace").strip().splitlines()[-20:]
            raise FailedError("\n".join([f"{' '.join(command)}: {family.returncode}", *last]))
        said.seek(0)
        return Measured(
            said=said.read().decode(),
            began=began,
            seconds=seconds,
            # Children that nobody waited for are only in the samples, the last moments only here.
            cpu=max([used.ru_utime + used.ru_stime, *(s.cpu for s in samples)]),
            # Not ru_maxrss: of a program that a large one starts, it is at least what that one has.
            peak_rss=max((max(s.rss, s.highest) for s in samples), default=0),
            peak_pss=max((s.pss for s in samples), default=0),
            samples=tuple(samples),
        )


def sample(session: int) -> Sample:
    """All processes of a session now."""
    at, cpu, rss, pss, highest = time.monotonic(), 0.0, 0, 0, 0
    for folder in PROC.iterdir():
        if not folder.name.isdecimal():
            continue
        # A process may end, or may not be ours to look at, at any moment.
        with suppress(OSError):
            stat = parse_stat((folder / "stat").read_text(errors="replace"))
            if stat.session == session:
                cpu += stat.cpu
                memory = parse_sizes((folder / "smaps_rollup").read_text())
                rss, pss = rss + memory["Rss"], pss + memory["Pss"]
                status = parse_sizes((folder / "status").read_text())
                highest = max(highest, status["VmHWM"])
    return Sample(at, cpu, rss, pss, highest)


def parse_stat(line: str) -> Stat:
    """A line of /proc/PID/stat, see proc(5). The name, in brackets, may itself hold brackets."""
    fields = line.rpartition(")")[2].split()
    # proc(5) counts from 1, and two fields are gone: field n is at n - 3.
    return Stat(session=int(fields[3]), cpu=sum(int(each) for each in fields[11:15]) / TICKS)


def parse_sizes(text: str) -> Counter[str]:
    """Bytes by name, from lines like "Pss: 12 kB"; 0 for any other name."""
    lines = (line.split() for line in text.splitlines())
    return Counter(
        {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if words[2:] == ["kB"]}
    )


def _end(family: subprocess.Popen[bytes]) -> None:
    """End what a program left behind; all of it, if it was not waited for."""
    with suppress(ProcessLookupError):
        os.killpg(family.pid, signal.SIGKILL)
    family.wait()


def _watch(session: int, done: Event, samples: list[Sample]) -> None:
    pause = EVERY
    while not done.wait(pause):
        samples.append(sample(session))
        pause = max(EVERY, MODEST * (time.monotonic() - samples[-1].at))
