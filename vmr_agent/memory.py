"""Memory given back to the system, where the C library would keep it."""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import cache
from typing import Any

ARENA_MAX = -8  # glibc's number for the setting
ARENAS = 2  # one a core is the least that costs no time; eight a core, the default, keep much more


def give_back() -> None:
    """Return what is free. Work in many threads leaves hundreds of megabytes lying about."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


@cache
def _glibc() -> Any:
    """The C library, told to keep few arenas; None where it is another one."""
    name = ctypes.util.find_library("c")
    libc = ctypes.CDLL(name) if name else None
    if libc is None or not hasattr(libc, "malloc_trim"):
        return None
    libc.mallopt(ARENA_MAX, ARENAS)
    return libc
