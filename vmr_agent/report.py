"""The answer, and how it came about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from vmr_agent.types import Moment, Record, Seconds, Share, Span, TimingQuality, Video

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Status = Literal["found", "not_found", "partial"]


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


class Cost(Record):
    """What chat models were asked for, and what it came to."""

    calls: int = 0
    """Requests sent, those tried again included."""
    tokens_in: int = 0
    """Tokens sent, pictures included."""
    tokens_out: int = 0
    """Tokens answered."""
    images: int = 0
    """Pictures sent."""
    seconds: Seconds = 0.0
    """Waiting for answers."""
    money: float | None = 0.0
    """US dollars by the table of prices; None if a price is not known."""
    counted: bool = True
    """Whether the server said how many tokens; they are our own guess where it did not."""

    def __add__(self, other: Cost) -> Cost:
        known = self.money is not None and other.money is not None
        return Cost(
            calls=self.calls + other.calls,
            tokens_in=self.tokens_in + other.tokens_in,
            tokens_out=self.tokens_out + other.tokens_out,
            images=self.images + other.images,
            seconds=self.seconds + other.seconds,
            money=(self.money or 0) + (other.money or 0) if known else None,
            counted=self.counted and other.counted,
        )


class Step(Record):
    """One room's visit."""

    room: str
    """The room."""
    seconds: Seconds
    """Wall clock."""
    made: str
    """What it made, in a few words."""
    cost: Cost = Cost()
    """What it asked chat models for."""


class PassedOver(Record):
    """Where nobody looked closely."""

    span: Span
    """The part of the film."""
    why: str
    """What kept everybody from it."""


class Coverage(Record):
    """Which part of the film the answer rests on; ``RunReport.faults`` says why not the rest."""

    picture: Share
    """Share of the film whose picture was decoded and looked at."""
    speech: Share
    """Share of the film whose sound was listened to for speech."""
    text: Share
    """Share of the film whose key frames were read for text."""
    closely: tuple[Span, ...] = ()
    """Where candidates were looked at closely, in any round, rising."""
    passed_over: tuple[PassedOver, ...] = ()
    """The rest of the film, rising."""


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
    """Which model did what, by role; a chat model with the host that received frames and words."""
    prompts: dict[str, str] = Field(default_factory=dict)
    """Version and digest of every prompt that a chat model may have been given."""
    settings: dict[str, object]
    """The settings that were in force."""
    version: str
    """Of vmr_agent."""
    shelved: dict[str, str] = Field(default_factory=dict)
    """Names of what lies on the shelf beside it, by stage: ``footage``, ``speech``, ``screen``, and
    the ``curves`` of the last round; see ``vmr_agent.panorama``."""

    @property
    def cost(self) -> Cost:
        """What all rooms asked chat models for."""
        return sum((step.cost for step in self.steps), Cost())

    def __str__(self) -> str:
        """A few lines for a person."""
        from vmr_agent.show import sentence

        return sentence(self)

    def _repr_html_(self) -> str:
        """What a notebook shows: see ``vmr_agent.display.fragment``."""
        from vmr_agent.display import fragment

        return fragment(self)

    def plot(self) -> Figure:
        """Curves of every channel, moments and shots as a matplotlib figure, drawn from the shelf.

        Raises MachineError where matplotlib is not installed.
        """
        from vmr_agent.display import figure

        return figure(self)
