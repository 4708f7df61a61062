"""A film cut down to its clips: what the network takes for the whole film.

Around each clip some film is kept, the rest is left out, and what is left is put end to end. So an
hour is judged like a minute, by a network that has only ever seen minutes, and a moment's curve is
compared with what else retrieval brought, not with an hour in which nothing happens.

What a network learns from must be cut down by the same function.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vmr_agent.grounding.decode import Ints
from vmr_agent.grounding.inputs import Floats, Question, cells

Seconds = NDArray[np.float64]

KINDS = ("fused", "picture", "speech", "text", "sound", "cuts")
"""Curves that a network can be given, by name: see ``_curve``."""
STEP = 1.0
"""Seconds of a step where weights do not say: moments of 3 s to a minute are 3 to 60 steps."""
CONTEXT = 8
"""Steps of film kept at either side of a clip."""
MOST = 1024
"""Steps of an excerpt; a longer one has steps of twice the length, or four times …"""
DENSE = 32
"""Length in steps up to which every window is judged; longer ones lie on a coarser grid."""
LEAST = 1e-4
"""Relevance below which, and above whose opposite, there are no degrees."""
NEARLY = 1e-6  # of a step: what rounding does to edges that lie on the grid


class Film(NamedTuple):
    """What is known of a film and a question."""

    rows: Floats
    """(C, T) relevance in [0, 1]."""
    channels: tuple[str, ...]
    """What each row is."""
    step: float
    """Seconds of one value."""
    cuts: Sequence[float]
    """Seconds at which shots begin."""
    clips: Seconds
    """(M, 2) seconds, rising: where moments may lie."""
    candidates: Seconds
    """(K, 3) seconds, and a score in [0, 1], best first."""


class Excerpt(NamedTuple):
    """What of it goes through the network."""

    question: Question
    """Its steps are those of the excerpt."""
    starts: Ints
    """(N,) first step of each window that may be a moment."""
    ends: Ints
    """(N,) step behind its last."""
    stand: Floats
    """(N,) logarithm of how many windows each stands for."""
    kept: Ints
    """(T,) which step of the film each step is."""
    step: float
    """Seconds."""

    def seconds(self, windows: Ints) -> Seconds:
        """(R, 2) windows of the excerpt, in seconds of the film."""
        first, last = self.kept[windows[:, 0]], self.kept[windows[:, 1] - 1]
        return np.stack([first, last + 1], axis=1) * self.step

    def steps(self, spans: Seconds) -> Seconds:
        """(R, 2) seconds of the film, in steps of the excerpt; what was left out has no length."""
        edges = np.concatenate([self.kept, self.kept + 1])
        places = np.concatenate([np.arange(len(self.kept)), np.arange(len(self.kept)) + 1])
        order = np.lexsort((places, edges))
        return np.interp(spans / self.step, edges[order], places[order].astype(np.float64))


def excerpt(film: Film, wanted: Sequence[str], step: float | None = None) -> Excerpt:
    """The clips of a film, and the curves ``wanted``, in steps of about ``step`` seconds.

    At least one clip must reach into the curves.
    """
    by = max(1, round((step or STEP) / film.step))
    while len(kept := _kept(film, by)) > MOST:
        by *= 2
    length = by * film.step
    curves = np.stack([_curve(film, kind, by)[kept] for kind in wanted], axis=1)
    empty = Excerpt(Question(curves, ()), *_windows(film, by, kept), kept, length)
    given = np.concatenate([empty.steps(film.candidates[:, :2]), film.candidates[:, 2:]], axis=1)
    return empty._replace(question=Question(curves, (given.astype(np.float32),)))


def odds(relevance: Floats) -> Floats:
    """Log-odds of relevance in [0, 1], 0 where there is none, 18.4 at most.

    A picture's relevance is a logistic of what was measured: here it is as it was measured, noise
    and all, and how far a peak stands out of that can be told where it says no all the same.
    """
    bounded = np.clip(relevance.astype(np.float64), LEAST, 1 - LEAST)
    told = np.log(bounded / (1 - bounded)) - np.log(LEAST / (1 - LEAST))
    return np.asarray(told, np.float32)


def grid(steps: int) -> tuple[Ints, Ints, Floats]:
    """Windows of a clip of so many steps, and the logarithm of how many each stands for.

    All of up to ``DENSE`` steps; of those up to twice as long every fourth, and so on: their ends
    need be no more exact than that. One that nearly reaches the end of the clip reaches it.
    """
    starts, ends = (list(each) for each in zip(cells(steps, DENSE), strict=True))
    stand = [np.zeros(len(starts[0]))]
    longest, stride = DENSE, 2
    while longest < steps:
        first = np.arange(0, steps, stride)[:, None]
        last = first + np.arange(longest + stride, 2 * longest + 1, stride)
        fits = (last < steps + stride) & (first + longest < steps)
        starts.append(np.broadcast_to(first, last.shape)[fits])
        ends.append(np.minimum(last, steps)[fits])
        stand.append(np.full(fits.sum(), 2 * np.log(stride)))
        longest, stride = 2 * longest, 2 * stride
    return np.concatenate(starts), np.concatenate(ends), np.concatenate(stand).astype(np.float32)


def _edges(film: Film, by: int) -> Ints:
    """(M, 2) the clips in whole steps, inside the film."""
    steps, each = -(-film.rows.shape[1] // by), film.clips / (by * film.step)
    first, last = np.floor(each[:, 0] + NEARLY), np.ceil(each[:, 1] - NEARLY)
    edges: Ints = np.clip(np.stack([first, last], axis=1), 0, steps).astype(np.int64)
    return edges[edges[:, 0] < edges[:, 1]]


def _kept(film: Film, by: int) -> Ints:
    """(T,) steps of the film that are in a clip or near one."""
    near = np.zeros(-(-film.rows.shape[1] // by), bool)
    for first, last in _edges(film, by):
        near[max(0, first - CONTEXT) : last + CONTEXT] = True
    return np.flatnonzero(near)


def _windows(film: Film, by: int, kept: Ints) -> tuple[Ints, Ints, Floats]:
    """Windows in all clips; those of two clips that share a step once."""
    found = []
    for first, last in _edges(film, by):
        starts, ends, stand = grid(int(last - first))
        begin = int(np.searchsorted(kept, first))
        found.append(np.stack([starts + begin, ends + begin, stand]))
    rows = np.concatenate(found, axis=1)
    _, once = np.unique(rows[:2], axis=1, return_index=True)
    starts, ends, stand = rows[:, np.sort(once)]
    return starts.astype(np.int64), ends.astype(np.int64), stand.astype(np.float32)


def _curve(film: Film, kind: str, by: int) -> Floats:
    """(T,) of the whole film, in steps of ``by`` values: a channel, the best of all, or the cuts.

    A channel that says nothing, and one that the film does not have, are 0 throughout.
    """
    steps = -(-film.rows.shape[1] // by)
    if kind == "cuts":
        here = np.floor(np.asarray(film.cuts, np.float64) / (by * film.step) + NEARLY)
        cut = np.zeros(steps, np.float32)
        cut[here[(here > 0) & (here < steps)].astype(np.int64)] = 1
        return cut
    rows = [n for n, name in enumerate(film.channels) if kind in ("fused", name)]
    if not rows:
        return np.zeros(steps, np.float32)
    first = np.arange(0, film.rows.shape[1], by)
    many = np.diff(np.append(first, film.rows.shape[1]))
    total = np.add.reduceat(odds(film.rows[rows].max(axis=0)), first)
    return np.asarray(total / many, np.float32)
