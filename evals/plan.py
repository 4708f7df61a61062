"""Which queries of a benchmark are asked, and in what portions."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from typing import NamedTuple

from evals.datasets import Asked


class Shard(NamedTuple):
    """A part of the films, with all that is asked about them."""

    number: int
    """From 1 on."""
    of: int
    """How many parts there are."""


WHOLE = Shard(1, 1)


def shard(text: str) -> Shard:
    """``2/5``, for argparse."""
    try:
        number, of = map(int, text.split("/"))
    except ValueError:
        number, of = 0, 0
    if not 1 <= number <= of:
        raise argparse.ArgumentTypeError(f"{text!r} is no part: say 2/5 for the second of five")
    return Shard(number, of)


def planned(
    questions: Sequence[Asked], there: Collection[str], part: Shard, limit: int | None
) -> list[Asked]:
    """Those about films that are ``there``, in the order of the file.

    Films go round the parts as they come in the file, whether they are there or not: with the same
    file a film is in the same part everywhere.
    """
    films = dict.fromkeys(each.video for each in questions)
    mine = {film for place, film in enumerate(films) if place % part.of == part.number - 1}
    return [each for each in questions if each.video in mine and each.video in there][:limit]


def tasks(questions: Sequence[Asked], done: Collection[str]) -> list[tuple[Asked, ...]]:
    """What is left to ask, film by film: one is looked at once, by whoever is asked about it."""
    films: dict[str, list[Asked]] = {}
    for each in questions:
        if each.id not in done:
            films.setdefault(each.video, []).append(each)
    return [tuple(each) for each in films.values()]
