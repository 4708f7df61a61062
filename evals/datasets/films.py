"""The films of a benchmark in a folder, by the benchmark's own names for them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from evals.datasets.asked import AnnotationError

KINDS = frozenset(".mp4 .mkv .webm .avi .mov .m4v .mpg .mpeg .ts .flv .wmv .3gp .ogv".split())
"""How the names of films end."""


def bare(name: str) -> str:
    """The name without such an end: there are dots in QVHighlights' names, and TACoS' have one."""
    kind = Path(name).suffix
    return name.removesuffix(kind) if kind.lower() in KINDS else name


def find(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """Those of the films that are there. Raises AnnotationError without the folder."""
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in KINDS)
    except OSError as error:
        raise AnnotationError(f"{folder} is no folder with films: {error.strerror}") from error
    there = {bare(path.name): path for path in reversed(files)}
    return {name: there[bare(name)] for name in names if bare(name) in there}
