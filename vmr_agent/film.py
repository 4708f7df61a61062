"""A film as the rooms of the back half see it: everything the front half put on the shelf."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vmr_agent.artefacts import Entry
from vmr_agent.protocols import Array
from vmr_agent.types import ScreenText, Shot, Utterance, Video


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
