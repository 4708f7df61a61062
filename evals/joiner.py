"""Laying clips into a film, one after the other, and speech under them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np

from evals.film import FilmWriter, Sound
from evals.footage import read_pictures, read_sound
from evals.playlist import Clips

DUCK = 0.25
"""How loud a clip stays while speech is laid under it, as a share."""


class Stretch(TypedDict):
    """From when to when, in seconds from the start of the film."""

    start: float
    end: float


class Placed(TypedDict):
    """Where a clip lies in the film."""

    file: str
    span: Stretch


class Tap:
    """Sound in chunks of any length, handed out in the lengths asked for."""

    def __init__(self, chunks: Iterable[Sound]) -> None:
        self.given = 0
        self.dry = False
        self._chunks = iter(chunks)
        self._rest: Sound = np.zeros(0, np.float32)

    def take(self, n: int) -> Sound:
        """The next n samples; silence once there are no more, which `given` does not count."""
        while len(self._rest) < n and not self.dry:
            chunk = next(self._chunks, None)
            self.dry = chunk is None
            self._rest = self._rest if chunk is None else np.concatenate([self._rest, chunk])
        taken, self._rest = self._rest[:n], self._rest[n:]
        self.given += len(taken)
        return np.pad(taken, (0, n - len(taken)))


@dataclass
class Speech:
    """Sound being laid from `start` seconds on."""

    file: str
    start: float
    tap: Tap


@dataclass
class Joiner:
    """Lays clips into a film and notes where."""

    film: FilmWriter
    clips: Clips
    under: Mapping[str, Sequence[str]]
    """Sound files by the picture clip that they are laid under."""
    placed: list[Placed] = field(default_factory=list)
    heard: list[Placed] = field(default_factory=list)
    _speaking: list[Speech] = field(default_factory=list)

    def lay(self, file: str) -> None:
        """Add one clip: its pictures, and as much of its sound as they are long."""
        form, clip, start = self.film.form, self.clips[file], self.film.seconds
        self._begin(self.under.get(file, ()))
        with closing(read_sound(clip.path, form.rate, clip.start)) as chunks:
            own = Tap(chunks)
            for picture in read_pictures(clip.path, form):
                self.film.write(picture, self._mix(own.take(self.film.due)))
        self.placed.append({"file": file, "span": self._since(start)})

    def end(self) -> None:
        """Cut off what is still being said."""
        for speech in self._speaking:
            self._note(speech)
        self._speaking = []

    def _begin(self, files: Iterable[str]) -> None:
        # A speech so long that it is still heard when its turn comes again is not said twice.
        speaking = {speech.file for speech in self._speaking}
        for file in [file for file in files if file not in speaking]:
            chunks = read_sound(self.clips[file].path, self.film.form.rate)
            self._speaking.append(Speech(file, self.film.seconds, Tap(chunks)))

    def _mix(self, own: Sound) -> Sound:
        said = [speech.tap.take(len(own)) for speech in self._speaking]
        for speech in [speech for speech in self._speaking if speech.tap.dry]:
            self._note(speech)
            self._speaking.remove(speech)
        return np.clip(own * DUCK + sum(said), -1, 1) if said else own

    def _note(self, speech: Speech) -> None:
        end = speech.start + speech.tap.given / self.film.form.rate
        self.heard.append({"file": speech.file, "span": _stretch(speech.start, end)})

    def _since(self, start: float) -> Stretch:
        return _stretch(start, self.film.seconds)


def _stretch(start: float, end: float) -> Stretch:
    return {"start": round(start, 3), "end": round(end, 3)}
