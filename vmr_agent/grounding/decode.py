"""From a distribution over moments to ranked windows: the ranking that it expects most of.

The network says how likely each window is to be a moment if there is one, two, or more. Sets of
moments are drawn from that, none overlapping another, and windows are chosen one after another:
always the one that adds most to the expected average precision, given those chosen already
(minimum Bayes risk). A second window near the first pays as long as it may be the better one of the
two; somewhere else pays as soon as another moment is likelier. With one moment the expectation is
exact, not drawn.

FlashMMR (2025) re-scores each candidate by itself; here they are weighed as a set.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vmr_agent.grounding.inputs import Floats, iou

Ints = NDArray[np.int64]

THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""IoUs at which a window can be right."""
RIGHT = 0.5
"""IoU from which ``quality`` counts a window as right."""
LITTLE = 0.25
"""Share of the shorter of two windows that both may cover and still be two moments."""
MOST_DRAWN = 6
"""Moments in a drawn set at most; there are drawn ones of 2 and more."""
ALL = (1 << len(THRESHOLDS)) - 1
"""The bit mask of all thresholds."""
HALF = len(THRESHOLDS) // 2
BITS = ((np.arange(1 << HALF)[:, None] >> np.arange(HALF)) & 1).astype(np.float64)
"""(32, 5) which thresholds half a bit mask holds."""


class Effort(NamedTuple):
    """How much of the distribution is looked at."""

    windows: int = 300
    """Likeliest windows that moments are drawn from."""
    choices: int = 200
    """Likeliest windows that may be chosen."""
    sets: tuple[int, ...] = (48, 36, 16, 10, 10)
    """Drawn for 2, 3, … moments."""


class Posterior(NamedTuple):
    """What the network believes of one question."""

    starts: Ints
    """(N,) first step of each window."""
    ends: Ints
    """(N,) step behind its last."""
    windows: Floats
    """(3, N) probability of each window to be a moment if there are 1, 2, 3 or more; rows sum to 1.
    """
    number: Floats
    """(7,) probability of each number of moments, 0 to 6 or more."""


class Ranked(NamedTuple):
    """Windows, best first."""

    windows: Ints
    """(R, 2) start and end in steps."""
    quality: Floats
    """(R,) probability that it overlaps a moment by half and more, not rising."""


def posterior(
    starts: Ints, ends: Ints, logits: Floats, count: Floats, sharpness: float = 1.0
) -> Posterior:
    """From logits (N, 3) and (7,); ``sharpness`` multiplies those of the windows."""
    return Posterior(starts, ends, _softmax(sharpness * logits.T), _softmax(count))


def rank(
    believed: Posterior,
    most: int,
    rng: np.random.Generator,
    effort: Effort | None = None,
    apart: bool = False,
) -> Ranked:
    """The best ``most`` windows, if there is any moment at all.

    Those of an answer lie ``apart``: none shares more than a little with a better one. A ranking
    that is scored may say two things of one moment.
    """
    effort = effort or Effort()
    some = believed.number[1:] / max(1e-9, believed.number[1:].sum())
    likely = [*some[:2].tolist(), some[2:].sum()]
    near = _best(np.asarray(likely) @ believed.windows, effort.windows)
    starts, ends = believed.starts[near], believed.ends[near]
    alone = believed.windows[0, near]
    drawn = Draw(starts, ends, believed.windows[:, near], some, rng, effort.sets)
    overlap = iou(starts[: effort.choices, None], ends[: effort.choices, None], starts, ends)
    choices = starts[: effort.choices], ends[: effort.choices]
    clash = _clashing(*choices) if apart else np.eye(len(choices[0]), dtype=bool)
    chosen = _choose(overlap, some[0] * alone / alone.sum(), drawn, most, clash)
    right = (overlap >= RIGHT - 1e-6).astype(np.float64)
    # Windows that are not looked at may be the moments too: nobody hits those.
    quality = right @ (some[0] * alone) + drawn.hit(right, believed.windows[:, near].sum(axis=1))
    order = np.stack([starts[chosen], ends[chosen]], axis=1)
    return Ranked(order, falling(quality[chosen]))


