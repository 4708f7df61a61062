"""Where a training begins, if not from nothing: at a network of one source that is trained already.

A network of several sources begins with the same weights for each of them. To all of them saying
the same it answers what the known one answers.
"""

from __future__ import annotations

import torch

from vmr_agent.grounding.features import PLACE
from vmr_agent.grounding.inputs import PER_CURVE
from vmr_agent.grounding.network import Network, Sizes


def begun(known: Network, sources: int, share: float | None = None) -> Network:
    """A network of so many sources; each counts a ``share``, one of all if it is not said."""
    each = 1 / sources if share is None else share
    sizes = known.sizes._replace(channels=PER_CURVE * sources, sources=sources)
    state = dict(known.state_dict())
    steps = state["trunk.first.weight"]
    curves, film, drawn = steps.split([PER_CURVE, 1, steps.shape[1] - PER_CURVE - 1], dim=1)
    spread = [(each * part).repeat_interleave(sources, dim=1) for part in (curves, drawn)]
    state["trunk.first.weight"] = torch.cat([spread[0], film, spread[1]], 1)
    place, votes = state["votes.weight"].tensor_split([PLACE], dim=1)
    state["votes.weight"] = torch.cat([place, (each * votes).repeat(1, sources)], 1)
    state["tokens.0.weight"] = (each * state["tokens.0.weight"]).repeat(1, sources)
    network = Network(Sizes(*sizes))
    network.load_state_dict(state)
    return network
