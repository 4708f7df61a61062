"""A needle film and the truth about it."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from evals import join
from evals.film import Form, write_film
from evals.footage import picture_length
from evals.joiner import Joiner, Placed, Stretch
from evals.needle.absent import Absent
from evals.needle.plan import Family, Kind, Plan, plan
from evals.playlist import SPOKEN, Clips, JoinError, load_clips

FORM = Form(crf=26, preset="superfast", audio_coder="fast")
"""Half the work of the usual form, for as many bits: an hour in two minutes, on two cores."""
TOUCH = 1e-3
"""Seconds between two pieces that follow on one another."""


class Asked(join.Asked):
    """A query, how what it asks for comes, and all of its moments.

    The file is the first clip that it is about, empty for none.
    """

    kind: Kind


class Truth(TypedDict):
    """What is in a film and what is asked of it."""

    film: str
    duration: float
    seed: int
    clips: list[Placed]
    queries: list[Asked]


def build(
    folder: Path,
    out: Path,
    minutes: float,
    *,
    seed: int = 0,
    absent: int | None = 100,
    form: Form | None = None,
) -> Truth:
    """Join the clips of a folder into the film `out`, of about so many minutes; truth beside it.

    `absent` is how many queries about nothing in the film are asked, at most half of them about
    clips that were left out; None for all. The same seed and clips give the same truth. Raises
    JoinError.
    """
    if not 0 < minutes < 24 * 60:
        raise JoinError("a film lasts more than 0 minutes and less than a day")
    if not out.parent.is_dir():
        raise JoinError(f"the folder {out.parent} is missing")
    clips = load_clips(folder)
    if out.resolve() in [clip.path.resolve() for clip in clips.values()]:
        raise JoinError(f"{out} is one of the clips")
    lengths = {file: picture_length(clip.path) for file, clip in clips.items()}
    planned = plan(clips, lengths, minutes, seed)
    with write_film(out, form or FORM) as film:
        joiner = Joiner(film, clips)
        for piece in planned.pieces:
            joiner.lay(piece)
        joiner.end()
    truth: Truth = {
        "film": out.name,
        "duration": round(film.seconds, 3),
        "seed": seed,
        "clips": joiner.placed,
        "queries": [
            *_present(clips, planned, [*joiner.placed, *joiner.heard]),
            *_absent(clips, planned, Absent.load(), absent, random.Random(seed)),
        ],
    }
    join.write(out.with_suffix(".json"), json.dumps(truth, indent=1) + "\n")
    return truth


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


def _present(clips: Clips, planned: Plan, placed: Sequence[Placed]) -> list[Asked]:
    return [
        _asked(query, kind, family, _moments(family, placed))
        for kind, family in planned.asked
        for query in _shared(clips, family)
    ]


def _absent(
    clips: Clips, planned: Plan, listed: Absent, most: int | None, chance: random.Random
) -> list[Asked]:
    """Of clips that were left out, and of things that are nowhere; nothing like what is there."""
    there = {piece.file for piece in planned.pieces} | {
        sound for piece in planned.pieces for sound in piece.under
    }
    shown = [query for file in there for query in clips[file].queries]
    missing = [query for file in clips if file not in there for query in clips[file].queries]
    others = list(listed.queries)
    for queries in (missing, others):
        chance.shuffle(queries)
    half = listed.unlike(missing, shown)[: None if most is None else most // 2]
    asked = dict.fromkeys([*half, *listed.unlike(others, shown)])
    return [_asked(query, "absent", (), []) for query in [*asked][:most]]


def _asked(query: str, kind: Kind, family: Family, moments: list[Stretch]) -> Asked:
    return {
        "query": query.removesuffix(SPOKEN).strip(),
        "kind": kind,
        "file": family[0] if family else "",
        "spoken": query.endswith(SPOKEN),
        "moments": moments,
    }


def _shared(clips: Clips, family: Family) -> list[str]:
    """The queries that all clips of a family answer."""
    first, *others = (clips[file].queries for file in family)
    return [query for query in first if all(query in other for other in others)]


def _moments(family: Family, placed: Sequence[Placed]) -> list[Stretch]:
    """Where any of the clips is; what follows on without a gap is one moment."""
    found: list[Stretch] = []
    for each in sorted(placed, key=lambda one: one["span"]["start"]):
        if each["file"] not in family:
            continue
        span = each["span"]
        if found and span["start"] - found[-1]["end"] <= TOUCH:
            found[-1] = {"start": found[-1]["start"], "end": span["end"]}
        else:
            found.append({"start": span["start"], "end": span["end"]})
    return found
