"""The processes that train one network together, as ``torchrun`` started them; or one alone.

Each looks at its share of every batch, gradients are summed over all, and so every process holds
the same network at any time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, distributed, nn

from vmr_agent.grounding.training.targets import Ints

T = TypeVar("T")


class Team(NamedTuple):
    """Who this process is among how many, and where it computes."""

    rank: int = 0
    size: int = 1
    device: str = "cpu"

    @property
    def alone(self) -> bool:
        """Whether there is nobody else."""
        return self.size == 1

    def share(self, rows: Ints) -> Ints:
        """This process's part of a batch; it may be empty."""
        return rows[self.rank :: self.size]

    def summed(self, module: nn.Module, loss: Tensor) -> float:
        """The sum of all losses; the module's gradients become the sum of everybody's."""
        if self.alone:
            return loss.item()
        learned = list(module.parameters())
        parts = [loss.detach().reshape(1)]
        parts += [torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten()
                  for p in learned]  # fmt: skip
        whole = torch.cat(parts)
        distributed.all_reduce(whole)
        sizes = [part.numel() for part in parts]
        for parameter, part in zip(learned, torch.split(whole, sizes)[1:], strict=True):
            parameter.grad = part.view_as(parameter).clone()
        return whole[0].item()

    def gathered(self, mine: T) -> list[T]:
        """What everybody has, in the order of ranks."""
        if self.alone:
            return [mine]
        everybody: list[T | None] = [None] * self.size
        distributed.all_gather_object(everybody, mine)
        return [each for each in everybody if each is not None]

    def told(self, by_first: T) -> T:
        """What the first of the team says."""
        if self.alone:
            return by_first
        said = [by_first]
        distributed.broadcast_object_list(said)
        return said[0]


ALONE = Team()


@contextmanager
def joined(rank: int, size: int, device: str) -> Iterator[Team]:
    """A team while it lasts. ``device`` is ``cpu`` or ``cuda``: one for each process here."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(device == "cpu")  # cumsum on CUDA has no such way
    place = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if device == "cuda" else device
    if device == "cuda":
        torch.cuda.set_device(place)
    if size == 1:
        yield Team(device=place)
        return
    distributed.init_process_group("nccl" if device == "cuda" else "gloo")
    try:
        yield Team(rank, size, place)
    finally:
        distributed.destroy_process_group()
