"""What is asked of a needle film, of every kind: what is there, and what is not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest
from random import Random
from typing import NamedTuple

from evals.joiner import Placed, Stretch, Written
from evals.needle.absent import Absent
from evals.needle.kin import Family, alike, clear, families, shared
from evals.needle.order import Orders, Thing, orders
from evals.needle.plan import Kind, Plan
from evals.needle.truth import Asked
from evals.needle.words import Phrases
from evals.playlist import SPOKEN, Clips, Said
from vmr_agent.words import content, covered

TOUCH = 1e-3
"""Seconds between two pieces that follow on one another."""
SAME = 0.5
"""Share of a query's words in one sentence from which it is about that sentence."""
CUT_OFF = 0.02
"""Seconds that may be missing of a sentence: a tick of the film is longer than most samples."""


class Made(NamedTuple):
    """A film that is made: out of what, as planned, and what lies where."""

    clips: Clips
    planned: Plan
    placed: Sequence[Placed]
    heard: Sequence[Placed]
    written: Sequence[Written]

    @property
    def there(self) -> list[str]:
        """Every file that is seen or heard."""
        return [*dict.fromkeys(each["file"] for each in (*self.placed, *self.heard))]

    def seen(self, family: Family) -> list[str]:
        """The queries of a family of pictures that mean nothing else in the film."""
        others = [file for file in self.there if file not in family]
        others = [file for file in others if self.clips[file].start is not None]
        return clear(self.clips, shared(self.clips, family), others)


def asked(
    made: Made, phrases: Phrases, listed: Absent, most: int | None, chance: Random
) -> list[Asked]:
    """All queries: what is seen, heard, written and ordered, and at most so many about nothing."""
    ordered = orders(_things(made), Random(chance.random()))
    read = [_written(made, text, phrases, chance) for text in made.planned.written]
    heard = [query for family in _heard(made) for query in _said(made, family, phrases, chance)]
    present = [*_seen(made, listed), *heard, *read, *ordered.present]
    return [*present, *_absent(made, present, ordered, phrases, listed, most, chance)]


def _seen(made: Made, listed: Absent) -> list[Asked]:
    there = [family for family in families(made.clips) if {*family} & {*made.there}]
    found: list[Asked] = []
    for kind, family in made.planned.asked:
        if kind == "heard":
            continue
        near = alike(made.clips, family, there, listed)
        beside = [file for other in near for file in other if file in made.there]
        for query in made.seen(family):
            one = _asked(query, kind, "", family[0], moments(family, made.placed))
            found.append({**one, "alike": beside} if beside else one)
    return found


def _heard(made: Made) -> list[str]:
    return [family[0] for kind, family in made.planned.asked if kind == "heard"]


def _said(made: Made, file: str, phrases: Phrases, chance: Random) -> list[Asked]:
    """About a sound file as a whole, and about each sentence of it."""
    clip = made.clips[file]
    sounds = [each for each in made.there if each != file and made.clips[each].start is None]
    laid = [each["span"] for each in made.heard if each["file"] == file]
    whole = [
        _asked(query, "heard", "", file, list(laid))
        for query in clear(made.clips, clip.queries, sounds)
        if not any(_about(query, said) for said in clip.said)
    ]
    parts = [
        _asked(phrases.ask_of_speech(said.text, chance), "heard", "sentence", file, there, True)
        for said in clip.said
        if (there := _laid(said, laid)) and clear(made.clips, [said.text], sounds)
    ]
    return [*whole, *parts]


def _about(query: str, said: Said) -> bool:
    wanted = content(query.removesuffix(SPOKEN))
    return covered(wanted, content(said.text)) >= SAME


def _laid(said: Said, laid: Iterable[Stretch]) -> list[Stretch]:
    """Where a sentence is heard to its end."""
    spans = ((each["start"] + said.start, each["start"] + said.end, each["end"]) for each in laid)
    return [
        {"start": round(start, 3), "end": round(min(end, over), 3)}
        for start, end, over in spans
        if end <= over + CUT_OFF
    ]


def _written(made: Made, text: str, phrases: Phrases, chance: Random) -> Asked:
    there = [each["span"] for each in made.written if each["text"] == text]
    return _asked(phrases.ask_of_writing(text, chance), "read", "", "", list(there))


def _things(made: Made) -> list[Thing]:
    """What may be counted: all that is asked about, and what fills the film and hosts nothing."""
    wanted = [family for kind, family in made.planned.asked if kind != "heard"]
    parted = {piece.file for piece in made.planned.pieces if piece.first > 0}
    filling = [f for f in families(made.clips) if f not in wanted and {*f} & {*made.there}]
    whole = [family for family in filling if not {*family} & parted]
    return [
        Thing(queries[0], family[0], moments(family, made.placed))
        for family in (*wanted, *whole)
        if (queries := made.seen(family))
    ]


def _absent(
    made: Made,
    present: Sequence[Asked],
    ordered: Orders,
    phrases: Phrases,
    listed: Absent,
    most: int | None,
    chance: Random,
) -> list[Asked]:
    """Of clips that were left out, things that are nowhere, and what is nowhere written or said
    or in that order; of each sort as many as there are, turn by turn, and nothing like what is
    there."""
    clips, there = made.clips, made.there
    shown = [query for file in there for query in clips[file].queries]
    shown += [said.text for file in there for said in clips[file].said]
    shown += made.planned.written
    missing = [query for file in clips if file not in there for query in clips[file].queries]
    others = list(listed.queries)
    for queries in (missing, others):
        chance.shuffle(queries)
    left = listed.unlike(missing, shown)
    counts = {kind: sum(each["kind"] == kind for each in present) for kind in ("read", "heard")}
    nobody = [text for text in phrases.written if text not in made.planned.written]
    sorts = [
        [_asked(query, "absent", "left out", "", []) for query in left],
        [_asked(query, "absent", "alike", "", []) for query in _beside(made, missing, left)],
        [
            _asked(phrases.ask_of_writing(text, chance), "absent", "read", "", [])
            for text in nobody[: counts["read"]]
        ],
        [
            _asked(phrases.ask_of_speech(text, chance), "absent", "heard", "", [], True)
            for text in phrases.said[: counts["heard"]]
        ],
        ordered.absent[: len(ordered.present)],
        [_asked(query, "absent", "nowhere", "", []) for query in listed.unlike(others, shown)],
    ]
    turns = chain.from_iterable(zip_longest(*sorts))
    by_text = {each["query"]: each for each in turns if each is not None}
    return [*by_text.values()][:most]


def _beside(made: Made, missing: Sequence[str], left: Sequence[str]) -> list[str]:
    """Queries of clips that were left out though `clips.json` calls them like one in the film."""
    kinds = {made.clips[file].like for file in made.there} - {""}
    pictures = [file for file in made.there if made.clips[file].start is not None]
    mine = {
        query
        for file, clip in made.clips.items()
        if file not in made.there and clip.like in kinds
        for query in clip.queries
    }
    return clear(made.clips, [q for q in missing if q in mine and q not in left], pictures)


def _asked(
    query: str, kind: Kind, sort: str, file: str, found: list[Stretch], spoken: bool = False
) -> Asked:
    told: Asked = {
        "query": query.removesuffix(SPOKEN).strip(),
        "kind": kind,
        "file": file,
        "spoken": spoken or query.endswith(SPOKEN),
        "moments": found,
    }
    return {**told, "sort": sort} if sort else told


def moments(family: Family, placed: Sequence[Placed]) -> list[Stretch]:
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
