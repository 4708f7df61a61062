"""From what questions without an answer score to the score from which an answer is believed.

Split conformal prediction (Vovk et al. 2005; Angelopoulos and Bates 2021): if a new question
without an answer is exchangeable with those that were asked before, it is as likely to come at any
rank among them as at any other, however scores are spread.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def threshold(scores: Sequence[float], rate: float) -> float:
    """The least score that a new question without an answer reaches with probability ``rate``.

    ``scores`` are the highest that each of N others reached. It reaches at least the result with
    probability floor(``rate`` (N + 1)) / (N + 1) if no two score the same, and never with more.
    Raises ValueError where N is too small for any such score.
    """
    place = math.floor(rate * (len(scores) + 1))
    if place < 1:
        raise ValueError(f"{len(scores)} scores do not tell what one in {1 / rate:.0f} reaches")
    highest = np.sort(np.asarray(scores, np.float64))[::-1]
    return float(np.nextafter(highest[place - 1], math.inf))
