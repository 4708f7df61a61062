"""How high questions score whose answer is not in a film, and so from where one is believed.

How near a film comes to what it does not show depends on how long it is, how much there is in it,
and on the models that look at it. So each film is asked some hundreds of questions about nothing,
once, and what they score is shelved. A score that few of them reach is reached by as few others
(``conformal``).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from vmr_agent import tools
from vmr_agent.aside import Aside
from vmr_agent.conformal import threshold
from vmr_agent.events import Progress
from vmr_agent.library import digest
from vmr_agent.state import State
from vmr_agent.toolbox import Toolbox
from vmr_agent.types import Record

if TYPE_CHECKING:
    from vmr_agent.graph import Compiled

STEPS = 1000  # of the graph for one question, far more than there are rooms
SPOKEN, WRITTEN = "somebody talks about {}", "a sign that says {}"
"""How they are asked where the question is about words: those score differently."""


class Alarms(Record):
    """What questions about nothing in a film score; array ``scores`` (N,)."""

    wording: str
    """How they were asked."""


@cache
def nothing() -> tuple[str, ...]:
    """Some hundreds of things that are in hardly any film, each in a few words."""
    text = (files("vmr_agent") / "nothing.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())


def strict(
    box: Toolbox, graph: Compiled, tray: State, told: Callable[[Progress], None] | None
) -> Generator[Progress, None, Toolbox]:
    """The toolbox for a question: with ``verify.accept`` as ``verify.false_alarms`` asks.

    When the film on the tray is asked about nothing for the first time, there is progress to be
    told of, some seconds long.
    """
    rate = box.settings.verify.false_alarms
    if rate is None:
        return box
    wording = _wording(tray.request)
    name = _name(box, tray, wording)
    if not box.shelf.has(name, Alarms):
        yield from _ask(box, graph, tray, wording, told)
    accept = threshold(box.shelf.get(name, Alarms)[1]["scores"].tolist(), rate)
    verify = box.settings.verify.model_copy(update={"accept": accept})
    return replace(box, settings=box.settings.model_copy(update={"verify": verify}))


def _ask(
    box: Toolbox,
    graph: Compiled,
    tray: State,
    wording: str,
    told: Callable[[Progress], None] | None,
) -> Generator[Progress]:
    """Shelve what everything that is not in the film scores."""
    scores, total = [], tray.video.duration
    for score in _scores(box, graph, tray, wording):
        scores.append(score)
        event = Progress("verify", total * len(scores) / len(nothing()), total, tray.video.path)
        if told is not None:
            told(event)
        yield event
    made = {"scores": np.asarray(scores, np.float64)}
    box.shelf.put(_name(box, tray, wording), Alarms(wording=wording), made)


def _wording(request: str) -> str:
    query = tools.understand(request)
    return SPOKEN if query.spoken else WRITTEN if query.written else "{}"


def _name(box: Toolbox, tray: State, wording: str) -> str:
    """Of the artefact: by all that the scores depend on."""
    rooms = box.settings.model_dump(mode="json", include={"filter", "trim", "ground"})
    curves, grounding = box.name(tray, "weighed"), box.models["grounding"]
    kind = digest(curves, rooms, grounding, wording, nothing())
    return f"{tray.video.fingerprint}/alarms-{kind}"


def _scores(box: Toolbox, graph: Compiled, tray: State, wording: str) -> Iterator[float]:
    """What each reaches in any round: nothing is accepted, and so the search goes to its end."""
    verify = box.settings.verify.model_copy(update={"accept": 1.0})
    quiet = box.settings.trace.model_copy(update={"rooms": False})  # or there were thousands
    patient = box.settings.model_copy(update={"verify": verify, "trace": quiet})
    running = replace(box, shelf=Aside(box.shelf), settings=patient, chat=None).running()
    config: Any = {"recursion_limit": STEPS}
    try:
        for thing in nothing():
            asked = State(video=tray.video, request=wording.format(thing))
            rooms = graph.stream(asked, config, context=running, stream_mode="updates")
            made = (update for visited in rooms for update in visited.values())
            found = [each for update in made for each in update.get("proposals", ())]
            yield max((each.score for each in found), default=0.0)
    finally:
        running.showing.close()
