"""Progress as tqdm's bars: one for each room that works for long, of each film.

The command line has a board of its own (``vmr_agent.cli.board``); both are told the same events.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from vmr_agent.show import plain

if TYPE_CHECKING:
    from tqdm import tqdm

    from vmr_agent.events import Progress

Watcher = Callable[["Progress"], None]
STAGES = {
    "detect_shots": "watch picture",
    "embed_frames": "describe picture",
    "read_text": "read text",
    "listen": "listen",
    "transcribe": "hear speech",
    "index_video": "index",
}
"""What rooms are called here, those that work for long."""
NAME = 32  # letters of a film's name
FORM = "{desc}: {percentage:3.0f}% |{bar}| {elapsed}<{remaining}"


class Bars:
    """Give its ``watch`` to an agent: ``VMRAgent(progress=Bars().watch)``."""

    def __init__(self) -> None:
        self._bars: dict[tuple[str, str], tqdm[None]] = {}
        self._guard = RLock()  # films may be at work at once, each in a thread

    def watch(self, event: Progress) -> None:
        """A room says how far it is; the bars go when the film is through."""
        if event.room not in STAGES or event.total <= 0:
            return
        key = event.path, event.room
        with self._guard:
            if key not in self._bars and event.done >= event.total:
                return  # done before anybody could have waited: the film was on the shelf
            if key not in self._bars:
                self._bars[key] = _bar(event)
            bar, done = self._bars[key], min(event.done, event.total)
            bar.update(done - bar.n)
            if event.room == "index_video" and done >= event.total:
                for each in [each for each in self._bars if each[0] == event.path]:
                    self._bars.pop(each).close()


def watcher(asked: Watcher | bool | None) -> Watcher | None:
    """Who is told of progress: bars if so asked, or where it is left open in notebooks alone."""
    if callable(asked):
        return asked
    return Bars().watch if asked or (asked is None and in_notebook()) else None


def in_notebook() -> bool:
    """Whether a notebook's kernel runs this program; nothing is imported to find out."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return "IPKernelApp" in getattr(shell, "config", {})


def _bar(event: Progress) -> tqdm[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without ipywidgets bars are made of letters, no more
        from tqdm.auto import tqdm

    name = plain(Path(event.path).name)
    short = name if len(name) <= NAME else f"{name[: NAME - 1]}…"
    said = f"{short}: {STAGES[event.room]}"
    return tqdm(total=event.total, desc=said, bar_format=FORM, leave=False)
