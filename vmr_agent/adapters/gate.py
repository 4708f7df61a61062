"""Says how much sound counts: the gate of ``vmr_agent.grounding``, from a folder (IMG).

What it is given is made by ``question``, and nowhere else: weights that learned from something else
than that are refused by their card, or they are no good.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vmr_agent.adapters import weights
from vmr_agent.errors import MachineError, WeightsError
from vmr_agent.protocols import Array, Bounded, GateRequest

if TYPE_CHECKING:
    from vmr_agent.grounding.checkpoint import Card
    from vmr_agent.grounding.gate import Gated
    from vmr_agent.grounding.inputs import Question

SIDES = ("seen", "heard")
"""Names of the curves that weights must have learned from, and of their candidates."""
STEP = 2.0
"""Seconds of a step where weights do not say: which side is right is no matter of seconds."""
MOST = 1024
"""Steps of a film; a longer one has steps of twice the length, or four times …"""
COARSE = 1.5
"""Ratio of steps from which those of the curves are too long for the weights."""


def shipped() -> Path | None:
    """The folder of the weights that come with this package, if it has any."""
    folder = Path(__file__).parents[1] / "grounding" / "weights" / "gate"
    return folder if (folder / "card.json").is_file() else None


class AudioGate:
    """A ``Gate``. ``AudioGate(Path("gate"))``.

    It is small and always runs on the CPU. Making one is cheap: the first ``importance`` loads the
    weights, and raises WeightsError if they cannot be loaded or were made for something else.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def name(self) -> str:
        """The digest of its files."""
        return f"audio gate {weights.marks(self._folder)}"

    def importance(self, request: GateRequest) -> float:
        """What sound counts, in [0, 1]: the mean of what is said of the film and of it backwards.

        Raises WeightsError, and MachineError where there is no memory.
        """
        import torch

        from vmr_agent.grounding.features import Tensors
        from vmr_agent.grounding.inputs import collate

        gated, card = self._loaded
        if card.step is not None and request.step > COARSE * card.step:
            raise WeightsError(
                f"{str(self._folder)!r} was trained for steps of {card.step} s, not "
                f"{request.step} s: lower VMR_RETRIEVE__STEP"
            )
        batch = collate([question(request, card.step)], card.candidates)
        try:
            with torch.inference_mode():
                told = [gated.importance(Tensors.of(b)) for b in (batch, batch.backwards())]
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise MachineError(
                "no memory is left for the audio gate: set VMR_MODELS__GATE=off"
            ) from error
        counts = float(torch.stack(told).mean())
        if not np.isfinite(counts):
            raise WeightsError(f"{str(self._folder)!r} gives no numbers: train it again")
        return min(1.0, max(0.0, counts))

    @cached_property
    def _loaded(self) -> tuple[Gated, Card]:
        from vmr_agent.grounding import checkpoint

        return checkpoint.load_gated(self._folder, SIDES, SIDES)


def question(request: GateRequest, step: float | None = None) -> Question:
    """What of it goes through the network, in steps of about ``step`` seconds: log-odds."""
    from vmr_agent.grounding.inputs import Question

    by = max(1, round((step or STEP) / request.step))
    while -(-len(request.seen) // by) > MOST:
        by *= 2
    curves = np.stack([_coarse(each, by) for each in (request.seen, request.heard)], axis=1)
    length = by * request.step
    told = (_windows(each, length) for each in (request.seen_at, request.heard_at))
    return Question(curves, tuple(told))


def _coarse(curve: Array, by: int) -> Array:
    """(T,) mean log-odds of ``by`` values each."""
    from vmr_agent.grounding.excerpt import odds

    first = np.arange(0, len(curve), by)
    many = np.diff(np.append(first, len(curve)))
    return np.asarray(np.add.reduceat(odds(curve), first) / many, np.float32)


def _windows(told: Sequence[Bounded], step: float) -> Array:
    """(K, 3) start and end in steps, score."""
    rows = [(each.span.start / step, each.span.end / step, each.chance) for each in told]
    return np.array(rows, np.float32).reshape(-1, 3)
