"""What the rooms may ask of the machinery. Any object with these methods will do.

Arrays: images are uint8 ``(H, W, 3)`` RGB, vectors float32 unit rows ``(N, D)``, samples float32
mono in [-1, 1]. Times are seconds from the start of the video.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from vmr_agent.correspondence import ChatModel as ChatModel
from vmr_agent.correspondence import ChatReply as ChatReply
from vmr_agent.correspondence import ChatRequest as ChatRequest
from vmr_agent.correspondence import Form as Form
from vmr_agent.correspondence import Token as Token
from vmr_agent.correspondence import Turn as Turn
from vmr_agent.frame import Frame
from vmr_agent.types import Channel, Hit, Span, Utterance, Video

Array = NDArray[np.float32]
Image = NDArray[np.uint8]
Arrays = Mapping[str, NDArray[Any]]
Row = tuple[Channel, Span, Array]


class ShotDetector(Protocol):
    """Finds cuts. A film comes in stretches, each with a little of what lay before it."""

    name: str
    lead: float
    """Seconds of film before those that count, needed as context; 2 at most."""

    def cuts(self, frames: Iterable[Frame], since: float) -> tuple[float, ...]:
        """Seconds at which shots begin, rising, as decided at the frames from ``since`` on.

        Pulls every frame once, in order; the earlier ones are context. Stretches that follow on
        one another give together what the whole film gives at once.
        """
        ...


class Encoder(Protocol):
    """Pictures and words in one space. ``encoder.relevance(encoder.look(images), "a dog")``."""

    @property
    def name(self) -> str:
        """What made the vectors, weights included: vectors of two names are never compared."""
        ...

    @property
    def size(self) -> int:
        """Short side in pixels below which pictures lose detail for this encoder."""
        ...

    def look(self, images: Sequence[Image]) -> Array:
        """One unit vector per image, ``(N, D)``."""
        ...

    def relevance(self, vectors: Array, texts: Sequence[str]) -> Array:
        """How well each vector shows what the texts say, ``(N,)`` in [0, 1].

        0.5 or more means about as near as this encoder ever comes to such a thing.
        """
        ...

    def place(self, text: str) -> Array:
        """The text as a unit vector ``(D,)`` in the space of ``look``."""
        ...

    def describe(self, vectors: Array, most: int) -> tuple[str, ...]:
        """What the pictures behind the vectors ``(N, D)`` look like, likeliest first."""
        ...


class Reader(Protocol):
    """Reads words in pictures."""

    name: str

    def read(self, image: Image) -> tuple[tuple[str, float], ...]:
        """Lines of text in a picture (H, W, 3), with confidences in [0, 1], top to bottom."""
        ...


class Sentences(Protocol):
    """Meaning of sentences."""

    name: str

    def embed(self, texts: Sequence[str]) -> Array:
        """One unit vector per text, ``(N, D)``."""
        ...


class Voice(Protocol):
    """Hears whether somebody speaks."""

    name: str

    def hear(self, samples: Array) -> Array:
        """Probability of speech in every 512 of the samples, which are 16,000 a second: ``(F,)``.

        The last frame may be short.
        """
        ...


class Transcriber(Protocol):
    """Hears words."""

    name: str

    def transcribe(self, samples: Array, rate: int, voice: Array) -> tuple[Utterance, ...]:
        """Utterances with times relative to the first sample; empty when nobody speaks.

        ``voice`` (V,) is what a ``Voice`` makes of the samples (N,).
        """
        ...


class Listener(Protocol):
    """Measures sound."""

    @property
    def name(self) -> str:
        """What measures it, weights included."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Sound classes it can tell, lower case; empty without a tagger."""
        ...

    def listen(self, samples: Array, rate: int, voice: Array) -> Array:
        """Per second of sound ``(S, 2 + C)``.

        Loudness in dBFS (at least -100), speech share in [0, 1], each class's probability.
        ``voice`` is what a ``Voice`` makes of the samples.
        """
        ...


