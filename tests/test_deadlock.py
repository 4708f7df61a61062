"""A process that must not stop for ever: see ``container.hush``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FILM = Path(__file__).parents[1] / "evals" / "demo" / "demo_film.mp4"
OPEN_OFTEN = f"""
import av
from vmr_agent.settings import VideoSettings
from vmr_agent.video import probe
for _ in range(1000):
    av.logging.set_level(av.logging.ERROR)  # as torchvision does when it is imported
    probe({str(FILM)!r}, "", VideoSettings())
"""

JOIN_OFTEN = f"""
import av
from pathlib import Path
from evals.footage import picture_start
for _ in range(300):
    av.logging.set_level(av.logging.ERROR)
    picture_start(Path({str(FILM)!r}))
"""


@pytest.mark.parametrize("program", [OPEN_OFTEN, JOIN_OFTEN], ids=["ours", "evals"])
def test_log_messages_of_ffmpeg_do_not_stop_the_process(program: str) -> None:
    """Without the cure this hung in the first thousand openings each time it was tried."""
    done = subprocess.run([sys.executable, "-c", program], timeout=120, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
