"""What lies on the shelf: one record for each artefact; its arrays lie beside it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, FiniteFloat

from vmr_agent.types import (
    Channel,
    Record,
    ScreenText,
    Seconds,
    Share,
    Shot,
    Span,
    TimingQuality,
    Utterance,
    Video,
)

Count = Annotated[int, Field(ge=0)]


class Ending(Record):
    """How a film ends."""

    duration: Seconds
    """End of the last frame."""
    promise: Seconds
    """What the header says of it, 0 if nothing believable."""


class Take(Record):
    """One reel of picture, decoded; its arrays are its strip, samples and key frames."""

    kept: Count
    """Frames decoded."""
    met: Count
    """Frames and packets met."""
    cuts: tuple[Seconds, ...]
    """Where shots begin, as decided in this reel."""
    holes: tuple[Span, ...]
    """Where frames were lost and nothing is to be seen."""
    ending: Ending | None
    """Of the last reel."""


class Footage(Record):
    """What the one decode of the picture gave; its journal stays, for it is the strip."""

    duration: Seconds
    """End of the last frame, 0 without picture."""
    coverage: Share
    """Share of the picture that could be decoded."""
    lost: Count
    """Frames and packets that could not."""
    frames: Count = 0
    """Frames that were decoded."""
    unreadable: tuple[Span, ...]
    """Where there is nothing to be seen, because it could not be decoded."""
    shots: tuple[Shot, ...]
    """Shots in order, tiling the film."""


class Vectors(Record):
    """Unit vectors of what is seen, compressed; of one reel, or of the film.

    Arrays ``times`` (G,): from when on each counts, and ``vectors`` (G, D), half precision.
    """

    encoder: str
    """Who made them; vectors of two encoders are never compared."""


class Glance(Record):
    """The lines read on one key frame."""

    time: Seconds
    """When it was seen."""
    lines: tuple[tuple[str, Share], ...]
    """Text and confidence, top to bottom."""
    since: Seconds | None = None
    """From when on writing was there, or gone, for the sake of which it was looked at."""
    gone: bool = False
    """Whether that writing was gone."""


class Glances(Record):
    """The key frames of one reel."""

    glances: tuple[Glance, ...]
    """In order of time, those without text too: they end what was seen before."""


class Screen(Record):
    """All text seen in the picture."""

    texts: tuple[ScreenText, ...]
    """In order of time."""
    read: bool
    """Whether key frames were read at all."""


class Speech(Record):
    """What was said; in one block of sound, or in the film."""

    utterances: tuple[Utterance, ...]
    """In order of time."""
    heard: Seconds
    """Second up to which sound was listened to."""


class Sounds(Record):
    """Loudness, speech and sound classes; of one block of sound, or of the film.

    Array ``levels`` (S, 2 + C), for each second: dBFS, share of speech, and each class.
    """

    duration: Seconds
    """Second up to which there is sound, 0 without."""
    classes: tuple[str, ...] = ()
    """What the columns from the third on are."""
    holes: tuple[Span, ...] = ()
    """Where sound was lost and nothing is to be heard."""


class Entry(Record):
    """A film on the shelf; arrays ``speech`` (U, D) and ``text`` (W, D) hold meanings."""

    video: Video
    """The film, with the duration and coverage that decoding found."""
    heard: Seconds
    """Seconds of sound that were listened to for speech."""
    read: bool
    """Whether key frames were read for text."""
    apart: Seconds = 0.0
    """Seconds between two frames that were decoded, on average."""
    version: str = ""
    """Of the vmr_agent that made it."""
    unreadable: tuple[Span, ...] = ()
    """Where nothing is to be seen, because it could not be decoded."""
    unheard: tuple[Span, ...] = ()
    """Where nothing is to be heard, because it could not be decoded."""
    silent: bool = False
    """Whether nothing is to be heard at all, although there is a sound stream."""
    timing: TimingQuality | None = None
    """How exact the word times are, at the poorest; None without words."""


class Curves(Record):
    """Relevance to one query; arrays ``curves`` (C, T) and ``order`` (T,), in [0, 1]."""

    step: Annotated[FiniteFloat, Field(gt=0)]
    """Seconds between values; value i belongs to ``[i * step, (i + 1) * step)``."""
    channels: tuple[Channel, ...]
    """What each row is."""
    notes: tuple[tuple[Channel, Span, str], ...] = ()
    """What was heard or read where it matched."""
    others: tuple[tuple[str, tuple[Span, ...]], ...] = ()
    """What else the question speaks of, and where it was found."""
    importance: Share | None = None
    """What sound counts in the question, 0.5 as much as what is seen; None where nobody was
    asked."""


class Generic(Record):
    """A chat model's caption of a shot, whatever is asked (SMORE: LE mode)."""

    text: str


class Shelved(Record):
    """What is on the shelf about one film."""

    fingerprint: str
    """Names the film by its content."""
    video: Video | None
    """The film, where it was last seen; None where only leavings are shelved."""
    ready: bool
    """Whether it is indexed whole under the settings in force."""
    version: str
    """Of the vmr_agent that indexed it, empty while nobody has whole."""
    sizes: dict[str, int]
    """Bytes by stage."""
