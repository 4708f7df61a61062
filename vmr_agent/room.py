"""What every room has around it: a clock, a progress line, and its place in the log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from langgraph.runtime import Runtime

from vmr_agent import tracing
from vmr_agent.bare import BARE
from vmr_agent.events import Progress
from vmr_agent.report import Cost, Step
from vmr_agent.state import FRONT, State, Update
from vmr_agent.toolbox import Toolbox

Tick = Callable[[float], None]


class Node(Protocol):
    """What LangGraph calls."""

    __name__: str

    def __call__(self, state: State, *, runtime: Runtime[Toolbox]) -> Update:
        """Visit the room."""
        ...


UNTOLD = ("steps", "faults", "reel", "reels_done", "block", "blocks_done")
PAUSE = 0.1  # seconds between two progress events of a room: a person sees no more


def room(work: Callable[[State, Toolbox, Tick], Update]) -> Node:
    """Make a node of a function that reads the tray, uses the tools and says what it writes."""
    name = work.__name__

    def node(state: State, *, runtime: Runtime[Toolbox]) -> Update:
        began = time.monotonic()
        box, total = runtime.context, state.video.duration
        showing, counsel = box.showing, box.counsel
        last = [0.0]

        def tell(done: float) -> None:
            runtime.stream_writer(Progress(name, done, total, state.video.path))

        def tick(done: float) -> None:
            showing.alive()
            if time.monotonic() - last[0] >= PAUSE:
                last[0] = time.monotonic()
                tell(done)

        with tracing.room(name, state.video, box.settings.trace) as span, showing.visit():
            if name not in FRONT:  # those are visited again and again, and tell how far they are
                tell(0.0)
            left_out = name in box.settings.without and BARE.get(name)
            update = left_out(state, box) if left_out else work(state, box, tick)
            made = _made(update)
            span.made(made, update.get("faults", ()))
        seconds = time.monotonic() - began
        cost = counsel.ledger.bill() if counsel else Cost()
        update["steps"] = (Step(room=name, seconds=seconds, made=made, cost=cost),)
        if made:
            tell(total)
        return update

    # Not functools.wraps: LangGraph must see the node's own parameters, not those of the work.
    node.__name__, node.__doc__ = name, work.__doc__
    return node


def _made(update: Update) -> str:
    made = {key: value for key, value in update.items() if key not in UNTOLD}
    return ", ".join(_brief(key, value) for key, value in made.items() if value is not None)


def _brief(key: str, value: Any) -> str:
    if isinstance(value, tuple):
        return f"{len(value)} {key}"
    if key == "retrieval":
        return f"{len(value.candidates)} candidates"
    if key == "sieve":
        return f"{len(value.kept)} kept, {len(value.dropped)} dropped"
    if key == "verdict":
        return f"{len(value.moments)} moments, {len(value.rejected)} rejected"
    if key == "horizon":
        return f"round {value.round}"
    return key
