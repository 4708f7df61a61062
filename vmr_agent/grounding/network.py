"""The network: curves and candidates in, a distribution over all windows of the film out.

A dilated convolution reads the channels step by step. A window ``[s, e)`` is described by what it
finds at its first and last step, just outside of them, inside, and as far as half its length before
and after; by how well the candidates agree with it; and by its own length and place. What comes out
is one logit for each window and number of moments asked about, so that all windows of a film are
judged together, and the number of moments itself, none among them.

Facts from: 2D-TAN (Zhang et al. 2020: all windows of a grid), FlashMMR (2025: features
inside a candidate decide what it is worth). No code of either is used.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from vmr_agent.grounding.features import (
    PLACE,
    RASTERS,
    TOKEN,
    Tensors,
    ballot,
    least,
    placed,
    pooled,
    rasters,
    tokens,
    votes,
)

COUNTS = 7
"""Numbers of moments told apart: 0, 1, … 5, and 6 or more."""
KINDS = 3
"""Of questions by their number of moments, 1, 2, 3 or more: each has a distribution of its own."""
POOLS = 4
"""Widths of what is known of a question as a whole: see ``Network.pools``."""
DIPS = 8
"""Readings of which the least inside a window counts: a moment has no gap."""


class Sizes(NamedTuple):
    """What a checkpoint must say of a network to make it again."""

    channels: int
    """Of the curves."""
    sources: int
    """Of candidates."""
    width: int = 32
    """Of the convolution."""
    hidden: int = 64
    """Of a window's description."""
    dropout: float = 0.1


class Judged(NamedTuple):
    """What the network says."""

    windows: Tensor
    """(B, N, KINDS) logits over the N windows, for each kind of question."""
    number: Tensor
    """(B, COUNTS) logits of the number of moments."""
    steps: Tensor
    """(B, T, 3) logits: inside of, first of, last of some moment."""


