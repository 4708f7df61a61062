"""Frames that look alike are stored as one vector, with the exact span for which it stands.

SMORE ("See More, Store Less", arXiv 2601.09350), structured visual compression: a walk with an
anchor gathers frames into groups, a truncated SVD makes one vector of each group.
"""

from __future__ import annotations

from itertools import pairwise
from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vmr_agent.protocols import Array

UNDECIDED = 1e-5  # a projection so small may be rounding: its sign says nothing


class Groups(NamedTuple):
    """Groups of frames, in order; each stands for ``[start, end)`` and they leave no gap."""

    starts: NDArray[np.float64]
    """(G,) seconds, rising: the time of a group's first sample."""
    ends: NDArray[np.float64]
    """(G,) seconds: where the next group starts."""
    vectors: NDArray[np.float16]
    """(G, D) unit rows, half precision."""


def compress(
    times: NDArray[np.float64],
    vectors: Array,
    cuts: NDArray[np.float64],
    theta: float,
    energy: float = 0.95,
    end: float = inf,
) -> Groups:
    """One vector for each group of samples: times (N,) seconds, rising; vectors (N, D) unit rows.

    ``cuts`` are the seconds, rising, at which shots begin; no group goes across one. ``theta`` is
    a cosine, see ``groups``; ``energy`` a share, see ``principal``; ``end`` the second at which
    the last group ends.
    """
    first = groups(vectors, np.searchsorted(cuts, times, side="right"), theta)
    # A sample that is alone stays what it is.
    rows = vectors[first]
    for number, (here, there) in enumerate(pairwise([*first, len(vectors)])):
        if there - here > 1:
            rows[number] = principal(vectors[here:there], energy)
    starts = times[first]
    return Groups(starts, np.append(starts, end)[1:], rows.astype(np.float16))


def groups(vectors: Array, shots: NDArray[np.integer[Any]], theta: float) -> NDArray[np.int64]:
    """Indices (G,) of the samples with which groups begin (SMORE, the anchor walk).

    A sample joins the group while its cosine with the group's first is above ``theta``, in [0, 1];
    at 1 nothing is joined. ``vectors`` (N, D) are unit rows, ``shots`` (N,) says which is in which.
    """
    first: list[int] = []
    for now, (vector, shot) in enumerate(zip(vectors, shots, strict=True)):
        # Rounding can lift the cosine of a vector with itself above 1.
        if not first or shot != shots[first[-1]] or min(1, vector @ vectors[first[-1]]) <= theta:
            first.append(now)
    return np.asarray(first, np.int64)


def principal(rows: Array, energy: float) -> Array:
    """A group's rows (n, D) as one unit vector (D,): the mean of s_r v_r over r <= k (SMORE).

    s_r and v_r are the rows' singular values and right singular vectors, k the least rank with
    s_1^2 + ... + s_k^2 >= ``energy`` of all. An SVD leaves signs open: each v_r is turned towards
    the mean row, and where it is at right angles to that, towards the first.
    """
    tall = len(rows) > rows.shape[1]
    # The smaller of the two Gram matrices has the same s_r^2 and takes a fraction of the time.
    squares, basis = np.linalg.eigh(rows.T @ rows if tall else rows @ rows.T)
    squares, basis = np.maximum(squares[::-1], 0), basis[:, ::-1]
    sums = np.cumsum(squares)
    k = int(np.searchsorted(sums, energy * sums[-1])) + 1
    scaled = np.sqrt(squares[:k, None]) * basis[:, :k].T if tall else basis[:, :k].T @ rows
    lean = scaled @ rows.mean(axis=0)
    lean = np.where(np.abs(lean) > UNDECIDED, lean, scaled @ rows[0])
    total = np.where(lean < 0, -1, 1) @ scaled
    return np.asarray(total / np.linalg.norm(total), np.float32)
