"""Sound that is laid under the pictures of a film."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from evals.film import FilmWriter, Sound
from evals.footage import read_sound

DUCK = 0.25
"""How loud a clip stays while speech is laid under it, as a share."""


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
        return np.pad(taken, (0, n - len(taken))) if len(taken) < n else taken


@dataclass
class Speech:
    """Sound being laid from `start` seconds on."""

    file: str
    start: float
    tap: Tap


@dataclass
class Voices:
    """Speech under a film: which is heard now, and which was heard from when to when."""

    film: FilmWriter
    heard: list[tuple[str, float, float]] = field(default_factory=list)
    """File, start and end in seconds, in the order in which they ended."""
    _speaking: list[Speech] = field(default_factory=list)

    def begin(self, files: Iterable[str], paths: Mapping[str, Path]) -> None:
        """Speech that is heard from now on."""
        # A speech so long that it is still heard when its turn comes again is not said twice.
        speaking = {speech.file for speech in self._speaking}
        for file in [file for file in files if file not in speaking]:
            chunks = read_sound(paths[file], self.film.form.rate)
            self._speaking.append(Speech(file, self.film.seconds, Tap(chunks)))

    def mix(self, own: Sound) -> Sound:
        """What is heard on the next tick, of whose pictures this is the own sound."""
        said = [speech.tap.take(len(own)) for speech in self._speaking]
        for speech in [speech for speech in self._speaking if speech.tap.dry]:
            self._note(speech)
            self._speaking.remove(speech)
        return np.clip(own * DUCK + sum(said), -1, 1) if said else own

    def end(self) -> None:
        """Cut off what is still being said."""
        for speech in self._speaking:
            self._note(speech)
        self._speaking = []

    def _note(self, speech: Speech) -> None:
        end = speech.start + speech.tap.given / self.film.form.rate
        self.heard.append((speech.file, speech.start, end))
