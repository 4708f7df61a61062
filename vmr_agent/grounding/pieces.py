"""A film judged piece by piece, so that no film is too long for the memory there is."""

from __future__ import annotations

import numpy as np
import torch

from vmr_agent.grounding.decode import Ints
from vmr_agent.grounding.inputs import Floats, Question, collate
from vmr_agent.grounding.network import Network, Tensors

PIECE = 8192
"""Windows judged at once: 30 MB."""


def judged(
    network: Network,
    question: Question,
    starts: Ints,
    ends: Ints,
    device: str = "cpu",
    piece: int = PIECE,
) -> tuple[Floats, Floats]:
    """Logits of the windows (N, KINDS) and of the number of moments (COUNTS,).

    Each window is judged by the whole film, so that pieces of any size give what all at once give.
    """
    asked = Tensors.of(collate([question]), device)
    windows, number = [], np.zeros(0, np.float32)
    with torch.inference_mode():
        for first in range(0, len(starts), piece):
            some = slice(first, first + piece)
            edges = (torch.from_numpy(each[some]).to(device) for each in (starts, ends))
            told = network(asked, *edges)
            windows.append(told.windows[0].cpu().numpy())
            number = told.number[0].cpu().numpy()
    return np.concatenate(windows), number