class Draw:
    """Sets of two moments and more, drawn without overlap, and what each weighs."""

    def __init__(
        self,
        starts: Ints,
        ends: Ints,
        windows: Floats,
        count: Floats,
        rng: np.random.Generator,
        sets: tuple[int, ...],
    ) -> None:
        sizes = np.repeat(np.arange(2, MOST_DRAWN + 1), sets)
        self.weight = np.repeat(count[1:] / np.asarray(sets), sets)
        likely = np.log(windows[np.minimum(sizes, 3) - 1] + 1e-12)
        keys = likely + rng.gumbel(size=likely.shape)
        # Moments that touch would be one.
        meet = np.minimum(ends[:, None], ends) >= np.maximum(starts[:, None], starts)
        self.members = np.full((len(sizes), MOST_DRAWN), -1)
        rows = np.arange(len(sizes))
        for place in range(MOST_DRAWN):
            best = keys.argmax(axis=1)
            there = (sizes > place) & (keys[rows, best] > -np.inf)
            self.members[there, place] = best[there]
            keys[meet[best]] = -np.inf
        self.size = np.maximum(1, (self.members >= 0).sum(axis=1))

    def of(self, table: NDArray[np.generic]) -> NDArray[np.generic]:
        """(C, sets, members) of a table (C, windows); 0 where a set has fewer."""
        padded = np.concatenate([table, np.zeros((len(table), 1), table.dtype)], axis=1)
        return padded[:, self.members]

    def hit(self, right: NDArray[np.float64], share: Floats) -> NDArray[np.float64]:
        """(C,) weight of the sets with a moment that is hit, ``share`` (3,) of those there are."""
        found = np.asarray(self.of(right), np.float64)
        weight = self.weight * share[np.minimum(self.size, 3) - 1]
        return np.asarray(found.max(axis=2) @ weight, np.float64)


def _choose(
    overlap: Floats,
    alone: NDArray[np.float64],
    drawn: Draw,
    most: int,
    clash: NDArray[np.bool_],
) -> list[int]:
    """Windows one after another, each adding most to the expected average precision.

    None is chosen that clashes (C, C) with one that is.
    """
    passed = overlap[..., None] >= THRESHOLDS - 1e-6
    level = passed.sum(axis=-1)
    masks = np.asarray(drawn.of((passed * (1 << np.arange(len(THRESHOLDS)))).sum(-1)), np.int64)
    reached = np.zeros(overlap.shape[1], np.int64)
    free = np.full(drawn.members.shape, ALL)
    found = np.zeros((len(free), len(THRESHOLDS)))
    share = drawn.weight / drawn.size
    rows, chosen = np.arange(len(free)), list[int]()
    low, high = slice(HALF), slice(HALF, None)
    barred = np.zeros(len(overlap), bool)
    while len(chosen) < most and not barred.all():
        hits = np.bitwise_or.reduce(masks & free, axis=2)
        worth = ((found + 1) * share[:, None]).T  # (10, sets) of each threshold
        gain = np.maximum(0, level - reached) @ alone
        for half, kept in zip((hits % len(BITS), hits // len(BITS)), (low, high), strict=True):
            gain += (BITS @ worth[kept])[half, rows].sum(axis=1)
        gain[barred] = -1
        best = int(gain.argmax())
        chosen.append(best)
        barred |= clash[best]
        reached = np.maximum(reached, level[best])
        found += np.concatenate([BITS[hits[best] % len(BITS)], BITS[hits[best] // len(BITS)]], 1)
        _take(free, masks[best], np.asarray(drawn.of(overlap[[best]])[0], np.float64))
    return chosen


def _clashing(starts: Ints, ends: Ints) -> NDArray[np.bool_]:
    """(C, C) which windows share more than ``LITTLE`` of the shorter one."""
    inside = np.minimum(ends[:, None], ends) - np.maximum(starts[:, None], starts)
    return np.asarray(inside > LITTLE * np.minimum.outer(ends - starts, ends - starts))


def _take(free: Ints, masks: Ints, overlap: NDArray[np.float64]) -> None:
    """At each threshold the window takes the best moment of each set that is still free."""
    left = np.full(len(free), ALL)
    rows = np.arange(len(free))
    for member in np.argsort(-overlap, axis=1, kind="stable").T:
        taken = masks[rows, member] & free[rows, member] & left
        free[rows, member] &= ~taken
        left &= ~taken


def falling(values: NDArray[np.floating]) -> Floats:
    """The nearest sequence that does not rise (pool adjacent violators); its mean is the same."""
    pools: list[list[float]] = []
    for value in values:
        pools.append([float(value), 1.0])
        while len(pools) > 1 and pools[-2][0] < pools[-1][0]:
            last, before = pools.pop(), pools[-1]
            size = before[1] + last[1]
            before[0], before[1] = (before[0] * before[1] + last[0] * last[1]) / size, size
    return np.array([mean for mean, size in pools for _ in range(int(size))], np.float32)


def _best(scores: NDArray[np.floating], most: int) -> Ints:
    """Places of the highest, best first."""
    most = min(most, len(scores))
    high = np.argpartition(-scores, most - 1)[:most]
    return high[np.argsort(-scores[high], kind="stable")]


def _softmax(logits: Floats) -> Floats:
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True), np.float32)
