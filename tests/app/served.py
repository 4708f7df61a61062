"""``vmr serve`` as a process: the colours' fakes, on films that Chromium can play."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import media
from processes import program, started

COLOURED = (
    "import vmr_agent.toolbox, vmr_agent.workshop as workshop\n"
    "from dataclasses import replace\n"
    "from vmr_agent.testing import ColourEncoder, colour_toolbox\n"
    "def build(s):\n"
    "    box = colour_toolbox(s.home)\n"
    "    told = box.settings.model_copy(update={'chat': s.chat, 'serve': s.serve})\n"
    "    return replace(box, settings=told, chat=workshop.chat(s))\n"
    "vmr_agent.toolbox.build_toolbox = build"
)
SLOWLY = (
    "import time\n"
    "look = ColourEncoder.look\n"
    "ColourEncoder.look = lambda self, images: time.sleep(2) or look(self, images)"
)
"""Pictures take their time."""


class Served(NamedTuple):
    """A server, and where it answers."""

    url: str
    process: subprocess.Popen[str]


def film(path: Path) -> Path:
    """Ten seconds: red, green from 2.4 to 5.2, blue to 7.6, then yellow."""
    return media.film(path, frames=250, cuts=(60, 130, 190), size=(320, 240))


@contextmanager
def serving(home: Path, *words: str | Path, before: str = "", **more: str) -> Iterator[Served]:
    """Serve until the block is left."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = str(door.getsockname()[1])
    command = program(COLOURED, before)
    with started(home, "serve", *words, "--port", port, command=command, **more) as run:
        said: Any = run.stderr
        assert said.readline() == f"vmr: open http://127.0.0.1:{port}/ in a browser; Ctrl-C ends\n"
        yield Served(f"http://127.0.0.1:{port}/", run)
