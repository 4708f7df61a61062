"""Questions that never were: curves and candidates as retrieval makes them, with known moments.

What the shipped weights learn from. A film is a row of shots; some are what was asked for, some are
a little like it. The curve shows that through noise, drift and blur, sometimes hardly at all; a
detector proposes windows near the moments, near what is like them, and anywhere. Every number is a
field of ``World``: nothing here was learned from anybody's data.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vmr_agent.grounding.inputs import Floats, Question, iou

Dice = np.random.Generator


class World(NamedTuple):
    """What films, curves and detectors are like. Lengths in steps."""

    steps: tuple[int, int] = (40, 120)
    """Of a film: least and most."""
    counts: tuple[float, ...] = (0.15, 0.5, 0.15, 0.08, 0.05, 0.04, 0.03)
    """Share of questions with so many moments."""
    length: tuple[float, float] = (1.9, 1.0)
    """Of a moment: mean and deviation of its logarithm."""
    shot: float = 5.0
    """Mean length of a shot."""
    at_cuts: float = 0.5
    """Share of boundaries that lie at a cut."""
    alike: float = 2.0
    """Mean number of stretches that are a little like what was asked for."""
    clear: tuple[float, float] = (0.2, 1.6)
    """How far a question's moments stand out, in deviations of the noise times three."""
    scene: float = 0.35
    """Deviation of what a shot adds to the curve, whatever is in it."""
    noise: float = 0.3
    """Deviation of the rest, which is much the same from step to step."""
    keep: float = 0.6
    """Share of the noise that stays from one step to the next."""
    drift: float = 0.3
    """Deviation of the slow part."""
    blur: tuple[int, int] = (0, 2)
    """Steps to either side over which a curve is averaged."""
    slip: float = 0.12
    """Deviation of a proposed boundary, in lengths of the moment, besides one step."""
    proposals: int = 10
    """Windows that the detector gives."""
    trust: tuple[float, float] = (2.0, 10.0)
    """How much its scores say about what is right, least and most."""
    sound: float = 0.5
    """Deviation of the logarithm of how much clearer or fainter than usual all is with sound;
    without it, all is that much fainter or clearer."""


class _Film(NamedTuple):
    steps: int
    cuts: Floats
    moments: Floats
    others: Floats


def simulate(world: World, dice: Dice) -> tuple[Question, Floats]:
    """A question, and its moments (G, 2) in steps."""
    film = _film(world, dice)
    curve, windows = _looked_at(world, film, dice.uniform(*world.clear), dice)
    return Question(curve[:, None], (windows,)), film.moments


def simulate_sound(world: World, dice: Dice) -> tuple[Question, Floats]:
    """A question of two sources, the first without sound, the second with it, and its moments.

    Sound makes some questions clearer and misleads others.
    """
    film = _film(world, dice)
    clear, tells = dice.uniform(*world.clear), np.exp(dice.normal(0, world.sound))
    looks = [_looked_at(world, film, clear * by, dice) for by in (1 / tells, tells)]
    curves = np.stack([curve for curve, _ in looks], axis=1)
    return Question(curves, tuple(windows for _, windows in looks)), film.moments


def _film(world: World, dice: Dice) -> _Film:
    steps = int(dice.integers(world.steps[0], world.steps[1] + 1))
    cuts = _cuts(world, steps, dice)
    moments = _moments(world, steps, cuts, dice)
    return _Film(steps, cuts, moments, _others(world, steps, moments, dice))


def _looked_at(world: World, film: _Film, clear: float, dice: Dice) -> tuple[Floats, Floats]:
    """(T,) a retriever's curve, and (K, 3) a detector's windows."""
    steps, cuts, moments, others = film
    heights = clear * dice.uniform(0.6, 1.2, len(moments))
    faint = clear * dice.uniform(0.1, 0.8, len(others))
    curve = _curve(world, steps, cuts, moments, heights, others, faint, dice)
    return curve, _proposed(world, steps, moments, heights, others, faint, dice)


def _cuts(world: World, steps: int, dice: Dice) -> Floats:
    lengths = 1 + dice.exponential(world.shot - 1, size=steps)
    cuts = np.cumsum(lengths)
    return np.concatenate([[0], np.round(cuts[cuts < steps - 1])]).astype(np.float32)


def _moments(world: World, steps: int, cuts: Floats, dice: Dice) -> Floats:
    """(G, 2) whole steps, rising, a step apart at least."""
    wanted = dice.choice(len(world.counts), p=np.asarray(world.counts))
    found: list[tuple[float, float]] = []
    for _ in range(20 * int(wanted)):
        if len(found) == wanted:
            break
        length = np.clip(np.round(dice.lognormal(*world.length) / max(1, wanted) ** 0.5), 1, steps)
        start = float(dice.integers(0, int(steps - length) + 1))
        end = start + float(length)
        if dice.random() < world.at_cuts:
            start = float(cuts[np.abs(cuts - start).argmin()])
        if dice.random() < world.at_cuts:
            end = float(cuts[np.abs(cuts - end).argmin()])
        if start < end and all(end < s or start > e for s, e in found):
            found.append((start, end))
    return np.array(sorted(found), np.float32).reshape(-1, 2)


