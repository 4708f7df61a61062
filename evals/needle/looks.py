"""Which stretches of a film get the dear look: the agent's hand rule, and what would replace it.

    python -m evals.lessons looks --out looks.jsonl --questions 1600
    vmr train selector --data looks.jsonl --licence Apache-2.0 --free fused --dear look --out S \\
        --epochs 5 --held-out 0.05
    python -m evals.needle looks ROUNDS.jsonl … --selector S --out looks.json

Every way gets as many seconds of film as the hand rule takes in its first round, and in its first
two: clips of what the curves speak for, at which a grounder looks, and all places at which a chat
model does, who is also shown what nobody has seen yet. A look is answered from the truth, with the
noise of ``said``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from evals.needle.gather import Round
from vmr_agent import Settings, tools
from vmr_agent.advice import PIECE
from vmr_agent.artefacts import Curves
from vmr_agent.grounding.decode import Ints
from vmr_agent.grounding.excerpt import Film, excerpt
from vmr_agent.grounding.features import Tensors
from vmr_agent.grounding.inputs import Floats, Question
from vmr_agent.grounding.selector import (
    ROUNDS,
    Seen,
    Selector,
    Worth,
    beside,
    looked,
    more,
    nothing,
    shares,
)
from vmr_agent.intervals import Spans, joined
from vmr_agent.types import Candidate, Channel, Clip, Span

STEP = 2.0
"""Seconds of a step: films that are learned from have few enough to weigh all their windows."""
FREE, DEAR = "fused", "look"
"""The curve that is known everywhere, and the one that costs."""
SURE, BY_SHOT, BY_STEP = 2.0, 1.0, 0.5
"""Log-odds that somebody who looks gives to what is in a moment, and the deviations of them that a
shot has in common and that each step has of its own: of the shots 2 in 100 are judged wrongly."""
BUDGETS = ("clips of round 1", "clips of both rounds", "places of round 1", "places of both rounds")
"""What the hand rule takes: the clips that were gathered, or what a chat model would be shown."""
TOP = "top"
"""Where the free curve is highest: nothing is learned, and nothing of what was seen is used."""
DRAWS = 10
"""Of what is looked at by chance."""

Mask = NDArray[np.bool_]
Arrays = Mapping[str, NDArray[Any]]
Taste = Callable[[Seen], Floats]
"""(T,) how much each step is worth a look, given what was seen."""
Way = Callable[["Case", int], Spans]
"""Where so many seconds of looking go."""


class Case(NamedTuple):
    """A query about something in a film."""

    about: Round
    asked: Question
    """The free curve in steps, and what ``retrieve`` makes of it without any look."""
    dear: Floats
    """(T,) what a look shows."""
    hand: dict[str, Spans]
    """What the hand rule looks at, by the name of the budget, see ``BUDGETS``."""


def cases(
    rounds: Sequence[Round], arrays: Arrays, settings: Settings, dice: np.random.Generator
) -> Iterator[Case]:
    """All queries that have moments, of one file."""
    queries: dict[tuple[str, str], list[Round]] = {}
    for each in rounds:
        if each.moments:
            queries.setdefault((each.film, each.query), []).append(each)
    for turns in queries.values():
        first, last = turns[0], turns[-1]
        cuts = arrays[first.cuts].tolist()
        made = Curves(step=first.step, channels=first.channels), arrays[first.curves]
        asked = question(*made, first.duration, cuts, settings)
        dear = said(np.array(first.moments), cuts, len(asked.curves), dice)
        clips = [_clipped(turn for turn in turns if turn.turn <= upto) for upto in (1, 2)]
        rows = made[1], arrays[last.curves]
        places = by_hand(rows, made[0], first.duration, cuts, settings)
        yield Case(first, asked, dear, dict(zip(BUDGETS, [*clips, *places], strict=True)))


def question(
    found: Curves, rows: Floats, duration: float, cuts: Sequence[float], settings: Settings
) -> Question:
    """A whole film's free curve in steps of ``STEP``, and the candidates of a first round."""
    best = tools.retrieve("", (found, {"curves": rows}), duration, 1, settings.retrieve).candidates
    windows = [(each.span.start, each.span.end, min(1.0, each.score)) for each in best]
    film = Film(
        rows=rows,
        channels=found.channels,
        step=found.step,
        cuts=cuts,
        clips=np.array([[0.0, rows.shape[1] * found.step]]),
        candidates=np.array(windows, np.float64).reshape(-1, 3),
    )
    return excerpt(film, (FREE,), STEP).question


def said(
    moments: NDArray[np.floating], cuts: Sequence[float], steps: int, dice: np.random.Generator
) -> Floats:
    """(T,) log-odds that a step is in a moment, by somebody who has looked. Times are seconds."""
    middles = (np.arange(steps) + 0.5) * STEP
    spans = moments.reshape(-1, 2)
    inside = ((middles >= spans[:, :1]) & (middles < spans[:, 1:])).any(axis=0)
    shot = np.searchsorted(np.asarray(cuts, np.float64), middles, side="right")
    noise = dice.normal(0, BY_SHOT, len(cuts) + 1)[shot] + dice.normal(0, BY_STEP, steps)
    return (np.where(inside, SURE, -SURE) + noise).astype(np.float32)


# ── the hand rule ─────────────────────────────────────────────────────────────────────────────


