"""A film as the rooms of the back half see it: everything the front half put on the shelf."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vmr_agent.artefacts import Entry
from vmr_agent.protocols import Array
from vmr_agent.types import ScreenText, Shot, Span, Utterance, Video


@dataclass(frozen=True, slots=True)
class Film:
    """One shelved film, loaded. Nothing in it is ever changed."""

    entry: Entry
    shots: tuple[Shot, ...]
    """In order, tiling the picture; empty without."""
    times: NDArray[np.float64]
    """(N,) seconds of the samples."""
    vectors: Array
    """(N, D) unit rows, what the samples look like."""
    utterances: tuple[Utterance, ...]
    speech: Array
    """(P, S) unit rows, what phrases of the utterances mean."""
    speakers: NDArray[np.int64]
    """(P,) which utterance each phrase is from, rising."""
    texts: tuple[ScreenText, ...]
    text: Array
    """(W, S) unit rows, what the lines on screen mean."""
    levels: Array
    """(S, 2 + C) for each second: dBFS, speech share, and a probability for each class."""
    classes: tuple[str, ...] = ()
    """The classes of sound that a tagger told."""

    def less(self, rooms: Collection[str]) -> Film:
        """The same without what some of the rooms have found."""
        film = self
        if "transcribe" in rooms:
            speech, speakers = self.speech[:0], self.speakers[:0]
            film = replace(film, utterances=(), speech=speech, speakers=speakers)
        if "read_text" in rooms:
            film = replace(film, texts=(), text=self.text[:0])
        if "listen" in rooms:
            film = replace(film, levels=self.levels[:0], classes=())
        if "embed_frames" in rooms:
            film = replace(film, times=self.times[:0], vectors=self.vectors[:0])
        if "detect_shots" in rooms and self.shots:
            film = replace(film, shots=(Shot(span=Span(start=0, end=self.seen)),))
        return film

    @property
    def video(self) -> Video:
        """The film, with the duration that decoding found."""
        return self.entry.video

    @property
    def seen(self) -> float:
        """Second up to which there is a picture, 0 without: the sound may go on for hours."""
        return self.shots[-1].span.end if self.shots else 0.0

    @property
    def cuts(self) -> NDArray[np.float64]:
        """Seconds at which a shot starts or ends."""
        edges = [shot.span.start for shot in self.shots] + [self.seen or self.video.duration]
        return np.asarray(edges, np.float64)
