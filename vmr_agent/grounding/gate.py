"""How much sound counts: an importance learned for each question (IMG, 2025).

Two sources say what is where, one without sound and one with it. Weighed 1 - p and p, they go
through the same network: their curves (local), their candidates (event), and what all of them are
like (global). With p = 0 a film without sound loses nothing; distillation sees to that. The gate
itself is the paper's: a logistic of what is pooled from either source alone.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vmr_agent.grounding.features import Tensors
from vmr_agent.grounding.network import Judged, Network, Sizes

PICTURE, SOUND = 0, 1
"""Places of the two sources."""


class Gate(nn.Module):
    """(B,) importance of sound in [0, 1], from (B, T, width) of either source alone."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.looks = nn.Parameter(torch.zeros(2, width))
        self.weighs = nn.Linear(2 * width, 1)

    def forward(self, picture: Tensor, sound: Tensor, valid: Tensor) -> Tensor:
        """Attention pools with a learned look each, then a logistic."""
        pools = []
        for look, felt in zip(self.looks, (picture, sound), strict=True):
            attention = (felt @ look).masked_fill(~valid, -torch.inf).softmax(1)
            pools.append((attention[..., None] * felt).sum(1))
        return torch.sigmoid(self.weighs(torch.cat(pools, -1))).squeeze(-1)


class Gated(nn.Module):
    """A network of two sources with its gate; ``fixed`` holds the gate where it is."""

    def __init__(self, sizes: Sizes, fixed: float | None = None) -> None:
        super().__init__()
        self.network, self.gate, self.fixed = Network(sizes), Gate(sizes.width), fixed

    def importance(self, batch: Tensors) -> Tensor:
        """(B,) what sound counts in each question."""
        if self.fixed is not None:
            return torch.full_like(batch.channels[:, 0, 0], self.fixed)
        alone = (torch.zeros_like(batch.channels[:, 0, 0]) + source for source in (PICTURE, SOUND))
        told: Tensor = self.gate(
            *(self.network.felt(weighed(batch, used)) for used in alone), batch.valid
        )
        return told

    def forward(
        self, batch: Tensors, starts: Tensor, ends: Tensor, used: Tensor | None = None
    ) -> Judged:
        """Judge the windows with sound counting ``used`` (B,), or as the gate says."""
        used = self.importance(batch) if used is None else used
        judged: Judged = self.network(weighed(batch, used), starts, ends)
        return judged


def weighed(batch: Tensors, used: Tensor) -> Tensors:
    """Both sources, the first counting 1 - used (B,), the second used."""
    share = torch.stack([1 - used, used], -1)
    # Channels are z-scores of all sources, then ranks of all.
    kinds = batch.channels.shape[-1] // 2
    return batch._replace(
        channels=batch.channels * share.repeat(1, kinds)[:, None],
        given=batch.given * share[:, :, None],
    )
