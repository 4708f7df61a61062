"""What others do with a detector's windows, beside which ours has to earn its place.

They keep the windows and score each anew, by itself:

- ``post-verifier`` (FlashMMR, 2025): a GRU over the steps inside a window, whose last state says
  its IoU (MSE), while steps of the same moment are drawn together (contrastive).
- ``lars`` (2026): a small network of what the curve says inside, of the detector's own score and
  of the window's length.

The scores are joined with the detector's own as ``s^(1 - b) p^b``. Facts of the papers, no code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from vmr_agent.grounding.features import Tensors, overlaps
from vmr_agent.grounding.inputs import Batch, Floats, Question, collate
from vmr_agent.grounding.network import Sizes, Trunk
from vmr_agent.grounding.training.fit import Run, train
from vmr_agent.grounding.training.lesson import Course
from vmr_agent.grounding.training.targets import Ints, Moments

SHARE = 0.5
"""b: how much the new score counts."""
WEIGHTS = 9.0, 0.7
"""Of FlashMMR's two losses."""
COLD = 0.1
"""Temperature of the contrastive one."""


class Scored(NamedTuple):
    """(B, K) logits of each candidate's IoU, and (B, K, L, width) its steps, if they are drawn."""

    logits: Tensor
    steps: Tensor | None


class PostVerifier(nn.Module):
    """Of one source's candidates."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.trunk = Trunk(sizes.channels + 1, sizes.width, sizes.dropout)
        self.gru = nn.GRU(sizes.width, sizes.hidden, batch_first=True)
        self.head = nn.Sequential(
            *(nn.Linear(sizes.hidden, 64), nn.ReLU(), nn.Dropout(0.3)),
            *(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 1)),
        )

    def forward(self, batch: Tensors) -> Scored:
        """Each candidate by the steps inside of it."""
        parts = torch.cat([batch.channels, batch.valid[..., None].float()], -1)
        felt = self.trunk(parts, batch.valid)
        where, length = inside(batch)
        row = torch.arange(len(felt), device=felt.device)[:, None, None]
        steps = felt[row, where]
        flat = nn.utils.rnn.pack_padded_sequence(
            steps.flatten(0, 1), length.flatten().cpu(), batch_first=True, enforce_sorted=False
        )
        last = self.gru(flat)[1][0].view(*length.shape, -1)
        return Scored(self.head(last).squeeze(-1), steps)


class Lars(nn.Module):
    """Of one source's candidates."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.head = nn.Sequential(
            *(nn.Linear(sizes.channels + 2, sizes.hidden), nn.ReLU(), nn.Dropout(sizes.dropout)),
            *(nn.Linear(sizes.hidden, sizes.hidden), nn.ReLU(), nn.Linear(sizes.hidden, 1)),
        )

    def forward(self, batch: Tensors) -> Scored:
        """Each candidate by the mean of the curve inside, its score and its length."""
        where, length = inside(batch)
        row = torch.arange(len(where), device=where.device)[:, None, None]
        counts = torch.arange(where.shape[-1], device=where.device) < length[..., None]
        mean = (batch.channels[row, where] * counts[..., None]).sum(2) / length[..., None]
        score = torch.logit(batch.candidates[:, 0, :, 2].clamp(1e-4, 1 - 1e-4))
        told = torch.cat([mean, score[..., None] / 4, torch.log(length.float())[..., None]], -1)
        return Scored(self.head(told).squeeze(-1), None)


RERANKERS: dict[str, Callable[[Sizes], nn.Module]] = {"post-verifier": PostVerifier, "lars": Lars}


def inside(batch: Tensors) -> tuple[Tensor, Tensor]:
    """(B, K, L) the steps in each candidate, and (B, K) how many count: one at least."""
    film = batch.valid.sum(1)[:, None]
    first = torch.minimum(batch.candidates[:, 0, :, 0].floor().long(), film - 1)
    last = torch.minimum(batch.candidates[:, 0, :, 1].ceil().long(), film)
    length = torch.clamp(last - first, min=1)
    steps = first[..., None] + torch.arange(int(length.max()), device=first.device)
    return torch.minimum(steps, film[..., None] - 1), length


class Looked(NamedTuple):
    """What one step of training looks at."""

    asked: Tensors
    iou: Tensor
    """(B, K) of each candidate with the moment that it overlaps most."""
    moment: Tensor
    """(B, T) which moment each step is in, -1 for none."""


class Windows:
    """The candidates of all questions, and how right they are."""

    def __init__(self, batch: Batch, moments: Moments) -> None:
        self._batch, self._moments = batch, moments

    def task(self, rows: Ints, dice: np.random.Generator) -> Looked:  # noqa: ARG002
        """Some of the questions."""
        asked, steps = Tensors.of(self._batch.take(rows)), self._batch.valid.shape[1]
        moment = torch.full((len(rows), steps), -1)
        iou = torch.zeros(asked.given.shape[0], asked.given.shape[2])
        for place, row in enumerate(rows):
            true = torch.from_numpy(np.asarray(self._moments[row], np.float32))
            found = overlaps(asked.candidates[place, 0, :, None, :2], true)
            iou[place] = found.amax(-1) if len(true) else 0
            for number, (start, end) in enumerate(true.round().long().tolist()):
                moment[place, start:end] = number
        return Looked(asked, iou, moment)


def cost(scored: Scored, looked: Looked) -> Tensor:
    """MSE to the IoU; where steps are told, besides whether those of a moment are alike."""
    given = looked.asked.given[:, 0]
    error = ((torch.sigmoid(scored.logits) - looked.iou) ** 2 * given).sum() / given.sum()
    if scored.steps is None:
        return error
    where, length = inside(looked.asked)
    row = torch.arange(len(where), device=where.device)[:, None, None]
    moment = looked.moment[row, where]
    counts = torch.arange(where.shape[-1], device=where.device) < length[..., None]
    felt = nn.functional.normalize(scored.steps, dim=-1)
    alike = torch.einsum("bkld,bkmd->bklm", felt, felt) / COLD
    same = ((moment[..., None] == moment[..., None, :]) & (moment[..., None] >= 0)).float()
    both = (counts[..., None] & counts[..., None, :]).float()
    each = nn.functional.binary_cross_entropy_with_logits(alike, same, reduction="none")
    return WEIGHTS[0] * error + WEIGHTS[1] * (each * both).sum() / both.sum()


def reranked(
    name: str,
    known: tuple[Sequence[Question], Moments],
    asked: Sequence[Question],
    course: Course,
    seed: int,
) -> list[tuple[Floats, Floats]]:
    """Of each question the windows of its first source, best first, and their scores."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    batch = collate(known[0])
    module = RERANKERS[name](Sizes(batch.channels.shape[-1], 1))
    lesson, run = Windows(batch, known[1]), Run()

    def lost(looked: Looked, _: int) -> Tensor:
        return cost(module(looked.asked), looked)

    train(module, lesson, len(batch), lost, course, seed, run)
    told = collate(asked)
    with torch.inference_mode():
        chance = torch.sigmoid(module(Tensors.of(told)).logits).numpy()
    return [
        _ordered(*each)
        for each in zip(told.candidates[:, 0], told.given[:, 0], chance, strict=True)
    ]


def _ordered(candidates: Floats, given: Floats, chance: Floats) -> tuple[Floats, Floats]:
    windows, score = candidates[given.astype(bool)], chance[given.astype(bool)]
    joined = windows[:, 2] ** (1 - SHARE) * score**SHARE
    order = np.argsort(-joined, kind="stable")
    return windows[order, :2], joined[order].astype(np.float32)
