"""Questions judged by one network or several, forwards and backwards, piece by piece.

What a moment looks like does not depend on which way time runs, and neither do networks that
learned from films shown both ways: what they say of either is averaged. Each window is judged by
the whole film, so that pieces of any size give what all at once give, and no film is too long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vmr_agent.grounding.features import Tensors
from vmr_agent.grounding.inputs import Batch, Floats
from vmr_agent.grounding.network import Judged

Judge = Callable[[Tensors, Tensor, Tensor], Judged]
"""Judges windows, as ``Network`` does."""
PIECE = 2**15
"""Windows judged at once, of all questions together: about 80 MB."""


class Told(NamedTuple):
    """What the networks say of B questions."""

    windows: Floats
    """(B, N, KINDS) logits; of no use for windows that reach beyond the film."""
    number: Floats
    """(B, COUNTS) logits."""


def judged(
    networks: Sequence[Judge],
    batch: Batch,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    device: str = "cpu",
) -> Told:
    """What all ``networks`` say on average of windows (N,), in steps."""
    sides = [Tensors.of(each, device) for each in (batch, batch.backwards())]
    steps = torch.from_numpy(batch.steps)[:, None]
    piece, windows = max(1, PIECE // len(batch)), []
    with torch.inference_mode():
        for first in range(0, len(starts), piece):
            some = (torch.from_numpy(each[first : first + piece]) for each in (starts, ends))
            since, until = (each.expand(len(batch), -1) for each in some)
            back = torch.clamp(steps - until, min=0)
            edges = (since, until), (back, torch.maximum(steps - since, back + 1))
            told = [
                network(side, left.to(device), right.to(device))
                for side, (left, right) in zip(sides, edges, strict=True)
                for network in networks
            ]
            windows.append(_mean([each.windows for each in told]))
            number = _mean([each.number for each in told])
    return Told(np.concatenate(windows, axis=1), number)


def _mean(parts: Sequence[Tensor]) -> Floats:
    return np.asarray(torch.stack(list(parts)).mean(0).cpu().numpy(), np.float32)
