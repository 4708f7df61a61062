"""Films that never were, seen and heard: what an audio gate has to tell apart.

Of each question either side is right, both are, or none is. What is seen is a curve as the packaged
encoder's are; what is heard has the look of the agent's own curves: speech is painted utterance by
utterance, nothing where nobody speaks; sounds are told second by second, and are mostly nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vmr_agent import sides
from vmr_agent.artefacts import Curves
from vmr_agent.channels import MEANT
from vmr_agent.curves import logistic, paint
from vmr_agent.grounding.inputs import Floats
from vmr_agent.grounding.training.simulate import World, simulate_film
from vmr_agent.protocols import GateRequest
from vmr_agent.settings import RetrieveSettings
from vmr_agent.types import Channel, Query, Span

Dice = np.random.Generator
RIGHT = {"seen": 0.35, "heard": 0.25, "both": 0.2, "absent": 0.2}
"""Which side is right, and in what share of the questions."""
FINE = 0.5
"""Seconds of a step of the agent's curves."""
FILMS = World(
    steps=(120, 700),
    counts=(0.0, 0.5, 0.25, 0.15, 0.1),
    length=(2.75, 0.6),
    shot=14.0,
    at_cuts=0.85,
    alike=2.0,
    clear=(5.0, 13.0),
    overlooked=0.1,
    misjudged=(0.0, 0.15),
    scene=2.3,
    noise=0.7,
    keep=0.85,
    drift=0.5,
    blur=(0, 3),
)
"""Of one to six minutes; heights are log-odds above ``USUAL``, as of the packaged encoder."""
USUAL = 8.0
"""How far log-odds of relevance are usually below an even chance, where something is seen …"""
FAR = (5.2, 0.75)
"""… and where something is said: mean, and deviation of an utterance."""
TALK = (0.05, 0.7)
"""Share of a film in which somebody speaks."""
MENTION = (2.0, 8.0)
"""How far utterances about it stand out, in log-odds; those a little like it up to that."""
ALIKE = 1.0
"""Mean number of utterances that are a little like it."""
NAMED = 0.3
"""Share of the questions of which a tagger can tell the sound; it is heard in half of those in
which what is heard is right."""
BURSTS = 2.0
"""Mean number of times that a tagger hears something like it."""


class Heard(NamedTuple):
    """A question about a film, seen and heard."""

    rows: Floats
    """(C, T) relevance in [0, 1], in steps of ``FINE`` seconds."""
    channels: tuple[Channel, ...]
    cuts: Floats
    """(S,) seconds at which shots begin."""
    moments: Floats
    """(G, 2) seconds; none where it is absent."""
    right: str
    """Which of ``RIGHT``."""

    @property
    def duration(self) -> float:
        """Seconds."""
        return float(self.rows.shape[1] * FINE)


def heard(dice: Dice, films: World = FILMS) -> Heard:
    """The first film in which something is seen and something is heard."""
    while True:
        made = _made(dice, films)
        if request(made) is not None:
            return made


def request(made: Heard) -> GateRequest | None:
    """What the agent would ask a gate about it."""
    found, query = Curves(step=FINE, channels=made.channels), Query(text="it", scene="it")
    return sides.request(query, found, made.rows, made.duration, RetrieveSettings())


def _made(dice: Dice, films: World) -> Heard:
    right = str(dice.choice([*RIGHT], p=[*RIGHT.values()]))
    curve, film = simulate_film(films, dice)
    if right in ("heard", "absent"):
        steps = (film.steps, film.steps)
        curve, _ = simulate_film(films._replace(steps=steps, counts=(1.0,)), dice)
    there = film.moments if right in ("heard", "both") else np.zeros((0, 2), np.float32)
    named, told = dice.random() < NAMED, bool(dice.random() < 0.5)
    rows: dict[Channel, Floats] = {
        "picture": logistic(curve - USUAL, 0.0, 1.0),
        "speech": _speech(film.steps, there[: 0 if named and told else None], dice),
    }
    if named:
        rows["sound"] = _sound(film.steps, there[: None if told else 0], dice)
    moments = film.moments[: 0 if right == "absent" else None]
    stacked = np.stack([*rows.values()]).astype(np.float32)
    return Heard(stacked, tuple(rows), FINE * film.cuts, FINE * moments, right)


def _speech(steps: int, there: Floats, dice: Dice) -> Floats:
    """(T,) utterances, and those inside the moments that are about it."""
    curve, spoken = np.zeros(steps, np.float32), dice.uniform(*TALK)
    likely = dice.poisson(ALIKE) * 4.0 * spoken / (FINE * steps)
    for span in _utterances(0.0, FINE * steps, spoken, dice):
        like = dice.uniform(0, MENTION[1]) if dice.random() < likely else 0.0
        _say(curve, span, like, dice)
    clear = dice.uniform(*MENTION)
    for start, end in FINE * there:
        curve[round(start / FINE) : round(end / FINE)] = 0
        for span in _utterances(float(start), float(end), 0.85, dice):
            _say(curve, span, clear * dice.uniform(0.6, 1.1), dice)
    return curve


def _utterances(start: float, end: float, share: float, dice: Dice) -> Sequence[Span]:
    """Such a share of the time, in seconds."""
    found: list[Span] = []
    time = start
    while time < end - 0.5:
        length = min(max(0.6, float(dice.lognormal(1.2, 0.5))), end - time)
        if not found or dice.random() < share:
            found.append(Span(start=time, end=time + length))
        time += length
    return found


def _say(curve: Floats, span: Span, like: float, dice: Dice) -> None:
    odds = np.array([like - FAR[0] + FAR[1] * dice.normal()])
    paint(curve, span, min(MEANT, float(logistic(odds, 0.0, 1.0)[0])), FINE)


def _sound(steps: int, there: Floats, dice: Dice) -> Floats:
    """(T,) a tagger's probabilities, each for a second."""
    seconds = np.zeros(-(-steps // 2), np.float64)
    for _ in range(dice.poisson(BURSTS)):
        first, last = int(dice.integers(len(seconds))), 1 + int(dice.exponential(2.0))
        seconds[first : first + last] = dice.beta(1, 4)
    clear = dice.uniform(0.3, 1.0)
    for start, end in np.round(there * FINE).astype(int):
        seconds[start:end] = clear * dice.beta(5, 2, end - start)
    return np.repeat(seconds, 2)[:steps].astype(np.float32)
