"""A process that must not stop for ever: see ``container._hush``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FILM = Path(__file__).parents[1] / "evals" / "demo" / "demo_film.mp4"
OPEN_OFTEN = f"""
import av
from vmr_agent.settings import VideoSettings
from vmr_agent.video import probe
for _ in range(1000):
    av.logging.set_level(av.logging.ERROR)  # as torchvision does when it is imported
    probe({str(FILM)!r}, "", VideoSettings())
"""


def test_log_messages_of_ffmpeg_do_not_stop_the_process() -> None:
    """Without the cure this hung in the first thousand openings each time it was tried."""
    done = subprocess.run([sys.executable, "-c", OPEN_OFTEN], timeout=120, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
