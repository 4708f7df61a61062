"""What the rooms may ask of the machinery. Any object with these methods will do.

Arrays: images are uint8 ``(H, W, 3)`` RGB, vectors float32 unit rows ``(N, D)``, samples float32
mono in [-1, 1]. Times are seconds from the start of the video.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vmr_agent.types import Channel, Hit, Shot, Span, Utterance, Video
from vmr_agent.video import Frame

Array = NDArray[np.float32]
Image = NDArray[np.uint8]
Arrays = Mapping[str, NDArray[Any]]
Row = tuple[Channel, Span, Array]


class ShotDetector(Protocol):
    """Finds cuts. ``detector.detect(frames)`` pulls every frame once, in order."""

    name: str

    def detect(self, frames: Iterable[Frame]) -> tuple[Shot, ...]:
        """Shots that tile the frames seen, in order; empty when there was no frame."""
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


class Transcriber(Protocol):
    """Hears words."""

    name: str

    def transcribe(self, samples: Array, rate: int) -> tuple[Utterance, ...]:
        """Utterances with times relative to the first sample; empty when nobody speaks."""
        ...


class Listener(Protocol):
    """Measures sound."""

    name: str

    def listen(self, samples: Array, rate: int) -> Array:
        """Per second of sound ``(S, 2)``: loudness in dBFS (at least -100), speech share [0, 1]."""
        ...


class Index(Protocol):
    """The index over the whole library: which videos, which minutes."""

    name: str

    def put(self, video: Video, rows: Sequence[Row]) -> None:
        """Add one film's rows; a row that is already there stays as it is."""
        ...

    def query(self, kind: Channel, vector: Array, limit: int) -> list[Hit]:
        """The nearest rows of a kind over all films, best first."""
        ...
