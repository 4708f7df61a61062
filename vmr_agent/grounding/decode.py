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

STRIDE = 0.05
THRESHOLDS = np.arange(0.3, 0.96, STRIDE)
"""IoUs at which a window can be right: those of mean recall; from .5 on, those of mAP."""
RIGHT = 0.5
"""IoU from which ``quality`` counts a window as right."""
LITTLE = 0.25
"""Share of the shorter of two windows that both may cover and still be two moments."""
MOST_DRAWN = 6
"""Moments in a drawn set at most; there are drawn ones of 2 and more."""
ALL = (1 << len(THRESHOLDS)) - 1
"""The bit mask of all thresholds, the lowest first."""
HALF = len(THRESHOLDS) // 2
BITS = ((np.arange(1 << HALF)[:, None] >> np.arange(HALF)) & 1).astype(np.float32)
"""(128, 7) which thresholds half a bit mask holds."""


class Effort(NamedTuple):
    """How much of the distribution is looked at."""

    windows: int = 400
    """Likeliest windows that moments are drawn from."""
    choices: int = 300
    """Likeliest windows that may be chosen."""
    sets: tuple[int, ...] = (100, 80, 40, 20, 20)
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
    """Sets of two moments and more, drawn without overlap, and what each weighs.

    Windows stand in order of time, and the first moments of the sets of one size are drawn from as
    many equal parts of what is likely, the second ones too (Latin hypercube; McKay et al. 1979): so
    few sets stand for all there are.
    """

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
        # Moments that touch would be one.
        apart = (ends[:, None] < starts) | (ends < starts[:, None])
        order = np.argsort(starts + ends, kind="stable")
        left = (windows[np.minimum(sizes, 3) - 1].astype(np.float64) + 1e-12)[:, order]
        self.members = np.full((len(sizes), MOST_DRAWN), -1)
        for place in range(MOST_DRAWN):
            parts = [(rng.permutation(many) + rng.random(many)) / many for many in sets]
            total = left.cumsum(axis=1)
            there = (sizes > place) & (total[:, -1] > 0)
            goal = np.concatenate(parts) * total[:, -1]
            found = order[np.argmax(total > goal[:, None], axis=1)]
            self.members[there, place] = found[there]
            left *= apart[found][:, order]
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
    level = np.clip((overlap - THRESHOLDS[0] + 1e-6) / STRIDE + 1, 0, len(THRESHOLDS)).astype(int)
    masks = np.ascontiguousarray(np.moveaxis(drawn.of(((1 << level) - 1).astype(np.uint16)), 2, 0))
    level, alone = level.astype(np.float32), alone.astype(np.float32)
    reached = np.zeros(overlap.shape[1], np.float32)
    free = np.full(drawn.members.T.shape, ALL, np.uint16)
    found = np.zeros((len(drawn.members), len(THRESHOLDS)), np.float32)
    share = (drawn.weight / drawn.size).astype(np.float32)
    chosen, barred = list[int](), np.zeros(len(overlap), bool)
    while len(chosen) < most and not barred.all():
        hits = masks[0] & free[0]
        for mask, left in zip(masks[1:], free[1:], strict=True):
            hits |= mask & left
        gain = np.maximum(0, level - reached) @ alone + _worth(hits, (found + 1) * share[:, None])
        gain[barred] = -1
        best = int(gain.argmax())
        chosen.append(best)
        barred |= clash[best]
        reached = np.maximum(reached, level[best])
        found += np.concatenate([BITS[half[best]] for half in _halves(hits)], axis=1)
        _take(free, masks[:, best], drawn.of(overlap[[best]])[0])
    return chosen


def _worth(hits: NDArray[np.uint16], worth: Floats) -> Floats:
    """(C,) of masks (C, sets), where a threshold of a set is worth (sets, thresholds)."""
    rows = np.arange(len(worth)) * len(BITS)
    parts = zip(_halves(hits), (worth[:, :HALF], worth[:, HALF:]), strict=True)
    gains = [(each @ BITS.T).take(rows + half).sum(axis=1) for half, each in parts]
    return np.asarray(sum(gains), np.float32)


def _halves(masks: NDArray[np.uint16]) -> tuple[Ints, Ints]:
    """Of bit masks: the lower thresholds, the higher ones."""
    wide = masks.astype(np.int64)
    return wide & (len(BITS) - 1), wide >> HALF


def _clashing(starts: Ints, ends: Ints) -> NDArray[np.bool_]:
    """(C, C) which windows share more than ``LITTLE`` of the shorter one."""
    inside = np.minimum(ends[:, None], ends) - np.maximum(starts[:, None], starts)
    return np.asarray(inside > LITTLE * np.minimum.outer(ends - starts, ends - starts))


def _take(free: NDArray[np.uint16], masks: NDArray[np.uint16], overlap: Floats) -> None:
    """At each threshold the window takes the best moment of each set that is still free.

    ``free`` and ``masks`` are (members, sets), ``overlap`` is (sets, members).
    """
    left = np.full(free.shape[1], ALL, np.uint16)
    rows = np.arange(free.shape[1])
    for member in np.argsort(-overlap, axis=1, kind="stable").T:
        taken = masks[member, rows] & free[member, rows] & left
        free[member, rows] &= ~taken
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
