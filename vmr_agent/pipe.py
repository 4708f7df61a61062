"""Messages between us and the process that decodes: a few facts in JSON, then raw bytes.

<length of the facts: 4 bytes> <facts> <parts, whose lengths the facts name>
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

Facts = dict[str, Any]
MEMORY = 4 << 30
"""Bytes of address space that the decoding process may take: some films are bombs."""
HEAD = struct.Struct("<I")


def send(out: BinaryIO, facts: Facts, parts: Sequence[bytes | memoryview] = ()) -> None:
    """Write one message."""
    text = json.dumps({**facts, "parts": [len(part) for part in parts]}).encode()
    out.write(HEAD.pack(len(text)) + text)
    for part in parts:
        out.write(part)


def receive(exactly: Callable[[int], bytearray]) -> tuple[Facts, list[bytearray]]:
    """Read one message; ``exactly(n)`` gives the next n bytes."""
    (length,) = HEAD.unpack(exactly(HEAD.size))
    facts = json.loads(exactly(length))
    return facts, [exactly(size) for size in facts.pop("parts")]
