"""Submissions that took minutes of learning to make, kept under what they were made of."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evals.bench_record import commit, machine
from evals.join import write
from evals.refine import rows as files
from vmr_agent import VmrError

Submissions = Mapping[str, Sequence[files.Row]]
MADE = "made.json"
"""Written last: where it is, all is whole."""
ROOT = Path(__file__).parents[2]
CODE = ("vmr_agent/grounding", "vmr_agent/metrics", "evals/refine", "evals/papers/reference.py")
"""What answers depend on besides their files: a commit that changes none of it changes none."""


class PapersError(VmrError):
    """What cannot be told, in one line."""

    exit_code = 2


def kept(
    folder: Path, marks: Mapping[str, Any], make: Callable[[], Submissions], again: bool = False
) -> Submissions:
    """What the folder has, or what is made now and then lies there.

    Raises PapersError where it was made of something else.
    """
    path = folder / MADE
    if path.is_file() and not again:
        known = _known(path)
        if other := _difference(known.get("marks", {}), marks):
            raise PapersError(f"{folder}: {other}; name another --out, or begin --again")
        return {name: files.read(folder / f"{name}.jsonl", files.WINDOWS) for name in known["has"]}
    began = time.monotonic()
    made = make()
    folder.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    for name, rows in made.items():
        files.write(folder / f"{name}.jsonl", rows)
    seconds = round(time.monotonic() - began)
    about = {"marks": marks, "commit": commit(), "machine": machine(), "seconds": seconds}
    write(path, json.dumps({**about, "has": [*made]}, indent=1) + "\n")
    return made


def code() -> str:
    """Sixteen digits of all source, and of weights, that answers depend on."""
    found = (path for name in CODE for path in _sources(ROOT / name))
    return digest(sorted(found))[:16]


def digest(paths: Iterable[Path]) -> str:
    """SHA-256 of files, one after the other."""
    whole = hashlib.sha256()
    for path in paths:
        whole.update(path.read_bytes())
    return whole.hexdigest()


def _sources(place: Path) -> Iterable[Path]:
    if place.is_file():
        return [place]
    return (path for kind in ("*.py", "*.safetensors") for path in place.rglob(kind))


def _known(path: Path) -> dict[str, Any]:
    try:
        known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        assert isinstance(known["marks"], dict)
        assert isinstance(known["has"], list)
    except (ValueError, KeyError, AssertionError, TypeError) as error:
        raise PapersError(f"{path} is not what this command writes: begin --again") from error
    return known


def _difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    for name in {**before, **now}:
        if before.get(name) != now.get(name):
            return f"{name} was {before.get(name)!r} and is {now.get(name)!r}"
    return ""