class Index(Protocol):
    """The index over the whole library: which videos, which minutes."""

    name: str

    def knows(self, video: Video, mark: str) -> bool:
        """Whether the film's rows are in it whole, made under this mark and found at this path."""
        ...

    def put(self, video: Video, mark: str, rows: Sequence[Row]) -> None:
        """Make these the film's rows; they were made under ``mark``."""
        ...

    def forget(self, fingerprint: str) -> None:
        """Drop a film's rows."""
        ...

    def films(self) -> Mapping[str, str]:
        """The mark of every film that is in, by fingerprint."""
        ...

    def query(self, kind: Channel, vector: Array, limit: int) -> list[Hit]:
        """The rows of a kind over all films that are nearest to a vector (D,), best first."""
        ...


@dataclass(frozen=True, slots=True)
class GroundRequest:
    """What a grounder is asked: where, inside these clips, are moments that the text is about?"""

    text: str
    """The question."""
    clips: tuple[Span, ...]
    """Where they may lie, in order of time, none overlapping another."""
    duration: float
    """Of the film, in seconds."""
    step: float
    """Seconds between values of the curves; value i belongs to ``[i * step, (i + 1) * step)``."""
    channels: tuple[Channel, ...]
    """What each curve is."""
    curves: Array = field(repr=False)
    """(C, T) relevance of the whole film, in [0, 1]."""
    cuts: tuple[float, ...] = field(repr=False)
    """Seconds at which shots begin, rising."""
    candidates: tuple[Bounded, ...] = field(repr=False)
    """What the hand rules propose, best first."""
    look: Callable[[Sequence[float]], Sequence[tuple[float, Image]]] = field(repr=False)
    """The frames nearest to these seconds, with their own times; rising, each once."""


class Bounded(NamedTuple):
    """A window of film."""

    span: Span
    chance: float
    """Probability that it overlaps a moment by half and more, if there is any moment at all."""


@dataclass(frozen=True, slots=True)
class GroundReply:
    """What a grounder found."""

    moments: tuple[Bounded, ...]
    """Best first; empty where it can say nothing. No window is ever made up."""
    present: float
    """Probability that there is any moment in the clips at all."""
    number: tuple[float, ...] = ()
    """Probability of 0, 1, 2, … moments, the last of so many or more; empty if it is not told."""
    saw: bool = False
    """Whether it has looked at frames: then what it says of chances counts, else the curves do."""
    lacking: str = ""
    """What it had to do without, in one line that says which setting to lower; empty: nothing."""


class Grounder(Protocol):
    """Places boundaries, tells several moments apart, and says how likely there are any."""

    @property
    def name(self) -> str:
        """What grounds, weights included."""
        ...

    def ground(self, request: GroundRequest) -> GroundReply:
        """Moments inside the clips. Raises MachineError where the machine does not suffice."""
        ...


@dataclass(frozen=True, slots=True)
class GateRequest:
    """What a gate is asked: how much does sound count, where something is seen and heard?"""

    step: float
    """Seconds between values of the curves; value i belongs to ``[i * step, (i + 1) * step)``."""
    seen: Array = field(repr=False)
    """(T,) of the whole film, in [0, 1]: the best of picture and text."""
    heard: Array = field(repr=False)
    """(T,) the best of speech and sound."""
    seen_at: tuple[Bounded, ...] = field(repr=False)
    """The stretches around the peaks of what is seen, best first."""
    heard_at: tuple[Bounded, ...] = field(repr=False)
    """Those of what is heard."""


class Gate(Protocol):
    """Says how much sound counts in a question (IMG)."""

    @property
    def name(self) -> str:
        """What weighs, weights included."""
        ...

    def importance(self, request: GateRequest) -> float:
        """From 0, only what is seen counts, to 1, only what is heard does; 0.5 is even.

        Raises MachineError where the machine does not suffice.
        """
        ...
