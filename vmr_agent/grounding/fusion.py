"""Two opinions become one probability, as often right as it says.

Platt's scaling (1999) with two inputs: a logistic regression of what is true on the log-odds of
both. Neither weight is negative: who grows surer makes the whole no less sure. Where one says
nothing, the other's word stands.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from vmr_agent.errors import WeightsError

Doubles = NDArray[np.float64]

NEARLY = 1e-6
"""What lies between a certainty and the probability it is taken for: log-odds must be finite."""
STEPS = 100
"""Newton's steps at most; ten or so are taken."""
CLOSE = 1e-9
"""Change of the weights below which no further step is taken."""
RIDGE = 1e-6
"""Curvature added, so that opinions that tell everything apart leave the weights finite."""

Weight = Annotated[FiniteFloat, Field(ge=0)]


class Fusion(BaseModel):
    """How much each opinion counts, in log-odds."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    form: Literal[1] = 1
    """Raised when the numbers come to mean something else."""
    bias: FiniteFloat
    """Log-odds where both opinions are even."""
    small: Weight
    """Weight of the small network's log-odds."""
    large: Weight
    """Weight of the large model's."""
    pairs: Annotated[int, Field(ge=0)]
    """Pairs of opinions that it was fitted on; 0 for one that was not."""
    data: str
    """What those were about, and with which models."""

    def fused(self, small: float | None, large: float | None) -> float:
        """One probability from two; from one, itself. Raises ValueError without any.

        Probabilities lie in [0, 1]; ``nan`` and what lies outside raise ValueError too.
        """
        given = [each for each in (small, large) if each is not None]
        if not given or not all(0 <= each <= 1 for each in given):
            raise ValueError(f"two probabilities, or one, not {small} and {large}")
        if small is None or large is None:
            return given[0]
        odds = self.bias + self.small * _log_odds(small) + self.large * _log_odds(large)
        return float(_logistic(np.asarray(odds)))


EVEN = Fusion(bias=0, small=0.5, large=0.5, pairs=0, data="nothing")
"""The mean of both log-odds, for want of better: calibrated for nothing."""


def fit(small: Sequence[float], large: Sequence[float], true: Sequence[bool], data: str) -> Fusion:
    """The likeliest fusion of pairs (N,) of probabilities with what turned out to be so (N,).

    Targets are drawn in a little, as Platt does, so that few pairs promise no certainty. Raises
    ValueError unless there are pairs of both outcomes.
    """
    outcomes = np.asarray(true, bool)
    if not (len(small) == len(large) == len(outcomes)) or outcomes.all() or not outcomes.any():
        raise ValueError("pairs of both outcomes are needed, and as many of each thing")
    yes, no = outcomes.sum(), (~outcomes).sum()
    targets = np.where(outcomes, (yes + 1) / (yes + 2), 1 / (no + 2))
    rows = np.stack([np.ones(len(outcomes)), _log_odds(small), _log_odds(large)], axis=1)
    # The least loss lies inside, or on an edge: on each face it is where no weight is bounded.
    faces = [np.array([True, *some]) for some in product((True, False), repeat=2)]
    solved = [_solved(rows, targets, face) for face in faces]
    legal = [weights for weights in solved if (weights[1:] >= 0).all()]
    bias, few, many = min(legal, key=lambda weights: _loss(rows, targets, weights)).tolist()
    return Fusion(bias=bias, small=few, large=many, pairs=len(outcomes), data=data)


def save(fusion: Fusion, path: Path) -> None:
    """Write it; the file is whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(fusion.model_dump_json(indent=1) + "\n", encoding="utf-8")
    part.replace(path)


def load(path: Path) -> Fusion:
    """From a file. Raises WeightsError for one that is missing, or no fusion."""
    try:
        return Fusion.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise WeightsError(f"{str(path)!r} cannot be read: {error.strerror}") from error
    except (ValueError, ValidationError) as error:
        first = str(error).splitlines()[0]
        raise WeightsError(f"{str(path)!r} is no fusion of grounders: {first}") from error


def _solved(rows: Doubles, targets: Doubles, face: NDArray[np.bool_]) -> Doubles:
    """Weights (3,) of least loss, 0 off the face: Newton's method, its steps halved if need be."""
    weights, seen = np.zeros(rows.shape[1]), rows[:, face]
    for _ in range(STEPS):
        guess = _logistic(rows @ weights)
        slope = seen.T @ (guess - targets) + RIDGE * weights[face]
        curve = (seen * (guess * (1 - guess))[:, None]).T @ seen + RIDGE * np.eye(int(face.sum()))
        step = np.zeros_like(weights)
        step[face] = np.linalg.solve(curve, slope)
        while _loss(rows, targets, weights - step) > _loss(rows, targets, weights):
            step /= 2
        weights = weights - step
        if np.abs(step).max() < CLOSE:
            break
    return weights


def _loss(rows: Doubles, targets: Doubles, weights: Doubles) -> float:
    logits = rows @ weights
    worth = np.logaddexp(0, logits) - targets * logits
    return float(worth.sum() + RIDGE / 2 * weights @ weights)


def _log_odds(chance: float | Sequence[float]) -> Doubles:
    """Raises ValueError for what is no probability."""
    given = np.asarray(chance, np.float64)
    if not ((given >= 0) & (given <= 1)).all():
        raise ValueError("a probability lies between 0 and 1")
    held = np.clip(given, NEARLY, 1 - NEARLY)
    return np.asarray(np.log(held) - np.log1p(-held))


def _logistic(logits: Doubles) -> Doubles:
    return np.asarray(np.exp(-np.logaddexp(0, -logits)))
