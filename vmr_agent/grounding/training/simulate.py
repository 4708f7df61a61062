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

    steps: tuple[int, int] = (40, 100)
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
    clear: tuple[float, float] = (0.5, 2.5)
    """How far a question's moments stand out, in deviations of the noise times three."""
    uneven: tuple[float, float] = (0.0, 0.4)
    """Deviation, of a question, of how far its moments stand out: what is shown twice is as clear
    the second time, what happens twice need not be."""
    overlooked: float = 0.1
    """Share of moments that hardly stand out at all."""
    misjudged: tuple[float, float] = (0.0, 0.02)
    """Deviation of where the curve and the detector both see a boundary, in lengths, of a question:
    windows that agree with each other are wrong together."""
    scene: float = 0.3
    """Deviation of what a shot adds to the curve, whatever is in it."""
    noise: float = 0.3
    """Deviation of the rest, which is much the same from step to step."""
    keep: float = 0.7
    """Share of the noise that stays from one step to the next."""
    drift: float = 0.3
    """Deviation of the slow part."""
    blur: tuple[int, int] = (0, 3)
    """Steps to either side over which a curve is averaged."""
    slip: float = 0.12
    """Deviation of a proposed boundary from where it is seen, in lengths, besides half a step."""
    proposals: int = 10
    """Windows that the detector gives."""
    trust: tuple[float, float] = (6.0, 20.0)
    """How much its scores say about what is right, least and most."""
    sure: tuple[float, float] = (0.0, 1.0)
    """Added to the log-odds of its scores, in a question: detectors think well of themselves."""
    sound: float = 0.5
    """Deviation of the logarithm of how much clearer or fainter than usual all is with sound;
    without it, all is that much fainter or clearer."""
    faint: float = 0.4
    """How far moments stand out in a curve that is free, of how far they do in a dear one."""


class Film(NamedTuple):
    """What there is, as far as a question goes."""

    steps: int
    cuts: Floats
    """(C,) steps at which shots begin, the first at 0."""
    moments: Floats
    """(G, 2) whole steps, rising, a step apart at least."""
    others: Floats
    """(D, 2) stretches that are a little like it."""


class Sight(NamedTuple):
    """What somebody makes of it: the moments, then what is like them, S in all."""

    seen: Floats
    """(S, 2) where they seem to begin and end."""
    tops: Floats
    """(S,) how far they stand out."""


def simulate(world: World, dice: Dice) -> tuple[Question, Floats]:
    """A question, and its moments (G, 2) in steps."""
    film = _film(world, dice)
    curve, windows = _looked_at(world, film, dice.uniform(*world.clear), dice)
    return Question(curve[:, None], (windows,)), film.moments


def simulate_film(world: World, dice: Dice) -> tuple[Floats, Film]:
    """A curve (T,) alone, and the film."""
    film = _film(world, dice)
    return _curve(world, film, _sight(world, film, dice.uniform(*world.clear), dice), dice), film


def simulate_sound(world: World, dice: Dice) -> tuple[Question, Floats]:
    """A question of two sources, the first without sound, the second with it, and its moments.

    Sound makes some questions clearer and misleads others.
    """
    film = _film(world, dice)
    clear, tells = dice.uniform(*world.clear), np.exp(dice.normal(0, world.sound))
    looks = [_looked_at(world, film, clear * by, dice) for by in (1 / tells, tells)]
    curves = np.stack([curve for curve, _ in looks], axis=1)
    return Question(curves, tuple(windows for _, windows in looks)), film.moments


def simulate_look(world: World, dice: Dice) -> tuple[Question, Floats]:
    """A question of two curves, a faint one that is free, then a dear one; and its moments.

    Windows are proposed by who sees the free one.
    """
    film = _film(world, dice)
    clear = dice.uniform(*world.clear)
    free, windows = _looked_at(world, film, world.faint * clear, dice)
    dear = _curve(world, film, _sight(world, film, clear, dice), dice)
    return Question(np.stack([free, dear], axis=1), (windows,)), film.moments


def _film(world: World, dice: Dice) -> Film:
    steps = int(dice.integers(world.steps[0], world.steps[1] + 1))
    cuts = _cuts(world, steps, dice)
    moments = _moments(world, steps, cuts, dice)
    film = Film(steps, cuts, moments, np.zeros((0, 2), np.float32))
    return film._replace(others=_others(world, film, dice))


def _looked_at(world: World, film: Film, clear: float, dice: Dice) -> tuple[Floats, Floats]:
    """(T,) a retriever's curve, and (K, 3) a detector's windows, of the same sight."""
    sight = _sight(world, film, clear, dice)
    return _curve(world, film, sight, dice), _proposed(world, film.steps, sight, dice)


