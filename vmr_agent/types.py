"""What is carried: frozen records. All time is seconds from the start of the video, as floats."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

Seconds = Annotated[FiniteFloat, Field(ge=0)]
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]
Channel = Literal["picture", "speech", "text", "sound"]
Source = Literal[
    "picture",
    "speech",
    "text",
    "sound",
    "retrieval",
    "relevance",
    "caption",
    "grounding",
    "verification",
]
TimingQuality = Literal["aligned", "attention", "segment"]


class Record(BaseModel):
    """Base of everything carried: frozen, closed, its field docstrings are its schema."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Span(Record):
    """A stretch of time, ``0 <= start < end``."""

    start: Seconds
    """Seconds from the start of the video."""
    end: Seconds
    """Seconds from the start of the video; later than ``start``."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.start < self.end:
            raise ValueError(f"a span must end after it starts, got {self.start}-{self.end}")
        return self

    @property
    def length(self) -> float:
        """Seconds from start to end."""
        return self.end - self.start

    @property
    def middle(self) -> float:
        """The instant halfway."""
        return (self.start + self.end) / 2

    def overlap(self, other: Span) -> float:
        """Seconds that both spans cover."""
        return max(0.0, min(self.end, other.end) - max(self.start, other.start))

    def iou(self, other: Span) -> float:
        """Intersection over union, in [0, 1]."""
        shared = self.overlap(other)
        return shared / (self.length + other.length - shared)

    def union(self, other: Span) -> Span:
        """The smallest span that holds both."""
        return Span(start=min(self.start, other.start), end=max(self.end, other.end))

    def pad(self, seconds: float) -> Span:
        """Grown by ``seconds`` at both ends, never before 0."""
        return Span(start=max(0.0, self.start - seconds), end=self.end + seconds)

    def clamp(self, duration: float) -> Span:
        """Cut to ``[0, duration]``. Raises ValueError when nothing is left."""
        return Span(start=min(self.start, duration), end=min(self.end, duration))


class Video(Record):
    """A film as it was found on disk, and as far as it could be decoded."""

    path: str
    """Absolute path of the file."""
    fingerprint: str
    """The first 40 hex digits of the file's SHA-256; names everything shelved about it."""
    duration: Seconds
    """Seconds; the header's claim until the film is decoded, then where the last frame ends, or the
    sound if that goes on."""
    offset: FiniteFloat = 0.0
    """Seconds on the file's own clock at which time zero lies: its first picture, or sound."""
    lead: Seconds = 0.0
    """Seconds of sound before the first picture, and so before time zero: nobody hears them."""
    fps: Annotated[FiniteFloat, Field(ge=0)] = 0.0
    """Average frames per second, 0 without picture."""
    width: Annotated[int, Field(ge=0)] = 0
    """Pixels as displayed (rotation applied), 0 without picture."""
    height: Annotated[int, Field(ge=0)] = 0
    """Pixels as displayed (rotation applied), 0 without picture."""
    has_picture: bool
    """Whether there is a picture stream (cover art does not count)."""
    has_audio: bool
    """Whether there is a sound stream."""
    coverage: Share = 1.0
    """Share of the picture that could be decoded, without picture of the sound; 1 until it is
    known."""


class Shot(Record):
    """An unbroken run of the camera."""

    span: Span
    """When it runs."""


class Word(Record):
    """One spoken word."""

    text: str
    """As heard, punctuation included."""
    span: Span
    """When it is said."""


class Utterance(Record):
    """A stretch of speech."""

    span: Span
    """When it is said."""
    text: str
    """What is said."""
    words: tuple[Word, ...] = ()
    """Its words in order; empty when no word times are known."""
    timing: TimingQuality
    """Where word times come from: forced alignment, the recogniser's attention, or nowhere."""


class ScreenText(Record):
    """Text seen in the picture."""

    span: Span
    """While it is taken to be on screen."""
    text: str
    """What is written, one line."""
    confidence: Share
    """The reader's own."""


class Relation(Record):
    """Another thing that a question sets its own in relation to."""

    kind: Literal["after", "before", "while", "without"]
    """How."""
    scene: str
    """The other thing, in words."""


class Query(Record):
    """A question, and what ``understand`` found in it."""

    text: str
    """As asked, white space folded."""
    scene: str
    """What one would see: the question without words about hearing, reading or order."""
    keywords: tuple[str, ...] = ()
    """Content words, lower case, in order."""
    objects: tuple[str, ...] = ()
    """Things named."""
    actions: tuple[str, ...] = ()
    """Things done."""
    sounds: tuple[str, ...] = ()
    """Words about sounds."""
    spoken: str = ""
    """What is asked to be said, when the question is about speech."""
    written: str = ""
    """What is asked to be written, when the question is about on-screen text."""
    relations: tuple[Relation, ...] = ()
    """What else must have happened, be happening, or not."""
    occurrence: int = 0
    """Which time is asked for: 1 the first, 2 the second, -1 the last; 0 for every."""
    paraphrases: tuple[str, ...] = ()
    """Other wordings of ``scene``, for retrieval."""
    items: tuple[str, ...] = ()
    """What a chat model is asked of every candidate; empty for the question itself."""
    combine: Literal["all", "any"] = "all"
    """Whether all of the items count, or one is enough."""
    altered: tuple[str, ...] = ()
    """Statements near to the question that are not it, which the right moment must beat."""


class Evidence(Record):
    """One reason for a moment. Evidence is appended, never rewritten."""

    source: Source
    """Who says so."""
    note: str
    """What was found, in plain words."""
    score: FiniteFloat
    """The source's own score; only comparable within one source."""
    span: Span | None = None
    """Where, if not the whole of what it is attached to."""


IMPORTANCE = "importance"
"""What the evidence of that is called."""
QUOTED = "boundaries of the words"
"""What the evidence says of times that are those of words asked for, and that nothing moves."""
COUNTS = "what is heard counts"
"""How the evidence begins that says how much sound counted in the question."""


class Scored(Record):
    """A span with a score and the evidence gathered for it so far."""

    span: Span
    """When."""
    score: FiniteFloat
    """Higher is better; its meaning is the room's that made it."""
    evidence: tuple[Evidence, ...] = ()
    """Why, in the order it was found."""

    @property
    def importance(self) -> float:
        """``S_q`` (SMORE), in [0, 1]: how well frames and caption tell it; 0 if undescribed."""
        told = (why.score for why in self.evidence if why.note == IMPORTANCE)
        return max(told, default=0.0)

    def because(self, *evidence: Evidence) -> Self:
        """The same with more evidence appended."""
        return self.model_copy(update={"evidence": self.evidence + evidence})


class Candidate(Scored):
    """A stretch that retrieval proposes; score in [0, 1] before calibration."""


class Clip(Scored):
    """A coarse stretch worth the expensive look."""


class Proposal(Scored):
    """A stretch with boundaries, not yet verified."""


class Moment(Scored):
    """A verified answer; ``score`` is a calibrated probability."""

    score: Share
    """Probability that the moment is what was asked for."""


class Hit(Record):
    """A stretch of some indexed film that is near to a query; not verified."""

    path: str
    """Where the film was when it was indexed."""
    span: Span
    """When."""
    kind: Channel
    """Seen, said or written."""
    cosine: FiniteFloat
    """Nearness; only comparable within one kind."""
