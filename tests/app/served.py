"""``vmr serve`` as a process: the colours' fakes, on films that Chromium can play."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import av
from processes import program, started

from vmr_agent.testing import FPS, SIZE

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
    "ColourEncoder.look = lambda self, images: time.sleep(6) or look(self, images)"
)
"""Pictures take their time."""


class Served(NamedTuple):
    """A server, and where it answers."""

    url: str
    process: subprocess.Popen[str]


def film(path: Path, colours: Path) -> Path:
    """The colour film as browsers play it: red from 2 to 5 and 12 to 14 s, blue from 10 to 12."""
    with av.open(str(colours)) as source, av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=FPS)
        stream.height, stream.width = SIZE
        stream.pix_fmt = "yuv420p"
        for frame in source.decode(video=0):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame.to_ndarray(format="rgb24"))))
        out.mux(stream.encode())
    return path


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
