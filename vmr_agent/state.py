"""The tray: what the rooms hand on. Small records and artefact names, never arrays or frames."""

from __future__ import annotations

import operator
from typing import Annotated, TypedDict

from vmr_agent.rounds import Horizon, Retrieval, Sieve, Verdict
from vmr_agent.types import Candidate, Clip, Fault, Proposal, Query, Record, Step, Video


class State(Record):
    """Everything on the tray. One room writes one key; every room adds to ``steps``."""

    video: Video
    """The film; the door puts it here."""
    request: str = ""
    """The question as asked; the door puts it here."""

    footage: str = ""
    """Artefact of ``detect_shots``."""
    vectors: str = ""
    """Artefact of ``embed_frames``."""
    screen: str = ""
    """Artefact of ``read_text``."""
    speech: str = ""
    """Artefact of ``transcribe``."""
    sounds: str = ""
    """Artefact of ``listen``."""
    entry: str = ""
    """Artefact of ``index_video``."""

    query: Query | None = None
    """From ``understand``."""
    retrieval: Retrieval | None = None
    """From ``retrieve``."""
    sieve: Sieve | None = None
    """From ``filter_relevance``."""
    described: tuple[Candidate, ...] = ()
    """From ``caption``."""
    clips: tuple[Clip, ...] = ()
    """From ``trim``."""
    proposals: tuple[Proposal, ...] = ()
    """From ``ground``."""
    verdict: Verdict | None = None
    """From ``verify``."""
    horizon: Horizon = Horizon()
    """From ``widen``."""

    steps: Annotated[tuple[Step, ...], operator.add] = ()
    """The log: every room visited."""
    faults: Annotated[tuple[Fault, ...], operator.add] = ()
    """What rooms had to do without."""

    @property
    def asked(self) -> Query:
        """The query, in rooms behind ``understand``."""
        assert self.query is not None
        return self.query

    @property
    def found(self) -> Retrieval:
        """The candidates, in rooms behind ``retrieve``."""
        assert self.retrieval is not None
        return self.retrieval

    @property
    def sifted(self) -> Sieve:
        """The candidates told apart, in rooms behind ``filter_relevance``."""
        assert self.sieve is not None
        return self.sieve

    @property
    def judged(self) -> Verdict:
        """The verdict, behind ``verify``."""
        assert self.verdict is not None
        return self.verdict


class Update(TypedDict, total=False):
    """What a room may put on the tray."""

    footage: str
    vectors: str
    screen: str
    speech: str
    sounds: str
    entry: str
    query: Query
    retrieval: Retrieval
    sieve: Sieve
    described: tuple[Candidate, ...]
    clips: tuple[Clip, ...]
    proposals: tuple[Proposal, ...]
    verdict: Verdict
    horizon: Horizon
    steps: tuple[Step, ...]
    faults: tuple[Fault, ...]
