"""How the scenes of a needle film follow on one another, and what is laid over and under them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from random import Random
from typing import NamedTuple

from evals.joiner import Piece, Words
from evals.lettering import Style

SOFT = 0.2
"""Share of all scenes that dissolve into the next."""
DISSOLVE = (0.5, 2.0)
"""Seconds of dissolves."""
SPOKEN = 0.3
"""Share of a film that speech laid under it may take; every speech comes once all the same."""
OFTEN = 3
"""How often a speech comes at most."""
PAUSE = 2.0
"""Seconds between two speeches, at least."""
A_MINUTE = 0.6
"""Phrases written into the pictures of a minute …"""
FEWEST, MOST = 3, 30
"""… and of a film."""
TWICE = 0.3
"""Share of them that come twice."""
THROUGHOUT = 0.25
"""Share of them that come and go with the cuts, where there are cuts on both sides."""
LEGIBLE = (2.0, 6.0)
"""Seconds that all others are there."""
CLEAR = 0.5
"""Seconds from a cut or a dissolve to the first and last picture with them, at least."""
SIZE = (0.085, 0.14)
"""Height of a line of letters as a share of the picture's."""
COLOURS = (
    ((250, 250, 250), (20, 40, 90)),
    ((15, 15, 15), (245, 205, 40)),
    ((255, 255, 255), (170, 25, 25)),
    ((20, 20, 20), (235, 235, 230)),
    ((255, 255, 255), (15, 95, 55)),
    ((255, 230, 70), (10, 10, 10)),
)
"""Letters, and their plate or outline."""
PLATE = 0.6
"""Share of them that stand on a plate."""

Scene = tuple[Piece, ...]
Lengths = Mapping[str, float]


def shown(piece: Piece, lengths: Lengths) -> float:
    """Seconds that a piece lasts."""
    return max(0.0, min(piece.last, lengths[piece.file]) - piece.first)


def length(scene: Scene, lengths: Lengths) -> float:
    """Seconds that a scene adds to a film, most likely: some dissolve into the next."""
    soft = SOFT * min(sum(DISSOLVE) / 2, shown(scene[-1], lengths) / 3)
    return sum(shown(piece, lengths) - piece.fade for piece in scene) - soft


def dissolve(lengths: Lengths, chance: Random, *files: str) -> float:
    """Seconds of a dissolve between clips, a quarter of the shortest at most."""
    most = min(lengths[file] for file in files) / 4
    return round(min(chance.uniform(*DISSOLVE), most), 2)


def in_a_row(scenes: Sequence[Scene], lengths: Lengths, chance: Random) -> tuple[Piece, ...]:
    """The pieces, some scenes dissolving into the next."""
    pieces: list[Piece] = []
    for number, scene in enumerate(scenes):
        *before, last = scene
        if number + 1 < len(scenes) and chance.random() < SOFT:
            following = scenes[number + 1][0]
            most = min(shown(last, lengths), shown(following, lengths)) / 3
            last = last._replace(fade=round(min(chance.uniform(*DISSOLVE), most), 2))
        pieces += [*before, last]
    return tuple(pieces)


def spoken(
    pieces: Sequence[Piece], sounds: Sequence[str], lengths: Lengths, chance: Random
) -> tuple[Piece, ...]:
    """With sound files laid under them, none while another is heard; some come again."""
    starts = [*accumulate((shown(p, lengths) - p.fade for p in pieces), initial=0.0)]
    spare, end = SPOKEN * starts[-1], starts[-1]
    taken: list[tuple[float, float]] = []
    found = list(pieces)
    for turn in range(OFTEN):
        for file in sounds:
            if turn and (lengths[file] > spare or chance.random() < 0.5):
                continue
            places = chance.sample(range(len(pieces)), len(pieces))
            free = [n for n in places if _is_free(starts[n], lengths[file], taken)]
            whole = [n for n in free if starts[n] + lengths[file] + PAUSE <= end]
            # In a film that is too short for it a speech is cut off.
            for place in (whole or ([] if turn else free))[:1]:
                spare -= lengths[file]
                taken.append((starts[place], starts[place] + lengths[file]))
                found[place] = found[place]._replace(under=(*found[place].under, file))
    return tuple(found)


def _is_free(start: float, seconds: float, taken: Sequence[tuple[float, float]]) -> bool:
    return all(start >= b + PAUSE or start + seconds + PAUSE <= a for a, b in taken)


class Plain(NamedTuple):
    """The part of a piece in which nothing dissolves."""

    place: int
    """Which piece."""
    first: float
    """Seconds after the piece's first picture."""
    last: float
    cut: bool
    """Whether it is all of the piece, from cut to cut."""


def written(
    pieces: Sequence[Piece], phrases: Sequence[str], lengths: Lengths, chance: Random
) -> tuple[Piece, ...]:
    """With phrases drawn into some of them, each once or twice, no two in one piece."""
    free = [each for each in _plain(pieces, lengths) if each.last - each.first >= _need()]
    chance.shuffle(free)
    minutes = sum(shown(piece, lengths) for piece in pieces) / 60
    many = max(FEWEST, min(MOST, round(A_MINUTE * minutes)))
    found = list(pieces)
    for text in phrases[: min(many, len(phrases) // 2)]:
        used: list[int] = []
        for _ in range(1 + (chance.random() < TWICE)):
            # A phrase that comes twice does not go on over a cut.
            far = [each for each in free if all(abs(each.place - n) > 1 for n in used)]
            for plain in far[:1]:
                free.remove(plain)
                used.append(plain.place)
                words = Words(text, _style(chance), *_when(plain, chance))
                found[plain.place] = found[plain.place]._replace(words=(words,))
    return tuple(found)


def _need() -> float:
    return LEGIBLE[0] + 2 * CLEAR


def _plain(pieces: Sequence[Piece], lengths: Lengths) -> Iterator[Plain]:
    fade = 0.0
    for place, piece in enumerate(pieces):
        last = shown(piece, lengths) - piece.fade
        yield Plain(place, fade, last, not (fade or piece.fade))
        fade = piece.fade


def _when(plain: Plain, chance: Random) -> tuple[float, float]:
    if plain.cut and chance.random() < THROUGHOUT:
        return 0.0, math.inf
    first, last = plain.first + CLEAR, plain.last - CLEAR
    seconds = chance.uniform(LEGIBLE[0], min(LEGIBLE[1], last - first))
    start = chance.uniform(first, last - seconds)
    return round(start, 2), round(start + seconds, 2)


def _style(chance: Random) -> Style:
    ink, ground = chance.choice(COLOURS)
    x, y = (round(chance.uniform(0.05, 0.95), 2) for _ in range(2))
    size = round(chance.uniform(*SIZE), 3)
    return Style(x, y, size, ink, ground, chance.random() < PLATE)
