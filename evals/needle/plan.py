"""What a needle film is made of: which clips are asked about in which way, and in which order.

A folder's clips are dealt out by the seed: some are left out, so that questions about them have no
answer; some are asked about; the others fill the film, again and again if they must. What is asked
about has a look-alike beside it in the film, if the folder has one.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from evals.joiner import Look, Piece
from evals.needle import lay
from evals.needle.absent import Absent
from evals.needle.kin import Family, alike, families
from evals.needle.lay import Lengths, Scene
from evals.playlist import Clips, JoinError, spread
from evals.stills import Glide, View

Kind = Literal["single", "repeated", "cut", "within", "heard", "read", "ordered", "absent"]
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
MIRRORED = 0.3
"""Share of repeated and filling clips that are shown mirrored."""
ZOOMS = (1.0, 1.05, 1.1, 1.15)
"""How much closer they are: few ways, so that a long film has parts that are encoded once."""
GLIDING = 0.6
"""Share of photographs over which a camera glides; the others stand still."""
WINDOW = (0.7, 1.0)
"""Width of what it sees, as a share of the widest that fits."""

Chance = random.Random


class Plan(NamedTuple):
    """A film, before it is made."""

    pieces: tuple[Piece, ...]
    asked: tuple[tuple[Kind, Family], ...]
    """What is asked about, and how it comes; sound files too."""
    written: tuple[str, ...] = ()
    """Phrases that are drawn into pictures."""


class Deal(NamedTuple):
    """Families of clips, in the order of the seed."""

    out: list[Family]
    fillers: list[Family]
    wanted: list[Family]


def plan(
    clips: Clips, lengths: Lengths, minutes: float, seed: int, phrases: Sequence[str] = ()
) -> Plan:
    """Deal out clips, of these lengths in seconds, for a film of about so many minutes.

    Some of the ``phrases`` are written into its pictures. Raises JoinError where there are too few
    clips.
    """
    chance = Chance(seed)
    _, fillers, wanted = deal(clips, chance)
    fill = [file for family in fillers for file in family]
    scenes: dict[str, list[Scene]] = {}
    asked: list[tuple[Kind, Family]] = []
    spare = 60 * minutes
    for number, family in enumerate(wanted):
        kind = SEEN[number % len(SEEN)]
        made = _scenes(kind, family, fill, lengths, chance)
        spare -= sum(lay.length(scene, lengths) for scene in made)
        if spare < 0 and asked:
            break
        scenes[family[0]] = made
        asked.append((kind, family))
    scenes |= _filling(fill, spare, lengths, chance)
    pieces = _dressed(_in_order(scenes, chance), clips, lengths, phrases, seed)
    laid = {file for piece in pieces for file in piece.under}
    heard: list[tuple[Kind, Family]] = [("heard", (file,)) for file in clips if file in laid]
    written = dict.fromkeys(words.text for piece in pieces for words in piece.words)
    return Plan(pieces, (*asked, *heard), tuple(written))


def deal(clips: Clips, chance: Chance) -> Deal:
    """Who is left out, who fills, and who is asked about. Raises JoinError for too few clips."""
    kin = families(clips)
    chance.shuffle(kin)
    few = len(kin) - len(SEEN)  # what is asked about comes first, then what fills
    if few < 1:
        least = len(SEEN) + 1
        raise JoinError(f"{len(kin)} clips show different things: a needle film takes {least}")
    filling = min(-(-few // 2), max(1, round(FILLING * len(kin))))
    out = min(few - filling, max(1, round(ABSENT * len(kin))))
    found = Deal(kin[:out], kin[out : out + filling], kin[out + filling :])
    listed = Absent.load()
    for family in found.wanted:
        near = alike(clips, family, kin, listed)
        if near and all(each in found.out for each in near):
            found.out.remove(near[0])
            found.fillers.append(near[0])
    return found


def _dressed(
    scenes: Sequence[Scene], clips: Clips, lengths: Lengths, phrases: Sequence[str], seed: int
) -> tuple[Piece, ...]:
    """The pieces of a film, with all that is laid over and under them.

    Each thing has chances of its own: what it changes leaves the others as they are.
    """
    names = "glide", "row", "say", "write"
    moving, row, under, over = (Chance(f"{seed} {name}") for name in names)
    told = [file for file, clip in clips.items() if clip.start is None]
    sounds = [file for file in told if clips[file].queries or clips[file].said]
    pieces = lay.in_a_row([_moving(each, clips, lengths, moving) for each in scenes], lengths, row)
    return lay.written(lay.spoken(pieces, sounds, lengths, under), phrases, lengths, over)


def _moving(scene: Scene, clips: Clips, lengths: Lengths, chance: Chance) -> Scene:
    """With a camera that glides over its photographs, or does not; one way in one scene."""
    stills = dict.fromkeys(piece.file for piece in scene if clips[piece.file].still)
    glides = {file: _glide(lengths[file], chance) for file in stills}
    return tuple(
        piece._replace(glide=glides[piece.file], last=min(piece.last, lengths[piece.file]))
        if piece.file in glides
        else piece
        for piece in scene
    )


def _glide(seconds: float, chance: Chance) -> Glide | None:
    if chance.random() >= GLIDING:
        return None
    start, end = (View(chance.random(), chance.random(), chance.uniform(*WINDOW)) for _ in range(2))
    return Glide(start, end, seconds)


def _scenes(
    kind: Kind, family: Family, fill: Sequence[str], lengths: Lengths, chance: Chance
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
    into, back = (lay.dissolve(lengths, chance, family[0], host) for _ in range(2))
    halves = Piece(host, last=middle, fade=into), Piece(host, first=middle)
    return [(halves[0], Piece(family[0], fade=back), halves[1])]


def _cut(family: Family, lengths: Lengths, chance: Chance) -> Scene:
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
    fill: Sequence[str], spare: float, lengths: Lengths, chance: Chance
) -> dict[str, list[Scene]]:
    found: dict[str, list[Scene]] = {}
    turn: list[str] = []
    while spare > 0 and any(lengths[file] > 0 for file in fill):
        turn = turn or chance.sample(fill, len(fill))
        file = turn.pop()
        found.setdefault(file, []).append((Piece(file, look=_look(chance)),))
        spare -= lay.length((Piece(file),), lengths)
    return found


def _in_order(scenes: Mapping[str, list[Scene]], chance: Chance) -> list[Scene]:
    """All scenes, no two of the same running if possible."""
    names = [*scenes]
    chance.shuffle(names)
    counts = Counter({name: len(made) for name, made in scenes.items()})
    waiting = {name: iter(made) for name, made in scenes.items()}
    return [next(waiting[name]) for name in spread(names, counts)]


def _look(chance: Chance) -> Look:
    return Look(chance.random() < MIRRORED, chance.choice(ZOOMS))
