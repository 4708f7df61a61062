"""Queries that order what comes in a film: "the second time …", "… after …", "… before …".

Their truth is what `vmr_agent.intervals` means by them, and only where nobody could mean anything
else: times are counted over all moments of a thing; "X after Y" is each X that begins once Y has
ended, asked only where Y comes once and no X is near it, one X lies on that side of it and others
on the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from evals.joiner import Stretch
from evals.needle.truth import Asked
from vmr_agent.order import ordered as taken_apart

TIMES = ("first", "second", "third", "fourth", "fifth")
"""Those that a query may name, and "last"."""
NEAR = 1.0
"""Seconds that must lie between two things for one to be after the other."""
OPENING = frozenset("a an the someone somebody people".split())
"""Words before which "the second time" reads well; behind any other query it stands at the end."""


class Thing(NamedTuple):
    """What comes in the film, in words, and every time it does."""

    query: str
    file: str
    moments: list[Stretch]


class Orders(NamedTuple):
    """Queries with an answer, and as many without."""

    present: list[Asked]
    absent: list[Asked]


def orders(things: Sequence[Thing], chance: Random) -> Orders:
    """About things of which each is asked for in words that no other answers."""
    plain = [each for each in things if taken_apart(each.query) == (each.query, (), 0)]
    found = Orders([], [])
    for thing in (each for each in plain if len(each.moments) > 1):
        found.present.append(_time(thing, chance))
        found.absent.extend(_too_often(thing, chance))
    once = [each for each in plain if len(each.moments) == 1]
    for thing in plain:
        others = [other for other in once if other.file != thing.file]
        for other in chance.sample(others, len(others)):
            present, absent = _beside(thing, other, chance)
            if present or absent:
                found.present.extend(present)
                found.absent.extend(absent)
                break
    return Orders(found.present, chance.sample(found.absent, len(found.absent)))


def _time(thing: Thing, chance: Random) -> Asked:
    """One of its times, the last by that name or by its number."""
    place = chance.randrange(min(len(thing.moments), len(TIMES)))
    last = place == len(thing.moments) - 1
    name = "last" if last and (place == 0 or chance.random() < 0.5) else TIMES[place]
    query = _counted(thing.query, name, chance)
    return _asked(query, thing, "ordered", "time", [thing.moments[place]])


def _too_often(thing: Thing, chance: Random) -> list[Asked]:
    """A time more than there are."""
    names = TIMES[len(thing.moments) :]
    if not names:
        return []
    query = _counted(thing.query, chance.choice(names), chance)
    return [_asked(query, thing, "absent", "ordered", [])]


def _counted(query: str, name: str, chance: Random) -> str:
    opens = query.split()[0].lower() in OPENING
    if opens and chance.random() < 0.5:
        return f"the {name} time {query}"
    return f"{query}, the {name} time"


def _beside(thing: Thing, other: Thing, chance: Random) -> tuple[list[Asked], list[Asked]]:
    """Queries about a thing and one that comes once: those with an answer, those without."""
    middle = other.moments[0]
    sides = {
        "after": [m for m in thing.moments if m["start"] >= middle["end"] + NEAR],
        "before": [m for m in thing.moments if m["end"] <= middle["start"] - NEAR],
    }
    if sum(map(len, sides.values())) < len(thing.moments):
        return [], []  # one of them is at the same time, or too near
    most = len(thing.moments) - 1
    words = {word: _related(thing.query, word, other.query, chance) for word in sides}
    present = [
        _asked(words[word], thing, "ordered", word, there)
        for word, there in sides.items()
        if len(there) == 1 <= most
    ]
    absent = [
        _asked(words[word], thing, "absent", "ordered", [])
        for word, there in sides.items()
        if not there
    ]
    return present[:1], absent


def _related(query: str, word: str, other: str, chance: Random) -> str:
    if "," not in other and chance.random() < 0.3:
        return f"{word} {other}, {query}"
    return f"{query} {word} {other}"


def _asked(query: str, thing: Thing, kind: str, sort: str, moments: list[Stretch]) -> Asked:
    assert kind in ("ordered", "absent")
    return {
        "query": query,
        "kind": "ordered" if kind == "ordered" else "absent",
        "sort": sort,
        "file": thing.file,
        "spoken": False,
        "moments": moments,
    }