def _sight(world: World, film: Film, clear: float, dice: Dice) -> Sight:
    uneven = dice.uniform(*world.uneven)
    heights = np.maximum(0.2, 1 + uneven * dice.normal(size=len(film.moments)))
    heights[dice.random(len(heights)) < world.overlooked] *= 0.15
    tops = clear * np.concatenate([heights, dice.uniform(0.1, 0.9, len(film.others))])
    misjudged = dice.uniform(*world.misjudged)
    stretches = np.concatenate([film.moments, film.others])
    seen = np.array([_slipped(span, misjudged, 0.4, dice) for span in stretches], np.float32)
    return Sight(seen.reshape(-1, 2), tops.astype(np.float32))


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
        start, end = _cut(world, start, start + float(length), cuts, dice)
        if start < end and all(end < s or start > e for s, e in found):
            found.append((start, end))
    return np.array(sorted(found), np.float32).reshape(-1, 2)


def _cut(world: World, start: float, end: float, cuts: Floats, dice: Dice) -> tuple[float, float]:
    """Ends moved to the nearest cuts, some of them."""
    near = [float(cuts[np.abs(cuts - edge).argmin()]) for edge in (start, end)]
    first, last = (dice.random() < world.at_cuts for _ in near)
    return (near[0] if first else start), (near[1] if last else end)


def _others(world: World, film: Film, dice: Dice) -> Floats:
    """(D, 2) stretches that are a little like it, none of them in a moment."""
    found, true = list[tuple[float, float]](), film.moments
    for _ in range(dice.poisson(world.alike)):
        length = min(film.steps, 1 + dice.lognormal(*world.length))
        start = dice.uniform(0, film.steps - length)
        start, end = _cut(world, start, start + length, film.cuts, dice)
        if start < end and (np.minimum(true[:, 1], end) <= np.maximum(true[:, 0], start)).all():
            found.append((start, end))
    return np.array(found, np.float32).reshape(-1, 2)


def _curve(world: World, film: Film, sight: Sight, dice: Dice) -> Floats:
    """(T,) what a retriever would make of it."""
    middles = np.arange(film.steps) + 0.5
    shot = np.searchsorted(film.cuts, middles) - 1
    curve = world.scene * dice.normal(size=len(film.cuts))[shot] + _noise(world, film.steps, dice)
    for span, top in zip(sight.seen, sight.tops, strict=True):
        first, last = span + dice.normal(0, 0.4, 2)
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


def _proposed(world: World, steps: int, sight: Sight, dice: Dice) -> Floats:
    """(K, 3) windows of a detector that sees what the curve shows, best score first."""
    seen, windows = sight.seen, []
    for _ in range(world.proposals):
        if len(seen) and dice.random() < 0.75:
            likely = sight.tops + 0.05
            chosen = dice.choice(len(seen), p=likely / likely.sum())
            start, end = _slipped(seen[chosen], world.slip * dice.uniform(0.2, 2), 0.5, dice)
            if dice.random() < 0.1:
                other = seen[dice.choice(len(seen))]
                start, end = min(start, other[0]), max(end, other[1])
        else:
            start = dice.uniform(0, steps - 1)
            end = start + 1 + dice.lognormal(*world.length)
        start = min(max(0.0, np.round(start)), steps - 1.0)
        windows.append((start, max(min(float(steps), np.round(end)), start + 1)))
    return _scored(world, np.array(windows, np.float32), sight, dice)


def _slipped(span: Floats, share: float, steps: float, dice: Dice) -> tuple[float, float]:
    """Ends off by a share of the length and some steps; the same stretch where none is left."""
    start, end = span + dice.normal(0, steps + share * float(span[1] - span[0]), 2)
    return (float(start), float(end)) if start < end else (float(span[0]), float(span[1]))


def _scored(world: World, windows: Floats, sight: Sight, dice: Dice) -> Floats:
    """Scores from how well a window fits what stands out, and from chance."""
    fit, seen = np.zeros(len(windows)), sight.seen
    if len(seen):
        alike = iou(windows[:, :1], windows[:, 1:], seen[:, 0], seen[:, 1])
        fit = (alike * (0.3 + np.minimum(sight.tops, 1.2))).max(axis=1)
    odds = dice.uniform(*world.trust) * (fit - 0.6) + dice.normal(0, 1.0, len(windows))
    # A detector suppresses windows like better ones.
    order = np.argsort(-odds, kind="stable")
    for place, window in enumerate(order[1:], 1):
        better = windows[order[:place]]
        alike = iou(windows[window, 0], windows[window, 1], better[:, 0], better[:, 1])
        odds[window] -= 3 * alike.max()
    scores = 1 / (1 + np.exp(-odds - dice.uniform(*world.sure)))
    found = np.concatenate([windows, scores[:, None]], axis=1)
    return found[np.argsort(-scores, kind="stable")].astype(np.float32)
