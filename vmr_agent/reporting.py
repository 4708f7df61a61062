"""What is told when a run is over, from what lies on the tray then."""

from __future__ import annotations

from vmr_agent import __version__
from vmr_agent.coverage import coverage, status
from vmr_agent.prompts import load, names
from vmr_agent.report import RunReport
from vmr_agent.state import State
from vmr_agent.toolbox import Toolbox
from vmr_agent.types import Moment, Video


def seen(box: Toolbox, state: State) -> Video:
    """The film as decoding found it, where it is now: films move, their artefacts do not."""
    known = box.entry(state).video
    return known.model_copy(update={"path": state.video.path})


def reported(box: Toolbox, state: State) -> RunReport:
    """The answer to the question on the tray, behind ``verify``."""
    entry, video = box.entry(state), seen(box, state)
    moments = state.judged.moments
    turned_down = [*state.judged.rejected, state.horizon.rejected]
    looked = [*state.horizon.looked, *(each.span for each in state.found.candidates)]
    return RunReport(
        status=status(moments, video, state.faults),
        query=state.request,
        video=video,
        moments=moments,
        rejected=None if moments else _best(turned_down),
        rounds=state.horizon.round,
        faults=state.faults,
        steps=state.steps,
        coverage=coverage(video, entry.heard, entry.read, looked, state.faults),
        timing_quality=entry.timing,
        models=box.models,
        prompts={name: load(name).label for name in names()} if box.chat else {},
        settings=box.settings.model_dump(mode="json"),
        version=__version__,
        shelved=box.beside(state),
    )


def _best(moments: list[Moment | None]) -> Moment | None:
    return max((m for m in moments if m), key=lambda moment: moment.score, default=None)
