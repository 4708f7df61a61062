"""How much sound counts: an importance learned for each question (IMG, 2025).

Two sources say what is where, one without sound and one with it. Weighed 1 - p and p, they go
through the same network: their curves (local), their candidates (event), and what all of them are
like (global). With p = 0 a film without sound loses nothing; distillation sees to that. The gate
itself is the paper's, a logistic of what is pooled from either source alone, but for its pools,
which are the network's own, and for its weights, which are the same for either source.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from vmr_agent.grounding.features import Tensors
from vmr_agent.grounding.network import POOLS, Judged, Network, Sizes

PICTURE, SOUND = 0, 1
"""Places of the two sources."""
Level = Literal["local", "event", "global"]
"""Where the two are weighed: their curves, their candidates, and what all of them are like."""
EVEN = 0.5
"""What either source counts where nothing is weighed."""


class Gate(nn.Module):
    """(B,) importance of sound in [0, 1], from (B, POOLS * width) of either source alone.

    Only how the two differ counts: exchanged, they give 1 - p, and .5 where they are the same.
    Which of them is better on the whole is for the network to know.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weighs = nn.Linear(POOLS * width, 1, bias=False)
        nn.init.zeros_(self.weighs.weight)

    def forward(self, picture: Tensor, sound: Tensor) -> Tensor:
        """A logistic of the difference."""
        return torch.sigmoid(self.weighs(sound - picture)).squeeze(-1)


class Gated(nn.Module):
    """A network of two sources with its gate; ``fixed`` holds the gate where it is.

    At the level that is ``ungated``, which evaluations choose, either source counts half, whatever
    the gate says.
    """

    def __init__(
        self, sizes: Sizes, fixed: float | None = None, ungated: Level | None = None
    ) -> None:
        super().__init__()
        self.network, self.gate = Network(sizes), Gate(sizes.width)
        self.fixed, self.ungated = fixed, ungated

    def importance(self, batch: Tensors) -> Tensor:
        """(B,) what sound counts in each question.

        The network's features are read as they are: nothing that the gate learns changes them.
        """
        one = torch.ones_like(batch.channels[:, 0, 0])
        if self.fixed is not None:
            return self.fixed * one
        told: Tensor = self.gate(*(self._alone(batch, source * one) for source in (PICTURE, SOUND)))
        return told

    @torch.no_grad()
    def _alone(self, batch: Tensors, used: Tensor) -> Tensor:
        part = weighed(batch, used)
        return self.network.pools(part, self.network.felt(part))

    def forward(
        self, batch: Tensors, starts: Tensor, ends: Tensor, used: Tensor | None = None
    ) -> Judged:
        """Judge the windows with sound counting ``used`` (B,), or as the gate says."""
        used = self.importance(batch) if used is None else used
        part, whole = weighed(batch, used, self.ungated), None
        if self.ungated == "global":
            even = weighed(batch, torch.full_like(used, EVEN))
            whole = self.network.pools(even, self.network.felt(even))
        judged: Judged = self.network(part, starts, ends, whole)
        return judged


def weighed(batch: Tensors, used: Tensor, ungated: Level | None = None) -> Tensors:
    """Both sources, the first counting 1 - used (B,), the second used; curves and candidates."""
    even = torch.full_like(used, EVEN)
    curves, candidates = (
        torch.stack([1 - each, each], -1)
        for each in (even if ungated == level else used for level in ("local", "event"))
    )
    # Channels are z-scores of all sources, then ranks of all.
    kinds = batch.channels.shape[-1] // 2
    return batch._replace(
        channels=batch.channels * curves.repeat(1, kinds)[:, None],
        given=batch.given * candidates[:, :, None],
    )
