"""Which clips show the same, which are merely alike, and which words would mean both.

Clips with a query in common show the same: a family. Families that have a word in common, or that
`clips.json` calls alike, are look-alikes: one is asked about while the other is in the film.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evals.needle.absent import Absent, Words, stems
from evals.playlist import SPOKEN, Clip, Clips
from vmr_agent.words import content

Family = tuple[str, ...]
"""Clips that have a query in common, most of them one."""


def families(clips: Clips) -> list[Family]:
    """Picture clips that have queries, those with a query in common together."""
    found: list[list[str]] = []
    for file, clip in clips.items():
        if clip.start is None or not clip.queries:
            continue
        kin = [f for f in found if any({*clips[one].queries} & {*clip.queries} for one in f)]
        found = [f for f in found if f not in kin] + [[one for f in kin for one in f] + [file]]
    return [tuple(family) for family in found]


def alike(clips: Clips, family: Family, others: Iterable[Family], listed: Absent) -> list[Family]:
    """Which of the others are look-alikes."""
    return [
        other
        for other in others
        if other != family
        and any(_alike(clips[a], clips[b], listed) for a in family for b in other)
    ]


def _alike(one: Clip, other: Clip, listed: Absent) -> bool:
    if one.like and one.like == other.like:
        return True
    mine, theirs = (listed.about_all(clip.queries) for clip in (one, other))
    return bool(mine & theirs)


def shared(clips: Clips, family: Family) -> list[str]:
    """The queries that all clips of a family answer."""
    first, *others = (clips[file].queries for file in family)
    return [query for query in first if all(query in other for other in others)]


def clear(clips: Clips, queries: Sequence[str], others: Iterable[str]) -> list[str]:
    """Those of the queries that mean none of the other files: not all of their words are there."""
    told = [_words(_told(clips[file])) for file in others]
    return [query for query in queries if not any(_words([query]) <= words for words in told)]


def _told(clip: Clip) -> list[str]:
    return [*clip.queries, *(said.text for said in clip.said)]


def _words(texts: Iterable[str]) -> Words:
    return stems(word for text in texts for word in content(text.removesuffix(SPOKEN)))
