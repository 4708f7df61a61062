"""What is in a needle film and what is asked of it, in the file beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NotRequired, TypedDict

from evals import join
from evals.joiner import Placed, Written
from evals.needle.plan import Kind
from evals.playlist import JoinError


class Laid(Placed):
    """Where a clip lies, and as what: the kind in which it is asked about, or `filling`."""

    kind: str


class Asked(join.Asked):
    """A query, how what it asks for comes, and all of its moments.

    The file is the first clip that it is about, empty for none.
    """

    kind: Kind
    sort: NotRequired[str]
    """More exactly: of what kind an absent one would be, or what an ordered one orders by."""
    alike: NotRequired[list[str]]
    """Clips in the film that look like it and are no answer."""


class Truth(TypedDict):
    """What is in a film and what is asked of it."""

    film: str
    duration: float
    seed: int
    clips: list[Laid]
    heard: list[Placed]
    """Sound files laid under the pictures."""
    written: list[Written]
    """Words drawn into the pictures."""
    queries: list[Asked]


def load(film: Path) -> list[Asked]:
    """The queries of a film's truth, from the file beside it. Raises JoinError."""
    truth = film.with_suffix(".json")
    try:
        asked: list[Asked] = json.loads(truth.read_text(encoding="utf-8"))["queries"]
        for each in asked:
            _ = each["query"], each["kind"], [(m["start"], m["end"]) for m in each["moments"]]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise JoinError(f"{truth} is no truth of a needle film: {error!r}") from error
    return asked
