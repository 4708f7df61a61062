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
    Utterance,
    Video,
)


class Footage(Record):
    """What the one decode of the picture gave; its arrays are the strip."""

    duration: Seconds
    """End of the last frame, 0 without picture."""
    coverage: Share
    """Share of the picture that could be decoded."""
    lost: Annotated[int, Field(ge=0)]
    """Frames and packets that could not."""
    shots: tuple[Shot, ...]
    """Shots in order, tiling the film."""


class Vectors(Record):
    """One unit vector per sample of the strip; arrays ``times`` (N,) and ``vectors`` (N, D)."""

    encoder: str
    """Who made them; vectors of two encoders are never compared."""


class Screen(Record):
    """All text seen in the picture."""

    texts: tuple[ScreenText, ...]
    """In order of time."""
    read: bool
    """Whether key frames were read at all."""


class Speech(Record):
    """All that was said."""

    utterances: tuple[Utterance, ...]
    """In order of time."""
    heard: Seconds
    """Seconds of sound that were listened to."""


class Sounds(Record):
    """Loudness and speech; array ``levels`` (S, 2): dBFS and speech share for each second."""

    duration: Seconds
    """Seconds of sound, 0 without."""


class Entry(Record):
    """A film on the shelf; arrays ``speech`` (U, D) and ``text`` (W, D) hold meanings."""

    video: Video
    """The film, with the duration and coverage that decoding found."""
    heard: Seconds
    """Seconds of sound that were listened to for speech."""
    read: bool
    """Whether key frames were read for text."""


class Curves(Record):
    """Relevance to one query; array ``curves`` (C, T), in [0, 1]."""

    step: Annotated[FiniteFloat, Field(gt=0)]
    """Seconds between values; value i belongs to ``[i * step, (i + 1) * step)``."""
    channels: tuple[Channel, ...]
    """What each row is."""
    notes: tuple[tuple[Channel, Span, str], ...] = ()
    """What was heard or read where it matched."""
