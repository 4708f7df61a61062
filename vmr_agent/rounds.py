"""What one round of the search hands from room to room."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from vmr_agent.types import Candidate, Moment, Query, Record, Span


class Retrieval(Record):
    """What ``retrieve`` found in one round."""

    curves: str
    """Name of the artefact with the relevance curves."""
    candidates: tuple[Candidate, ...]
    """Best first."""


class Sieve(Record):
    """Candidates, told apart."""

    kept: tuple[Candidate, ...]
    """Those that go on."""
    dropped: tuple[Candidate, ...]
    """Those that do not."""
    passing: bool
    """Whether any passed; if none did, the best few are kept all the same, and marked."""


class Verdict(Record):
    """What ``verify`` makes of the proposals."""

    moments: tuple[Moment, ...]
    """Best first; empty means: not in there."""
    rejected: tuple[Moment, ...]
    """What was turned down, best first."""
    counted: tuple[Moment, ...] = ()
    """What holds, rising, where the time that is asked for is not among it."""


class Horizon(Record):
    """How far the search has gone."""

    round: Annotated[int, Field(ge=1)] = 1
    """Which search this is: every one looks more finely and at more places."""
    rejected: Moment | None = None
    """The best of what was turned down in earlier rounds."""
    counted: tuple[Moment, ...] = ()
    """What held in them, rising: whoever wants the second time counts on from there."""
    query: Query | None = None
    """The question in other words, if a chat model found some."""
    looked: tuple[Span, ...] = ()
    """Where earlier rounds have looked closely, rising."""
