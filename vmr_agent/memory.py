"""How the C library keeps memory: what models take again and again stays, what is over goes back.

Whisper's attention takes and leaves 144 MB a layer. glibc maps such blocks and unmaps them, so that
the system clears every page anew: a tenth of the time.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import cache
from typing import Any

SETTINGS = {
    -8: 2,  # M_ARENA_MAX; one a core costs no time, and eight, the default, keep much more
    -4: 0,  # M_MMAP_MAX: no block is mapped by itself
    -1: 1 << 30,  # M_TRIM_THRESHOLD: nor does the heap shrink, until it is told to
}
"""By glibc's numbers for them."""


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
