"""What ``VMRAgent.stream`` yields while it is at work, in the order in which it happens.

    for event in VMRAgent().stream("film.mp4", "a red car"):
        match event:
            case Progress(room, done, total):
                ...  # a room is so far with the film
            case Visit(room, made):
                ...  # a room was left, and this is what it put on the tray
            case RunReport():
                ...  # the answer; nothing comes after it

``VMRAgent(progress=…)`` is told of the ``Progress`` of every run, ``index`` included.
"""

from __future__ import annotations

from typing import NamedTuple

from vmr_agent.report import RunReport
from vmr_agent.state import Update


class Progress(NamedTuple):
    """A room at work. ``done`` and ``total`` are seconds of film; total 0 means not known."""

    room: str
    done: float
    total: float
    path: str = ""
    """Of the film."""


class Visit(NamedTuple):
    """A room was left."""

    room: str
    """The room."""
    made: Update
    """What it put on the tray: a dictionary, see ``vmr_agent.state.Update``."""


Event = Progress | Visit | RunReport
"""Any of them."""
