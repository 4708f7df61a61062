"""Whether what is called a probability is one."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

BINS = 10


def calibration_error(probabilities: ArrayLike, right: ArrayLike) -> float:
    """Expected calibration error (Guo et al. 2017) over ten bins of equal width; 0 of nothing."""
    told, held = np.asarray(probabilities, np.float64), np.asarray(right, np.float64)
    place = np.clip((told * BINS).astype(int), 0, BINS - 1)
    gaps = np.abs(np.bincount(place, told - held))
    return float(gaps.sum() / max(1, len(told)))
