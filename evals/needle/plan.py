"""What a needle film is made of: which clips are asked about in which way, and in which order.

A folder's clips are dealt out by the seed: some are left out, so that questions about them have no
answer; some are asked about; the others fill the film, again and again if they must, and are not.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from evals.joiner import Look, Piece
from evals.playlist import Clips, JoinError, spread

Kind = Literal["single", "repeated", "cut", "within", "heard", "absent"]
SEEN: tuple[Kind, ...] = ("within", "cut", "repeated", "single")
"""Of things to see: a moment that begins and ends in a dissolve, in the midst of another clip; one
that is cut several times; one that comes several times; one between two cuts."""
ABSENT = 0.25
"""Share of clips that are left out."""
FILLING = 0.25
"""Share of clips that fill the film."""
TIMES = (2, 4)
"""How often a repeated clip comes, least and most."""
PARTS = (2, 4)
"""Into how many parts a moment with cuts in it is cut."""
PART = 1.5
"""Seconds that a part lasts at least."""
JUMP = (0.2, 0.8)
"""Seconds that are left out between two parts."""
NEARER = 1.35
"""How much closer every other part is: a cut that can be seen."""
DISSOLVE = (0.5, 2.0)
"""Seconds of the dissolves around a moment without cuts."""
SOFT = 0.2
"""Share of all other scenes that dissolve into the next."""
MIRRORED = 0.3
"""Share of repeated and filling clips that are shown mirrored."""
ZOOM = 1.15
"""How much closer they are at most."""

Chance = random.Random
Family = tuple[str, ...]
"""Clips that have a query in common, most of them one."""
Scene = tuple[Piece, ...]


class Plan(NamedTuple):
    """A film, before it is made."""

    pieces: tuple[Piece, ...]
    asked: tuple[tuple[Kind, Family], ...]
    """What is asked about, and how it comes; sound files too."""


def plan(clips: Clips, lengths: Mapping[str, float], minutes: float, seed: int) -> Plan:
    """Deal out clips, of these lengths in seconds, for a film of about so many minutes.

    Raises JoinError where there are too few.
    """
    chance = Chance(seed)
    kin = families(clips)
    chance.shuffle(kin)
    if len(kin) < len(SEEN):
        raise JoinError(f"{len(kin)} clips show different things: a needle film takes {len(SEEN)}")
    few = len(kin) - len(SEEN)  # what is asked about comes first
    out, filling = (min(few // 2, max(1, round(share * len(kin)))) for share in (ABSENT, FILLING))
    fillers, wanted = kin[out : out + filling], kin[out + filling :]
    fill = [file for family in fillers or wanted[:1] for file in family]
    scenes: dict[str, list[Scene]] = {}
    asked: list[tuple[Kind, Family]] = []
    spare = 60 * minutes
    for number, family in enumerate(wanted):
        kind = SEEN[number % len(SEEN)]
        made = _scenes(kind, family, fill, lengths, chance)
        spare -= sum(_length(scene, lengths) for scene in made)
        if spare < 0 and asked:
            break
        scenes[family[0]] = made
        asked.append((kind, family))
    scenes |= _filling(fill, spare, lengths, chance)
    sounds = tuple(file for file, clip in clips.items() if clip.start is None and clip.queries)
    pieces = _laid(_in_order(scenes, chance), sounds, lengths, chance)
    heard: list[tuple[Kind, Family]] = [("heard", (file,)) for file in sounds]
    return Plan(pieces, (*asked, *heard))


def families(clips: Clips) -> list[Family]:
    """Picture clips that have queries, those with a query in common together."""
    found: list[list[str]] = []
    for file, clip in clips.items():
        if clip.start is None or not clip.queries:
            continue
        kin = [f for f in found if any({*clips[one].queries} & {*clip.queries} for one in f)]
        found = [f for f in found if f not in kin] + [[one for f in kin for one in f] + [file]]
    return [tuple(family) for family in found]


def _scenes(
    kind: Kind, family: Family, fill: Sequence[str], lengths: Mapping[str, float], chance: Chance
) -> list[Scene]:
    """All scenes in which what is asked about comes."""
    if kind == "single":
        return [(Piece(family[0]),)]
    if kind == "repeated":
        times = chance.randint(*TIMES)
        return [
            (Piece(family[n % len(family)], look=_look(chance) if n else Look()),)
            for n in range(times)
        ]
    if kind == "cut":
        return [_cut(family, lengths, chance)]
    host = chance.choice(fill)
    middle = lengths[host] * chance.uniform(0.35, 0.65)
    into, back = (_dissolve(lengths, chance, family[0], host) for _ in range(2))
    halves = Piece(host, last=middle, fade=into), Piece(host, first=middle)
    return [(halves[0], Piece(family[0], fade=back), halves[1])]


def _cut(family: Family, lengths: Mapping[str, float], chance: Chance) -> Scene:
    """One moment with cuts in it: parts of a clip, or of two that show the same, to and fro."""
    files = family[:2]
    shortest = min(lengths[file] for file in files)
    count = max(PARTS[0], min(chance.randint(*PARTS), int(shortest / (PART + JUMP[1]))))
    parts: dict[str, list[Piece]] = {}
    for number, file in enumerate(files):
        edges = [lengths[file] * n / count for n in range(count + 1)]
        jumps = [0.0, *(min(chance.uniform(*JUMP), lengths[file] / 9) for _ in edges[2:])]
        parts[file] = [
            Piece(file, start + jump, end, Look(zoom=NEARER if (n + number) % 2 else 1.0))
            for n, ((start, end), jump) in enumerate(zip(pairwise(edges), jumps, strict=True))
        ]
    return tuple(part for turn in zip(*parts.values(), strict=True) for part in turn)


def _filling(
    fill: Sequence[str], spare: float, lengths: Mapping[str, float], chance: Chance
) -> dict[str, list[Scene]]:
    found: dict[str, list[Scene]] = {}
    turn: list[str] = []
    while spare > 0 and any(lengths[file] > 0 for file in fill):
        turn = turn or chance.sample(fill, len(fill))
        file = turn.pop()
        found.setdefault(file, []).append((Piece(file, look=_look(chance)),))
        spare -= _length((Piece(file),), lengths)
    return found


def _in_order(scenes: Mapping[str, list[Scene]], chance: Chance) -> list[Scene]:
    """All scenes, no two of the same running if possible."""
    names = [*scenes]
    chance.shuffle(names)
    counts = Counter({name: len(made) for name, made in scenes.items()})
    waiting = {name: iter(made) for name, made in scenes.items()}
    return [next(waiting[name]) for name in spread(names, counts)]


def _laid(
    scenes: Sequence[Scene], sounds: Sequence[str], lengths: Mapping[str, float], chance: Chance
) -> tuple[Piece, ...]:
    """The pieces, some scenes dissolving into the next, and sounds laid under some."""
    pieces: list[Piece] = []
    for number, scene in enumerate(scenes):
        *before, last = scene
        if number + 1 < len(scenes) and chance.random() < SOFT:
            following = scenes[number + 1][0]
            most = min(_shown(last, lengths), _shown(following, lengths)) / 3
            last = last._replace(fade=round(min(chance.uniform(*DISSOLVE), most), 2))
        pieces += [*before, last]
    places = chance.sample(range(len(pieces)), min(len(sounds), len(pieces)))
    for place, file in zip(places, sounds, strict=False):
        pieces[place] = pieces[place]._replace(under=(file,))
    return tuple(pieces)


def _look(chance: Chance) -> Look:
    return Look(chance.random() < MIRRORED, round(chance.uniform(1.0, ZOOM), 2))


def _dissolve(lengths: Mapping[str, float], chance: Chance, *files: str) -> float:
    most = min(lengths[file] for file in files) / 4
    return round(min(chance.uniform(*DISSOLVE), most), 2)


def _shown(piece: Piece, lengths: Mapping[str, float]) -> float:
    """Seconds that a piece lasts."""
    return max(0.0, min(piece.last, lengths[piece.file]) - piece.first)


def _length(scene: Scene, lengths: Mapping[str, float]) -> float:
    """Seconds that a scene adds to a film, most likely: some dissolve into the next."""
    soft = SOFT * min(sum(DISSOLVE) / 2, _shown(scene[-1], lengths) / 3)
    return sum(_shown(piece, lengths) - piece.fade for piece in scene) - soft
