"""Relevance curves of a round, and how much of them sound counts for.

The gate is asked where something is seen and something is heard, and the question does not say
which of them it is about. Where its weights are missing, or the machine has no room for them, the
curves stay as they are, and the report says so.
"""

from __future__ import annotations

from vmr_agent import sides
from vmr_agent.artefacts import Curves
from vmr_agent.errors import MachineError, WeightsError
from vmr_agent.protocols import Gate, GateRequest
from vmr_agent.relevance import Lens
from vmr_agent.report import Fault
from vmr_agent.state import State
from vmr_agent.toolbox import Made, Toolbox

Faults = tuple[Fault, ...]
ROOM = "retrieve"


def curves(box: Toolbox, state: State) -> tuple[str, Made[Curves], Faults]:
    """Relevance to the question as it is worded in this round: the artefact's name, and it."""
    query, turn = state.wording, state.horizon.round
    lens = Lens(box.film(state), turn, box.encoder, box.sentences, box.settings.retrieve)
    about = (turn, query.model_dump())
    name = box.keep(state, "curves", Curves, lambda: lens.relevance(query), about)
    found, arrays = box.shelf.get(name, Curves)
    duration, settings = box.entry(state).video.duration, box.settings.retrieve
    asked = sides.request(query, found, arrays["curves"], duration, settings)
    if box.gate is None or asked is None:
        return name, (found, arrays), ()
    told, faults = _asked(box.gate, asked)
    if told is None:
        # Each round asks anew, and may lack the same.
        return name, (found, arrays), tuple(each for each in faults if each not in state.faults)
    name = box.keep(
        state, "weighed", Curves, lambda: sides.weighed(found, arrays, told), (name, told)
    )
    return name, box.shelf.get(name, Curves), ()


def _asked(gate: Gate, request: GateRequest) -> tuple[float | None, Faults]:
    try:
        return gate.importance(request), ()
    except MachineError as error:
        kind = "weights" if isinstance(error, WeightsError) else "machine"
        message = f"{error}; what is seen and what is heard count alike"
        return None, (Fault(room=ROOM, kind=kind, message=message),)
