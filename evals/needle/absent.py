"""Queries about things that are nowhere in a film, and what keeps them from being somewhere.

`evals/queries/absent.json` lists them, with groups of words that are about alike things. A query
that has a word, or a word of the same group, in common with a query about something in the film
may be answered by it after all, and is not asked. Words for anybody, and colours, do not count.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from evals.playlist import JoinError
from vmr_agent.words import content, stem

LISTED = Path(__file__).parents[1] / "queries" / "absent.json"
Words = frozenset[str]


class Absent(NamedTuple):
    """What is listed."""

    queries: tuple[str, ...]
    alike: tuple[Words, ...]
    """Stems of each group."""
    anybody: Words
    """Stems that do not count."""

    @classmethod
    def load(cls, path: Path = LISTED) -> Absent:
        """From a file. Raises JoinError when it is not one."""
        try:
            listed = json.loads(path.read_text(encoding="utf-8"))
            groups = tuple(stems(group.split()) for group in listed["alike"])
            queries = tuple(str(query) for query in listed["absent"])
            return cls(queries, groups, stems(listed["anybody"].split()))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise JoinError(f"{path} lists no absent queries: {error!r}") from error

    def unlike(self, queries: Iterable[str], shown: Iterable[str]) -> list[str]:
        """Those of the queries that have nothing in common with any of what is shown."""
        there = self.about_all(shown)
        return [query for query in queries if not self.about(query) & there]

    def about_all(self, queries: Iterable[str]) -> Words:
        """What `about` says of any of them."""
        return frozenset[str]().union(*map(self.about, queries))

    def about(self, query: str) -> Words:
        """The stems of a query that count, and a name for each group they belong to."""
        words = stems(part for word in content(query) for part in (word, *word.split("-")))
        words -= self.anybody
        names = (f"group {n}" for n, group in enumerate(self.alike) if words & group)
        return words.union(names)


def stems(words: Iterable[str]) -> Words:
    """The stem of each word."""
    return frozenset(stem(word) for word in words)
