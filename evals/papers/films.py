"""Needle films, asked as shipped and with each part switched off."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from evals.chosen import chosen
from evals.logbook import Sample
from evals.needle import rooms
from evals.needle.compare import tallies
from evals.needle.questions import asked, dataset, places, subject
from evals.needle.run import OURS, run
from evals.needle.score import by_kind, given
from evals.papers.budget import budget
from evals.papers.parts import Variation
from evals.papers.worth import Worth, worth
from vmr_agent import Settings
from vmr_agent.toolbox import Toolbox, build_toolbox

SHIPPED = "as-shipped"
"""The folder of the run that all others are compared with."""
Build = Callable[[Settings], Toolbox]


class Asking(NamedTuple):
    """What all variations have in common."""

    films: Sequence[Path]
    out: Path
    """A folder for each variation is made in it."""
    words: Sequence[str] = ()
    """Settings, as ``--set`` takes them."""
    command: Sequence[str] = ()
    """The module that was started, and its arguments."""
    again: bool = False
    """Whether what the folders hold is thrown away."""
    build: Build = build_toolbox


def checked(asking: Asking, variations: Sequence[Variation]) -> None:
    """Raises JoinError or VmrError for what cannot be asked, before anything is."""
    asked(asking.films)
    for each in variations:
        chosen([*asking.words, *each.words], each.without)


def told(asking: Asking, variations: Sequence[Variation]) -> dict[str, Any]:
    """What every part is worth, each run kept; the same again asks only what is missing.

    Raises JoinError or VmrError.
    """
    questions, where = asked(asking.films), places(asking.films)
    subjects = [subject(each) for each in questions]
    shipped, box = _ask(asking, Variation(SHIPPED, "none", "everything as it is shipped"))
    parts: list[Worth] = []
    for each in variations:
        if each.after is None:
            other, others_box = _ask(asking, each)
        else:
            other, others_box = each.after(shipped, where, box), box
        off, on = (other, shipped) if each.after is None else (shipped, other)
        parts.append(
            {
                **each.told,
                "figures": worth(*tallies(off, on), subjects),
                "seconds": _seconds(other),
                **({"budget": budget(where.values(), others_box)} if each.looks else {}),
            }
        )
    return {
        "films": [film.stem for film in asking.films],
        "queries": len(questions),
        "sha256": dataset(asking.films, len(questions)).sha256,
        "set": [*asking.words],
        "shipped": {
            "kinds": by_kind(given(shipped)),
            "rooms": rooms.recalls([each.lost for each in shipped if each.truth]),
            "seconds": _seconds(shipped),
            "budget": budget(where.values(), box),
            "as likely": _equal(shipped),
        },
        "parts": parts,
    }


def _ask(asking: Asking, variation: Variation) -> tuple[list[Sample], Toolbox]:
    """The samples of a variation, and its toolbox."""
    settings = chosen([*asking.words, *variation.words], variation.without)
    build = partial(_built, asking.build, variation)
    print(f"{variation.name}: {variation.part}", file=sys.stderr, flush=True)
    folder = asking.out / variation.name
    made = run(asking.films, settings, folder, {}, asking.command, again=asking.again, build=build)
    return made[OURS], build(settings)


def _built(build: Build, variation: Variation, settings: Settings) -> Toolbox:
    box = build(settings)
    return variation.change(box) if variation.change else box


def _seconds(samples: Sequence[Sample]) -> float:
    """Of the median query: the first about a film may have the looking in it."""
    return round(float(np.median([each.seconds for each in samples])), 3)


def _equal(samples: Sequence[Sample]) -> Mapping[str, int]:
    """Answers of several moments, and of those in which the first two are as likely."""
    scores = [
        [moment.score for moment in each.report.moments[:2]] for each in samples if each.report
    ]
    several = [each for each in scores if len(each) == 2]
    return {"answers of several": len(several), "first two": sum(a == b for a, b in several)}
