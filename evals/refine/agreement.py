"""Whether the gate knows which of two files was right, and the baseline that needs no gate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evals.refine.rows import TRUTH, WINDOWS, YOUTUBE, Row
from vmr_agent.grounding.inputs import tied_ranks
from vmr_agent.metrics.bootstrap import DRAWS, draws
from vmr_agent.metrics.matching import Floats
from vmr_agent.metrics.strict import shares

MOST = 10


def concatenated(files: Sequence[tuple[Row, ...]]) -> list[Row]:
    """The windows of all files, the best scored ten of each query: no training."""
    rows = []
    for each in files:
        windows = [window for row in each for window in row[WINDOWS]]
        windows.sort(key=lambda window: -window[2])
        rows.append({**each[0], WINDOWS: windows[:MOST]})
    return rows


def agreement(
    importance: NDArray[np.floating], files: Sequence[tuple[Row, ...]], truth: Sequence[Row]
) -> str:
    """One line: rank correlation of the gate with how much better the second file does.

    Of the queries for which the two files have not the same average precision.
    """
    known = {row["qid"]: row for row in truth if TRUTH in row}
    asked = [known[each[0]["qid"]] for each in files]
    first, second = (shares([each[n] for each in files], asked)[:, 2] for n in (0, 1))
    apart = np.flatnonzero(first != second)
    if len(apart) < 3:
        return "gate: the two files do equally well"
    gate, better = np.asarray(importance, np.float64)[apart], (second - first)[apart]
    videos = [str(asked[n]["vid"])[:YOUTUBE] for n in apart]
    weight = np.concatenate([np.ones((1, len(apart))), draws(videos, DRAWS, 0)])
    found = _correlation(tied_ranks(gate), tied_ranks(better), weight)
    low, high = np.nanpercentile(found[1:], (2.5, 97.5))
    means = [float(gate[side].mean()) for side in (better > 0, better < 0)]
    return (
        f"gate: Spearman {found[0]:.3f} (95 % {low:.3f} to {high:.3f}) with how much better the "
        f"second file does, over {len(apart)} queries; on average {means[0]:.3f} where it does "
        f"better, {means[1]:.3f} where it does worse"
    )


def _correlation(left: Floats, right: Floats, weight: Floats) -> Floats:
    """(D,) Pearson's, of values (N,) under weights (D, N)."""
    share = weight / weight.sum(axis=1, keepdims=True)
    left, right = (each - (share @ each)[:, None] for each in (left, right))
    spread = np.sqrt((share * left**2).sum(1) * (share * right**2).sum(1))
    return np.asarray((share * left * right).sum(1) / spread, np.float64)
