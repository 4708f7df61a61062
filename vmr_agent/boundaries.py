"""What the grounder says of a round's clips; nothing, and why, where it cannot say anything.

Every question has the hand rules' answer already: a grounder whose weights are missing, or that
this machine has no room for, is gone on without, and the report says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from vmr_agent.artefacts import Curves
from vmr_agent.errors import MachineError, WeightsError
from vmr_agent.film import Film
from vmr_agent.gallery import Gallery
from vmr_agent.protocols import (
    Array,
    Bounded,
    Grounder,
    GroundReply,
    GroundRequest,
    Image,
)
from vmr_agent.report import Fault
from vmr_agent.state import State
from vmr_agent.toolbox import Toolbox
from vmr_agent.types import Clip, Proposal

Faults = tuple[Fault, ...]
Look = Callable[[Sequence[float]], Sequence[tuple[float, Image]]]

NOTHING = GroundReply((), present=0.0)
ROOM = "ground"


def told(box: Toolbox, state: State, ruled: Sequence[Proposal]) -> tuple[GroundReply, Faults]:
    """What the grounder says of the clips; ``ruled`` is what the hand rules propose there."""
    if box.grounder is None or not state.clips:
        return NOTHING, ()
    reply, fault = _asked(box.grounder, _request(box, state, ruled))
    # Each round asks anew, and may lack the same.
    return reply, (fault,) if fault is not None and fault not in state.faults else ()


def _asked(grounder: Grounder, request: GroundRequest) -> tuple[GroundReply, Fault | None]:
    try:
        reply = grounder.ground(request)
    except MachineError as error:
        kind = "weights" if isinstance(error, WeightsError) else "machine"
        message = f"{error}; boundaries are those of the hand rules"
        return NOTHING, Fault(room=ROOM, kind=kind, message=message)
    lacking = reply.lacking and Fault(room=ROOM, kind="memory", message=reply.lacking)
    return reply, lacking or None


def _request(box: Toolbox, state: State, ruled: Sequence[Proposal]) -> GroundRequest:
    film, name = box.film(state), box.name(state, "footage")
    gallery = Gallery(box.shelf, name, Path(state.video.path), box.settings)
    look = partial(gallery.look, alive=box.showing.alive) if film.seen else blind
    return request(state.asked.text, state.clips, film, box.curves(state), ruled, look)


def request(
    text: str,
    clips: Sequence[Clip],
    film: Film,
    made: tuple[Curves, Array],
    ruled: Sequence[Proposal],
    look: Look,
) -> GroundRequest:
    """What a grounder is asked about the clips; ``made`` are the curves, ``ruled`` proposals."""
    found, rows = made
    ranked = sorted(ruled, key=lambda each: -each.score)
    return GroundRequest(
        text=text,
        clips=tuple(sorted((clip.span for clip in clips), key=lambda span: span.start)),
        duration=film.video.duration,
        step=found.step,
        channels=found.channels,
        curves=rows,
        cuts=tuple(shot.span.start for shot in film.shots),
        candidates=tuple(Bounded(each.span, min(1.0, max(0.0, each.score))) for each in ranked),
        look=look,
    )


def blind(times: Sequence[float]) -> tuple[()]:  # noqa: ARG001
    """The frames of a film without a picture."""
    return ()
