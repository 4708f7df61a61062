"""Messages between us and the process that decodes: a few facts in JSON, then raw bytes.

<length of the facts: 4 bytes> <facts> <parts, whose lengths the facts name>
"""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, BinaryIO

Facts = dict[str, Any]
MEMORY = 4 << 30
"""Bytes of address space that the decoding process may take: some films are bombs."""
HEAD = struct.Struct("<I")
BEAT = 1.0
"""Seconds between two signs of life."""


def send(out: BinaryIO, facts: Facts, parts: Sequence[bytes | memoryview] = ()) -> None:
    """Write one message."""
    text = json.dumps({**facts, "parts": [len(part) for part in parts]}).encode()
    out.write(HEAD.pack(len(text)) + text)
    for part in parts:
        out.write(part)


class Sender:
    """The end at which messages are written, by one thread, while another tells that it gets on."""

    def __init__(self, out: BinaryIO) -> None:
        self._out, self._lock, self._told = out, Lock(), time.monotonic()

    def send(self, facts: Facts, parts: Sequence[bytes | memoryview] = ()) -> None:
        """Write one message."""
        with self._lock:
            send(self._out, facts, parts)

    def flush(self) -> None:
        """Let what was written be read."""
        self._out.flush()

    def alive(self) -> None:
        """Give a sign of life, once in a ``BEAT`` however often it is called."""
        if time.monotonic() - self._told >= BEAT:
            self.send({"alive": True})
            self.flush()
            self._told = time.monotonic()


def receive(exactly: Callable[[int], bytearray]) -> tuple[Facts, list[bytearray]]:
    """Read one message; ``exactly(n)`` gives the next n bytes."""
    (length,) = HEAD.unpack(exactly(HEAD.size))
    facts = json.loads(exactly(length))
    return facts, [exactly(size) for size in facts.pop("parts")]
