"""What the rooms may ask of the machinery. Any object with these methods will do.

Arrays: images are uint8 ``(H, W, 3)`` RGB, vectors float32 unit rows ``(N, D)``, samples float32
mono in [-1, 1]. Times are seconds from the start of the video.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

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
        """Lines of text with confidences in [0, 1], top to bottom."""
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

        ``voice`` is what a ``Voice`` makes of the samples.
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
        """The nearest rows of a kind over all films, best first."""
        ...


Form = Literal["schema", "object", "free"]


class Turn(NamedTuple):
    """Who says what to a chat model: words, and pictures as JPEGs."""

    role: Literal["user", "assistant"]
    parts: tuple[str | bytes, ...]


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What is sent to a chat model."""

    name: str
    """Of the prompt."""
    system: str
    turns: tuple[Turn, ...] = field(repr=False)
    schema: dict[str, Any] = field(repr=False)
    """JSON schema of the answer."""
    form: Form
    """How it is held to the schema: by the server, to some JSON object, or by words alone."""
    most_tokens: int
    seconds: float
    """Within which the answer must be whole."""
    most_tries: int = 100
    """Requests that may be sent for it."""
    probabilities: bool = False
    """Whether the probabilities of its tokens are wanted."""


class Token(NamedTuple):
    """A token of an answer."""

    text: bytes
    """UTF-8; a letter may be cut in two."""
    likely: Mapping[str, float]
    """Log-probabilities of the tokens that might stand there."""


@dataclass(frozen=True, slots=True)
class ChatReply:
    """What a chat model answered."""

    text: str
    cut: bool = False
    """Whether it was cut off at the most tokens it may have."""
    tokens_in: int | None = None
    """As the server counts; None if it does not say."""
    tokens_out: int | None = None
    tokens: tuple[Token, ...] = field(default=(), repr=False)
    """All of them, if the server tells their probabilities."""
    tries: int = 1
    """Requests sent."""


class ChatModel(Protocol):
    """Reads, looks and judges."""

    name: str
    """The model and the host that receives what is sent."""
    host: str
    address: str
    """All that tells one endpoint from another: answers are kept under it."""

    def check(self) -> None:
        """Raises SettingsError if nothing can be asked: before a question, not before indexing."""
        ...

    def complete(self, request: ChatRequest, alive: Callable[[], None]) -> ChatReply:
        """One answer. Raises a ServiceError; ``alive`` is called while waiting and may raise."""
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
