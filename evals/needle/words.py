"""Sentences of our own: what is written into pictures, and what nobody writes or says.

`evals/queries/words.json` lists them with the ways in which they are asked for. No two phrases
that are written have a word in common.
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import NamedTuple

from evals.needle.absent import Absent
from evals.playlist import Clips, JoinError

LISTED = Path(__file__).parents[1] / "queries" / "words.json"


class Phrases(NamedTuple):
    """What is listed."""

    written: tuple[str, ...]
    """To be drawn into pictures, or asked for in vain."""
    said: tuple[str, ...]
    """Sentences that nobody says."""
    of_writing: tuple[str, ...]
    """Questions about what is written, with {} in its place."""
    of_speech: tuple[str, ...]
    """Questions about what is said."""

    @classmethod
    def load(cls, path: Path = LISTED) -> Phrases:
        """From a file. Raises JoinError when it is not one."""
        names = "written", "said", "asked of writing", "asked of speech"
        try:
            listed = json.loads(path.read_text(encoding="utf-8"))
            return cls(*(tuple(str(text) for text in listed[name]) for name in names))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise JoinError(f"{path} lists no phrases: {error!r}") from error

    def shuffled(self, clips: Clips, listed: Absent, chance: Random) -> Phrases:
        """In the order of the seed, without what has a word in common with a clip's queries."""
        told = [query for clip in clips.values() for query in clip.queries]
        told += [said.text for clip in clips.values() for said in clip.said]
        written, spoken = (
            tuple(chance.sample(kept, len(kept)))
            for kept in (listed.unlike(self.written, told), listed.unlike(self.said, told))
        )
        return self._replace(written=written, said=spoken)

    def ask_of_writing(self, text: str, chance: Random) -> str:
        """A question about words on screen."""
        return chance.choice(self.of_writing).format(text)

    def ask_of_speech(self, text: str, chance: Random) -> str:
        """A question about a sentence."""
        return chance.choice(self.of_speech).format(text)
