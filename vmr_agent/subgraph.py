"""The whole house as one node of somebody else's graph.

    moments = build_graph()
    moments.invoke({"video": "talk.mp4", "query": "a red car"})["report"]
    outer.add_node("moments", moments)       # in a graph whose state has those three keys

What it is given and gives is plain; all else stays inside, whatever context or state the graph
around it has. Progress goes through as ``custom`` events (``subgraphs=True``), and a checkpointer
of the graph around it serves for the rooms too: stopped between two of them, it goes on there.
"""

from __future__ import annotations

from typing import TypedDict

from vmr_agent.report import RunReport
from vmr_agent.state import State


class Asked(TypedDict):
    """What goes in."""

    video: str
    """Path of the film."""
    query: str
    """What to look for, in plain words."""


class Answered(TypedDict):
    """What comes out."""

    report: RunReport
    """As ``VMRAgent.run`` gives it."""


class Desk(Asked, Answered):
    """What lies between the two."""

    tray: State
    """What the rooms hand on: small records, and names of what is shelved."""