def by_hand(
    rows: tuple[Floats, Floats],
    found: Curves,
    duration: float,
    cuts: Sequence[float],
    settings: Settings,
) -> tuple[Spans, Spans]:
    """The clips of `retrieve`, `trim` and `widen` where a model looks, after one round and two.

    ``rows`` (C, T) are the curves of either round; both rounds take place whatever the first shows.
    """
    shots = [*pairwise([0.0, *(cut for cut in cuts if 0 < cut < duration), duration])]
    places: list[Candidate] = []
    for turn, each in enumerate(rows, 1):
        known = joined(candidate.span for candidate in places)
        left = tuple(part for part in _pieces(shots) if _new(part, known))
        made, about = (found, {"curves": each}), (duration, turn, settings.retrieve)
        places += tools.retrieve("", made, *about, known, left).candidates
        if turn == 1:
            first = _clips(places, duration, settings)
    return first, _clips(places, duration, settings)


def _clipped(turns: Iterable[Round]) -> Spans:
    return joined(Span(start=a, end=b) for turn in turns for a, b, _ in turn.clips)


def _clips(places: Sequence[Candidate], duration: float, settings: Settings) -> Spans:
    clips: tuple[Clip, ...] = tools.trim(tuple(places), duration, settings.trim)
    return joined(clip.span for clip in clips)


def _pieces(shots: Iterable[tuple[float, float]]) -> Iterator[Span]:
    """Shots, long ones in parts: what ``advice.horizon`` shows to a model."""
    for start, end in shots:
        edges = np.linspace(start, end, max(1, round((end - start) / PIECE)) + 1).tolist()
        yield from (Span(start=a, end=b) for a, b in pairwise(edges))


def _new(part: Span, known: Spans) -> bool:
    return sum(map(part.overlap, known)) < part.length / 2


# ── what would replace it ─────────────────────────────────────────────────────────────────────


def ways(selector: Selector, settings: Settings, seed: int) -> dict[str, list[Way]]:
    """By name; one that goes by chance is tried more than once."""
    pad = round(settings.trim.pad / STEP)

    def by(taste: Callable[[Case], Taste]) -> Way:
        return lambda case, budget: _spans(spent(taste(case), case.dear.take, budget, pad))

    def learned(worth: Worth) -> Way:
        return by(lambda case: lambda seen: told(worth, case.asked, seen))

    def chance(dice: np.random.Generator) -> Way:
        return by(lambda case: lambda _: dice.random(len(case.dear), np.float32))

    return {
        "selector": [learned(selector.worth)],
        "likely": [learned(likely(selector))],
        TOP: [by(lambda case: lambda _: case.asked.curves[:, 0])],
        "evenly": [lambda case, budget: _spans(evenly(len(case.dear), budget, pad))],
        "random": [chance(np.random.default_rng((seed, n))) for n in range(DRAWS)],
    }


def likely(selector: Selector) -> Worth:
    """Where it thinks that a moment is."""

    def worth(batch: Tensors, seen: torch.Tensor) -> torch.Tensor:
        steps: torch.Tensor = selector.network.steps(
            selector.network.felt(selector.told(batch, seen))
        )
        return steps[..., 0]

    return worth


def told(worth: Worth, asked: Question, seen: Seen) -> Floats:
    """(T,) of one question."""
    batch, known = beside([asked], [seen])
    with torch.inference_mode():
        found = worth(Tensors.of(batch, "cpu"), torch.from_numpy(known))
    return found[0].numpy()


def spent(taste: Taste, look: Callable[[Ints], Floats], budget: int, pad: int) -> Mask:
    """(T,) so many steps, in clips around the best of them; a round knows what those before saw.

    There are as many rounds as the selector has, or fewer, so that none is less than a clip.
    """
    seen, there = nothing(), np.zeros(len(taste(nothing())), bool)
    rounds = min(ROUNDS, max(1, budget // (2 * pad + 1)))
    for many in shares(min(budget, len(there)), rounds):
        new = around(taste(seen), there, many, pad)
        steps = np.flatnonzero(new).astype(np.int64)
        seen, there = more(seen, steps, looked(look, steps)), there | new
    return there


def around(worth: Floats, there: Mask, many: int, pad: int) -> Mask:
    """(T,) as many steps more: always the best one left, and those around it, the nearest first."""
    new = np.zeros(len(there), bool)
    while (left := min(many - int(new.sum()), int((~(there | new)).sum()))) > 0:
        best = int(np.where(there | new, -np.inf, worth).argmax())
        near = np.arange(max(0, best - pad), min(len(there), best + pad + 1))
        near = near[~(there | new)[near]]
        new[near[np.argsort(np.abs(near - best), kind="stable")][:left]] = True
    return new


def evenly(steps: int, budget: int, pad: int) -> Mask:
    """(T,) clips in the middle of equal parts."""
    count = max(1, round(budget / (2 * pad + 1)))
    middles = ((np.arange(count) + 0.5) * steps / count).astype(np.int64)
    apart = np.abs(np.arange(steps)[:, None] - middles).min(axis=1)
    return around(-apart.astype(np.float32), np.zeros(steps, bool), min(budget, steps), pad)


def _spans(there: Mask) -> Spans:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]]))) * STEP
    return tuple(
        Span(start=a, end=b) for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    )


def rehearsed(
    rows: Floats,
    channels: tuple[Channel, ...],
    step: float,
    cuts: Sequence[float],
    moments: NDArray[np.floating],
    dice: np.random.Generator,
) -> Question:
    """What the selector learns from: a film's free curve, then what a look would show of it.

    ``rows`` (C, T) are relevance in [0, 1] in steps of ``step`` seconds; ``cuts`` and ``moments``
    (G, 2) are seconds.
    """
    found, duration = Curves(step=step, channels=channels), rows.shape[1] * step
    asked = question(found, rows, duration, cuts, Settings())
    dear = said(moments, cuts, len(asked.curves), dice)
    return asked._replace(curves=np.stack([asked.curves[:, 0], dear], axis=1))
