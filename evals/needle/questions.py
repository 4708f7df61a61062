"""What needle films are asked, as a benchmark asks it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from evals.datasets import Asked
from evals.logbook import Dataset
from evals.needle.film import load
from evals.playlist import JoinError


def asked(films: Sequence[Path]) -> list[Asked]:
    """Every query of every film. Raises JoinError."""
    places(films)
    return [
        Asked(
            id=f"{film.stem}/{number}",
            video=film.stem,
            query=query["query"],
            truth=tuple((moment["start"], moment["end"]) for moment in query["moments"]),
            duration=0.0,
            row=query,
        )
        for film in films
        for number, query in enumerate(load(film))
    ]


def places(films: Sequence[Path]) -> Mapping[str, Path]:
    """Where each film is. Raises JoinError where two have one name."""
    found = {film.stem: film for film in films}
    if len(found) < len(films):
        raise JoinError("two films have the same name, and so would their queries")
    return found


def dataset(films: Sequence[Path], queries: int) -> Dataset:
    """What is asked: the digest is that of all truths, one after the other."""
    whole = hashlib.sha256()
    for film in films:
        whole.update(film.with_suffix(".json").read_bytes())
    names = " ".join(film.stem for film in films)
    return Dataset(
        name="needle", split=names, file="truth", sha256=whole.hexdigest(), queries=queries
    )


def subject(each: Asked) -> str:
    """What a query is about: queries about one clip stand or fall together."""
    return str(each.row["file"]) or each.query