class Network(nn.Module):
    """``Network(sizes)(tensors, starts, ends)``: (B, N) or (N,) windows in steps, judged."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        width, hidden, dropout = sizes.width, sizes.hidden, sizes.dropout
        self.trunk = Trunk(sizes.channels + 1 + RASTERS * sizes.sources, width, dropout)
        self.steps = nn.Linear(width, 3)
        self.roles = nn.Linear(width, len(ROLES) * hidden)
        self.votes = nn.Linear(PLACE + ballot(sizes.sources), hidden)
        self.dips, self.deepest = nn.Linear(width, DIPS), nn.Linear(DIPS, hidden)
        self.tokens = nn.Sequential(nn.Linear(TOKEN * sizes.sources, width), nn.ReLU())
        self.whole = nn.Sequential(nn.Linear(POOLS * width, 48), nn.ReLU(), nn.Dropout(dropout))
        self.context, self.count = nn.Linear(48, hidden), nn.Linear(48, COUNTS)
        self.head = nn.Sequential(
            nn.LayerNorm(hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, KINDS),
        )

    def forward(
        self, batch: Tensors, starts: Tensor, ends: Tensor, pools: Tensor | None = None
    ) -> Judged:
        """Judge the windows ``[start, end)``, which must lie inside the film.

        ``pools`` are known of the question as a whole, if not those of the batch itself.
        """
        rows = len(batch.channels)
        starts, ends = starts.expand(rows, -1), ends.expand(rows, -1)
        felt = self.felt(batch)
        whole = self.whole(self.pools(batch, felt) if pools is None else pools)
        told = torch.cat([placed(batch, starts, ends), votes(batch, starts, ends)], -1)
        seen = described(self.roles(felt), batch.valid, starts, ends) + self.votes(told)
        seen = seen + self.deepest(least(self.dips(felt), starts, ends))
        return Judged(
            windows=self.head(seen + self.context(whole)[:, None]),
            number=self.count(whole),
            steps=self.steps(felt),
        )

    def felt(self, batch: Tensors) -> Tensor:
        """(B, T, width) what each step is like."""
        parts = (batch.channels, batch.valid[..., None].float(), rasters(batch))
        felt: Tensor = self.trunk(torch.cat(parts, -1), batch.valid)
        return felt

    def pools(self, batch: Tensors, felt: Tensor) -> Tensor:
        """(B, POOLS * width) mean and most of what the steps are like, and of the candidates."""
        return torch.cat([*pooled(felt, batch.valid), *self._tokens(batch)], -1)

    def _tokens(self, batch: Tensors) -> tuple[Tensor, Tensor]:
        """Mean and most of what the candidates are like among themselves."""
        rows, sources, most = batch.given.shape
        told = tokens(batch).permute(0, 2, 1, 3).reshape(rows, most, sources * TOKEN)
        each = self.tokens(told)
        return each.mean(1), each.amax(1)


class Trunk(nn.Module):
    """(B, T, C) to (B, T, width); each step sees 16 to either side.

    Nothing is normalised over time and padding stays zero, so that a step's features are the same
    in whatever batch or longer stretch it comes.
    """

    DILATIONS = (1, 2, 4)

    def __init__(self, channels: int, width: int, dropout: float) -> None:
        super().__init__()
        self.first = nn.Conv1d(channels, width, 5, padding=2)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in self.DILATIONS)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, 5, padding=2 * by, dilation=by) for by in self.DILATIONS
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, channels: Tensor, valid: Tensor) -> Tensor:
        """Each layer adds to what is known of a step."""
        film = valid[..., None]
        felt = _along(self.first, channels) * film
        for norm, layer in zip(self.norms, self.layers, strict=True):
            news = _along(layer, torch.relu(norm(felt)) * film)
            felt = (felt + self.dropout(torch.relu(news))) * film
        return felt


def _along(layer: nn.Module, steps: Tensor) -> Tensor:
    """A convolution over (B, T, C)."""
    out: Tensor = layer(steps.transpose(1, 2))
    return out.transpose(1, 2)


ROLES = ("first", "outside before", "last", "outside after", "inside", "before", "after")
"""What a step can be to a window: each has a reading of its own."""


def described(readings: Tensor, valid: Tensor, starts: Tensor, ends: Tensor) -> Tensor:
    """(B, N, hidden) of windows, from (B, T, roles * hidden): a sum over the roles.

    Outside of the film there is nothing to be read. Means are differences of running sums, so that
    a window of any length is a weighed sum of ten rows.
    """
    rows, steps, _ = readings.shape
    parts = (readings * valid[..., None]).view(rows, steps, len(ROLES), -1)
    edge = nn.functional.pad(parts[:, :, :4], (0, 0, 0, 0, 1, 1))  # row t + 1 is step t
    total = nn.functional.pad(parts[:, :, 4:].cumsum(1), (0, 0, 0, 0, 1, 1))  # row t: up to step t
    half = torch.clamp((ends - starts) // 2, min=1)
    earlier = torch.clamp(starts - half, min=0)
    later = torch.minimum(ends + half, valid.sum(1, keepdim=True))
    lengths = torch.stack([ends - starts, starts - earlier, later - ends], -1)
    share = 1 / torch.clamp(lengths, min=1).to(readings)
    at = [starts + 1, starts, ends, ends + 1, ends, starts, starts, earlier, later, ends]
    weight = torch.stack([share, -share], -1).flatten(-2)
    weight = torch.cat([torch.ones_like(weight[..., :4]), weight], -1)
    role = torch.tensor([0, 1, 2, 3, 4, 4, 5, 5, 6, 6], device=readings.device)
    row = torch.arange(rows, device=readings.device)[:, None, None] * (steps + 2)
    place = (row + torch.stack(at, -1)) * len(ROLES) + role
    found = nn.functional.embedding_bag(
        place.flatten(0, 1),
        torch.cat([edge, total], 2).flatten(0, 2),
        per_sample_weights=weight.flatten(0, 1),
        mode="sum",
    )
    return found.view(rows, starts.shape[1], -1)
