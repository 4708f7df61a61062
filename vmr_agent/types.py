"""What is carried: frozen records. All time is seconds from the start of the video, as floats."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

Seconds = Annotated[FiniteFloat, Field(ge=0)]
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]
Channel = Literal["picture", "speech", "text", "sound"]
Source = Literal[
    "picture", "speech", "text", "sound", "relevance", "caption", "grounding", "verification"
]
TimingQuality = Literal["aligned", "attention", "segment"]
Status = Literal["found", "not_found", "partial"]


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
    """Share of the picture that could be decoded; 1 until it is known."""


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
    order: tuple[str, ...] = ()
    """Order words: after, before, first, second …"""
    paraphrases: tuple[str, ...] = ()
    """Other wordings of ``scene``, for retrieval."""


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


class Scored(Record):
    """A span with a score and the evidence gathered for it so far."""

    span: Span
    """When."""
    score: FiniteFloat
    """Higher is better; its meaning is the room's that made it."""
    evidence: tuple[Evidence, ...] = ()
    """Why, in the order it was found."""

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


class Fault(Record):
    """What a room had to go on without."""

    room: str
    """The room."""
    kind: str
    """Short and fixed: ``no_audio``, ``no_picture``, ``coverage`` …"""
    message: str
    """One line for a person."""
    span: Span | None = None
    """The stretch of film concerned, None for the whole."""


class Step(Record):
    """One room's visit."""

    room: str
    """The room."""
    seconds: Seconds
    """Wall clock."""
    made: str
    """What it made, in a few words."""


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


class Coverage(Record):
    """Which part of the film the answer rests on; ``RunReport.faults`` says why not the rest."""

    picture: Share
    """Share of the film whose picture was decoded and looked at."""
    speech: Share
    """Share of the film whose sound was listened to for speech."""
    text: Share
    """Share of the film whose key frames were read for text."""


class RunReport(Record):
    """The answer, best moment first, and how it came about."""

    status: Status
    """``found``, ``not_found``, or ``partial`` when the run had to stop early."""
    query: str
    """The question as asked."""
    video: Video
    """The film."""
    moments: tuple[Moment, ...]
    """Best first; empty unless something was found."""
    rejected: Moment | None = None
    """The best of what was turned down, when nothing was found."""
    rounds: Annotated[int, Field(ge=1)]
    """How often the film was searched; more than one when the staircase was climbed."""
    faults: tuple[Fault, ...] = ()
    """What had to be done without."""
    steps: tuple[Step, ...] = ()
    """Every room visited, in order."""
    coverage: Coverage
    """What the answer rests on."""
    timing_quality: TimingQuality | None = None
    """How exact the word times are: forced alignment, the recogniser's attention, or whole
    segments, the poorest that occurs; None if nothing is said."""
    models: dict[str, str]
    """Which model did what, by role."""
    settings: dict[str, object]
    """The settings that were in force."""
    version: str
    """Of vmr_agent."""

    def __str__(self) -> str:
        """A few lines for a person."""
        from vmr_agent.show import sentence

        return sentence(self)
