"""The tray: what the rooms hand on. Small records and artefact names, never arrays or frames."""

from __future__ import annotations

import operator
from typing import Annotated, TypedDict

from vmr_agent.report import Fault, Step
from vmr_agent.rounds import Horizon, Retrieval, Sieve, Verdict
from vmr_agent.types import Candidate, Clip, Proposal, Query, Record, Video

FRONT = ("detect_shots", "embed_frames", "read_text", "listen", "transcribe", "index_video")
"""Rooms that run once per video, and are visited once for each reel or block."""


def logged(log: tuple[Step, ...], new: tuple[Step, ...]) -> tuple[Step, ...]:
    """The log with new steps; visits to a room of the front half add up."""
    steps = {step.room: index for index, step in enumerate(log)}
    out = list(log)
    for step in new:
        if step.room in FRONT and step.room in steps:
            index = steps[step.room]
            seconds = out[index].seconds + step.seconds
            made = step.made or out[index].made
            out[index] = out[index].model_copy(update={"seconds": seconds, "made": made})
        else:
            steps[step.room] = len(out)
            out.append(step)
    return tuple(out)


class Door(TypedDict):
    """What the two wings of the front half are given."""

    video: Video


class Watched(TypedDict):
    """What the picture's wing hands on."""

    footage: str
    vectors: str
    screen: str
    steps: Annotated[tuple[Step, ...], logged]


class Heard(TypedDict):
    """What the sound's wing hands on."""

    sounds: str
    speech: str
    steps: Annotated[tuple[Step, ...], logged]


class State(Record):
    """Everything on the tray. One room writes one key; every room adds to ``steps``."""

    video: Video
    """The film; the door puts it here."""
    request: str = ""
    """The question as asked; the door puts it here."""

    reel: int = -1
    """The reel of picture on the table, counted from 0."""
    reels_done: bool = False
    """Whether that was the last."""
    block: int = -1
    """The block of sound on the table, counted from 0."""
    blocks_done: bool = False
    """Whether that was the last."""
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

    steps: Annotated[tuple[Step, ...], logged] = ()
    """The log: every room visited, the front half's once for all its reels and blocks."""
    faults: Annotated[tuple[Fault, ...], operator.add] = ()
    """What rooms had to do without."""

    @property
    def asked(self) -> Query:
        """The query, in rooms behind ``understand``."""
        assert self.query is not None
        return self.query

    @property
    def wording(self) -> Query:
        """The query as it is searched for in this round."""
        return self.horizon.query or self.asked

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

    reel: int
    reels_done: bool
    block: int
    blocks_done: bool
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
    verdict: Verdict | None
    horizon: Horizon
    steps: tuple[Step, ...]
    faults: tuple[Fault, ...]