def _others(world: World, steps: int, moments: Floats, dice: Dice) -> Floats:
    """(D, 2) stretches that are a little like it, none of them in a moment."""
    found = []
    for _ in range(dice.poisson(world.alike)):
        length = min(steps, 1 + dice.lognormal(*world.length))
        start = dice.uniform(0, steps - length)
        inside = np.minimum(moments[:, 1], start + length) - np.maximum(moments[:, 0], start)
        if not len(moments) or inside.max() <= 0:
            found.append((start, start + length))
    return np.array(found, np.float32).reshape(-1, 2)


def _curve(
    world: World,
    steps: int,
    cuts: Floats,
    moments: Floats,
    heights: np.ndarray,
    others: Floats,
    faint: np.ndarray,
    dice: Dice,
) -> Floats:
    """(T,) what a retriever would make of it."""
    shot = np.searchsorted(cuts, np.arange(steps) + 0.5) - 1
    curve = world.scene * dice.normal(size=len(cuts))[shot]
    curve = curve + _noise(world, steps, dice)
    middles = np.arange(steps) + 0.5
    for spans, tops in ((moments, heights), (others, faint)):
        for (start, end), top in zip(spans, tops, strict=True):
            first, last = np.array([start, end]) + dice.normal(0, 0.4, 2)
            curve[(middles >= first) & (middles < last)] += top
    reach = int(dice.integers(world.blur[0], world.blur[1] + 1))
    kernel = np.ones(2 * reach + 1) / (2 * reach + 1)
    padded = np.pad(curve, reach, mode="edge")
    return np.convolve(padded, kernel, mode="valid").astype(np.float32)


def _noise(world: World, steps: int, dice: Dice) -> np.ndarray:
    fresh = dice.normal(0, world.noise, steps)
    noise = fresh.copy()
    for step in range(1, steps):
        noise[step] = world.keep * noise[step - 1] + (1 - world.keep**2) ** 0.5 * fresh[step]
    period, phase = dice.uniform(0.5, 3) * steps, dice.uniform(0, 2 * np.pi)
    slow = np.sin(2 * np.pi * np.arange(steps) / period + phase)
    return np.asarray(noise + abs(dice.normal(0, world.drift)) * slow)


def _proposed(
    world: World,
    steps: int,
    moments: Floats,
    heights: np.ndarray,
    others: Floats,
    faint: np.ndarray,
    dice: Dice,
) -> Floats:
    """(K, 3) windows of a detector that sees what the curve shows, best score first."""
    spans = np.concatenate([moments, others])
    tops = np.concatenate([heights, faint])
    windows = []
    for _ in range(world.proposals):
        if len(spans) and dice.random() < 0.75:
            chosen = dice.choice(len(spans), p=(tops + 0.05) / (tops + 0.05).sum())
            start, end = _slipped(world, spans[chosen], dice)
            if dice.random() < 0.1:
                other = spans[dice.choice(len(spans))]
                start, end = min(start, other[0]), max(end, other[1])
        else:
            start = dice.uniform(0, steps - 1)
            end = start + 1 + dice.lognormal(*world.length)
        start, end = max(0.0, np.round(start)), min(float(steps), np.round(end))
        windows.append((min(start, steps - 1.0), max(end, min(start, steps - 1.0) + 1)))
    return _scored(world, np.array(windows, np.float32), spans, tops, dice)


def _slipped(world: World, span: Floats, dice: Dice) -> tuple[float, float]:
    by = 0.7 + world.slip * float(span[1] - span[0]) * dice.uniform(0.2, 2)
    start, end = span + dice.normal(0, by, 2)
    return (float(start), float(end)) if start < end else (float(span[0]), float(span[1]))


def _scored(world: World, windows: Floats, spans: Floats, tops: np.ndarray, dice: Dice) -> Floats:
    """Scores from how well a window fits what stands out, and from chance."""
    fit = np.zeros(len(windows))
    if len(spans):
        alike = iou(windows[:, :1], windows[:, 1:], spans[:, 0], spans[:, 1])
        fit = (alike * (0.3 + np.minimum(tops, 1.2))).max(axis=1)
    odds = dice.uniform(*world.trust) * (fit - 0.6) + dice.normal(0, 1.0, len(windows))
    # A detector suppresses windows like better ones.
    order = np.argsort(-odds, kind="stable")
    for place, window in enumerate(order):
        better = windows[order[:place]]
        if place:
            alike = iou(windows[window, 0], windows[window, 1], better[:, 0], better[:, 1])
            odds[window] -= 3 * alike.max()
    scores = 1 / (1 + np.exp(-odds))
    found = np.concatenate([windows, scores[:, None]], axis=1)
    return found[np.argsort(-scores, kind="stable")].astype(np.float32)
