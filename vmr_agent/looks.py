"""Which frames a chat model gets to see, when it may see only so many (SMART: frame budget)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vmr_agent.types import Shot, Span

SHARP = 0.1  # temperature of the softmax by which shots share the frames (SMART)


def looks(
    spans: Sequence[Span], scores: Sequence[float], shots: Sequence[Shot], most: int
) -> list[tuple[float, ...]]:
    """Seconds at which to look into each span, rising; ``most`` of them in all, none for nothing.

    The spans' shots share the frames by relevance and each has one while there are enough; with
    more shots than frames, neighbouring shots of a span share one.
    """
    pieces = [_pieces(span, shots) for span in spans]
    while sum(map(len, pieces)) > most:
        longest = max(pieces, key=len)
        if len(longest) < 2:
            break
        _pair_off(longest)
    # More spans than frames: the best have one each.
    order = np.argsort([-score for score in scores], kind="stable")
    chosen = {int(index) for index in order[:most]}
    seen = [piece if index in chosen else [] for index, piece in enumerate(pieces)]
    owners = [index for index, piece in enumerate(seen) for _ in piece]
    shares = shared(np.asarray([scores[index] for index in owners], np.float64), most)
    times: list[list[float]] = [[] for _ in spans]
    parts = [part for piece in seen for part in piece]
    for owner, part, share in zip(owners, parts, shares, strict=True):
        times[owner] += [part.start + part.length * (k + 0.5) / share for k in range(share)]
    return [tuple(sorted(each)) for each in times]


def shared(scores: NDArray[np.float64], most: int) -> list[int]:
    """How many of ``most`` frames each gets: one, and of the rest a share by softmax."""
    if not len(scores):
        return []
    weights = np.exp((scores - scores.max()) / SHARP)
    ideal = (most - len(scores)) * weights / weights.sum()
    given = np.floor(ideal).astype(int)
    left = most - len(scores) - int(given.sum())
    for index in np.argsort(given - ideal, kind="stable")[:left]:  # largest remainders first
        given[index] += 1
    return [1 + int(each) for each in given]


def _pieces(span: Span, shots: Sequence[Shot]) -> list[Span]:
    """The parts of a span by shots; none where only sound goes on."""
    return [
        Span(start=max(span.start, shot.span.start), end=min(span.end, shot.span.end))
        for shot in shots
        if shot.span.overlap(span) > 0
    ]


def _pair_off(pieces: list[Span]) -> None:
    """The two neighbours that are shortest together become one, in place."""
    at = min(range(len(pieces) - 1), key=lambda i: pieces[i].length + pieces[i + 1].length)
    pieces[at : at + 2] = [pieces[at].union(pieces[at + 1])]
