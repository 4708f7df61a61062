"""What a window is like, as far as it can be read off curves and candidates: nothing is learned.

A window is described by its length and place, and by how far the candidates of each source agree
with it; a step by the candidates that begin, last and end there; a question by its candidates among
themselves.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from vmr_agent.grounding.inputs import Batch

SHARPNESS = (1, 3, 8)
"""Powers of IoU by which candidates vote for windows like them."""
NEARNESS = (0.6, 1.5)
"""Steps of standard deviation with which they vote for boundaries."""
WEIGHTS = 2
"""Every vote is cast twice: weighed by the candidate's score, and by its rank."""
PLACE = 5
"""Numbers about a window's own length and place."""
RASTERS = 3 * WEIGHTS + 1
"""Channels that the candidates of a source become: inside, first and last steps, the best one."""
TOKEN = 5
"""Numbers about a candidate among the others."""


class Tensors(NamedTuple):
    """A batch on the device."""

    channels: Tensor
    valid: Tensor
    candidates: Tensor
    given: Tensor
    """(B, S, K) how much each candidate counts, from 0 to 1."""

    @classmethod
    def of(cls, batch: Batch, device: str = "cpu") -> Tensors:
        """From numpy."""
        parts = (batch.channels, batch.valid, batch.candidates, batch.given.astype("float32"))
        return cls(*(torch.from_numpy(part).to(device) for part in parts))


def placed(batch: Tensors, starts: Tensor, ends: Tensor) -> Tensor:
    """(B, N, PLACE): length, on a log scale and as a share; at the film's start, its end; where."""
    steps = batch.valid.sum(1)[:, None].float()
    length = (ends - starts).float()
    return torch.stack(
        [
            torch.log(length),
            length / steps,
            (starts == 0).float(),
            (ends == steps).float(),
            (starts + ends) / (2 * steps) - 0.5,
        ],
        -1,
    )


def weights(batch: Tensors) -> tuple[Tensor, Tensor]:
    """(B, S, K) what each candidate's vote counts: by its score, and by its rank."""
    rank = torch.arange(1, batch.given.shape[-1] + 1, device=batch.given.device)
    return batch.candidates[..., 2] * batch.given, batch.given / rank


def overlaps(left: Tensor, right: Tensor) -> Tensor:
    """IoU of windows (..., 2), broadcast; 0 where one is empty."""
    inside = torch.minimum(left[..., 1], right[..., 1]) - torch.maximum(left[..., 0], right[..., 0])
    inside = torch.clamp(inside, min=0)
    whole = (left[..., 1] - left[..., 0]) + (right[..., 1] - right[..., 0]) - inside
    return inside / torch.clamp(whole, min=1e-6)


def votes(batch: Tensors, starts: Tensor, ends: Tensor) -> Tensor:
    """(B, N, votes): how far the candidates of each source agree with each window."""
    first, last = starts[..., None].float(), ends[..., None].float()
    found = []
    for source in range(batch.given.shape[1]):
        given = batch.candidates[:, source, None, :, :2]
        alike = overlaps(torch.stack([first, last], -1), given)
        apart = (first - given[..., 0], last - given[..., 1])
        near = [torch.exp(-0.5 * (a / by) ** 2) for a in apart for by in NEARNESS]
        for weight in weights(batch):
            cast = weight[:, source, None]
            found += [(cast * alike**power).sum(-1) for power in SHARPNESS]
            found += [(cast * alike).amax(-1), *((cast * each).sum(-1) for each in near)]
    return torch.stack(found, -1)


def ballot(sources: int) -> int:
    """How many numbers ``votes`` gives."""
    return sources * WEIGHTS * (len(SHARPNESS) + 1 + 2 * len(NEARNESS))


def rasters(batch: Tensors) -> Tensor:
    """(B, T, S * RASTERS): the candidates drawn on the steps."""
    middles = torch.arange(batch.valid.shape[1], device=batch.valid.device) + 0.5
    start, end = (batch.candidates[..., edge, None] for edge in (0, 1))
    inside = ((middles > start) & (middles < end)).float()
    first = (torch.floor(start) == middles - 0.5).float()
    last = (torch.ceil(end) == middles + 0.5).float()
    drawn = [
        torch.einsum("bsk,bskt->bst", cast, part)
        for cast in weights(batch)
        for part in (inside, first, last)
    ]
    return torch.cat([*drawn, inside[:, :, 0] * batch.given[:, :, :1]], 1).transpose(1, 2)


def tokens(batch: Tensors) -> Tensor:
    """(B, S, K, TOKEN) of candidates: score, log-odds of it, rank, length, how new it is.

    New is what no better candidate of the same source overlaps: several new ones with high scores
    are several moments.
    """
    score, rank = weights(batch)
    odds = torch.logit(torch.clamp(score, 1e-4, 1 - 1e-4)) / 4
    windows = batch.candidates[..., :2]
    steps = batch.valid.sum(1)[:, None, None]
    alike = overlaps(windows[..., :, None, :], windows[..., None, :, :])
    better = alike.tril(-1).amax(-1)
    length = (windows[..., 1] - windows[..., 0]) / steps
    told = torch.stack([score, odds, rank, length, (1 - better) * score], -1)
    return told * batch.given[..., None]


def pooled(felt: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """(B, width) mean and most over the steps of film."""
    count = valid.sum(1, keepdim=True)
    most = felt.masked_fill(~valid[..., None], -torch.inf).amax(1)
    return felt.sum(1) / count, most


def least(values: Tensor, starts: Tensor, ends: Tensor) -> Tensor:
    """(B, N, C) the least of (B, T, C) inside each window.

    Two stretches of a power of two cover any window, so that the least of each such stretch is all
    that must be known (a sparse table).
    """
    table, steps = [values], values.shape[1]
    while 2 ** len(table) <= steps:
        last, by = table[-1], 2 ** (len(table) - 1)
        behind = torch.cat([last[:, by:], last[:, -1:].expand(-1, by, -1)], 1)
        table.append(torch.minimum(last, behind))
    stretches = torch.stack(table, 1)
    level = torch.floor(torch.log2((ends - starts).float() + 0.5)).long()
    row = torch.arange(len(values), device=values.device)[:, None]
    first = stretches[row, level, starts]
    return torch.minimum(first, stretches[row, level, ends - 2**level])
