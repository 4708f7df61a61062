"""Where tensors live: the only place that knows device names."""

from __future__ import annotations

import os
import sys
from typing import Literal, NamedTuple

from vmr_agent.errors import MachineError

CPU = "cpu"
YIELDING = 10
"""Steps of niceness: a tenth of the share that others have of a core."""


def pick(setting: Literal["auto", "cpu", "cuda"]) -> str:
    """``cpu`` or ``cuda``; ``auto`` takes cuda where torch sees one.

    Raises MachineError when cuda is asked for and torch sees none.
    """
    if setting == CPU:
        return CPU
    import ctranslate2

    # It answers at once; torch takes three seconds to import, so it is asked only on a yes.
    if setting == "auto" and not ctranslate2.get_cuda_device_count():
        return CPU
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if setting == "cuda":
        raise MachineError(
            f"models.device is cuda but torch {torch.__version__} sees no CUDA device: "
            "set VMR_MODELS__DEVICE=cpu, or install a CUDA build of torch and a driver"
        )
    return CPU


class Card(NamedTuple):
    """A card that torch sees."""

    name: str
    free: int
    """Bytes of its memory that nobody has taken."""
    total: int


class Survey(NamedTuple):
    """What torch is, and what it sees."""

    version: str
    cuda: str | None
    """Version of CUDA that it was built for."""
    mps: bool
    """Whether there is an Apple GPU."""
    cards: tuple[Card, ...]


def survey() -> Survey:
    """Loads torch, in some seconds. Raises ImportError or OSError where it does not load."""
    import torch

    cards = []
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        free, total = torch.cuda.mem_get_info(number)
        cards.append(Card(torch.cuda.get_device_name(number), free, total))
    mps = torch.backends.mps.is_available()
    return Survey(torch.__version__, torch.version.cuda, mps, tuple(cards))


def halves(device: str) -> bool:
    """Whether the device is faster at 16 bits than at 32."""
    return device != CPU


def quick_bfloat16(device: str) -> bool:
    """Whether the device multiplies bfloat16 in hardware: then it takes half the time."""
    import torch

    if device != CPU:
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported())


def give_way() -> None:
    """From here on this thread, and those that it starts, leave a core to whoever wants it.

    Speech can be recognised on all cores once the picture is through, but not the other way round:
    a film is decoded in order. Only Linux has priorities for threads.
    """
    if sys.platform == "linux":
        os.nice(YIELDING)


def workers(share: int = 2) -> int:
    """Threads for one model on the CPU: half the cores, for picture and sound share them.

    Threads that wait for each other at every layer lose far more than they gain when cores are
    busy: on two cores, with speech recognised beside it, two were ten times slower than one.
    """
    return max(1, (os.cpu_count() or 1) // share)
