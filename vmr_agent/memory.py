"""How the C library keeps memory: what models take again and again stays, what is over goes back.

Whisper's attention takes and leaves 144 MB a layer. glibc maps such blocks and unmaps them, so that
the system clears every page anew: a tenth of the time.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import cache
from pathlib import Path
from typing import Any

SETTINGS = {
    -8: 2,  # M_ARENA_MAX; one a core costs no time, and eight, the default, keep much more
    -4: 0,  # M_MMAP_MAX: no block is mapped by itself
    -1: 1 << 30,  # M_TRIM_THRESHOLD: nor does the heap shrink, until it is told to
}
"""By glibc's numbers for them."""


MEMORY = Path("/proc/meminfo")
LIMITS = tuple(
    (Path("/sys/fs/cgroup") / most, Path("/sys/fs/cgroup") / used)
    for most, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    )
)
"""What a container may take and takes, in the files of either version of Linux's control groups."""


def available() -> int | None:
    """Bytes that may be taken without anything being swapped; None where nobody tells (no Linux).

    What a container's files take of its share is counted as taken, although it could be given up.
    """
    try:
        lines = dict(line.split(":", 1) for line in MEMORY.read_text().splitlines())
        free = [1024 * int(lines["MemAvailable"].split()[0])]
    except (OSError, KeyError, ValueError):
        return None
    for most, used in LIMITS:
        try:
            free.append(int(most.read_text()) - int(used.read_text()))
        except (OSError, ValueError):  # there is no such file, or it says "max"
            continue
    return max(0, min(free))


def give_back() -> None:
    """Return what is free. Work in many threads leaves hundreds of megabytes lying about."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


@cache
def _glibc() -> Any:
    """The C library, with its settings made; None where it is another one."""
    name = ctypes.util.find_library("c")
    libc = ctypes.CDLL(name) if name else None
    if libc is None or not hasattr(libc, "malloc_trim"):
        return None
    for setting, value in SETTINGS.items():
        libc.mallopt(setting, value)
    return libc
