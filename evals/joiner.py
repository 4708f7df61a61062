"""Laying clips into a film, one after the other, and speech under them."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypedDict

import numpy as np

from evals import planes
from evals.film import FilmWriter, Planes, Sound
from evals.footage import read_pictures, read_sound
from evals.lettering import Lettering, Style
from evals.playlist import Clips
from evals.stills import Glide, read_still

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


class Written(TypedDict):
    """Words that are drawn into the film's pictures."""

    text: str
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
        return np.pad(taken, (0, n - len(taken))) if len(taken) < n else taken


@dataclass
class Speech:
    """Sound being laid from `start` seconds on."""

    file: str
    start: float
    tap: Tap


class Look(NamedTuple):
    """How a clip is shown."""

    mirrored: bool = False
    zoom: float = 1.0
    """So much closer, at its middle."""


class Words(NamedTuple):
    """Words to be drawn into the pictures of a piece."""

    text: str
    style: Style
    first: float = 0.0
    """Seconds after the piece's first picture from which …"""
    last: float = math.inf
    """… and up to which they are there."""


class Piece(NamedTuple):
    """A clip, or a part of one, as it is laid into a film."""

    file: str
    first: float = 0.0
    """Seconds after the clip's first picture from which …"""
    last: float = math.inf
    """… and up to which it is shown."""
    look: Look = Look()
    fade: float = 0.0
    """Seconds over which it dissolves into what comes next; 0 for a cut."""
    under: tuple[str, ...] = ()
    """Sound files that begin with it."""
    words: tuple[Words, ...] = ()
    """Words drawn into it."""
    glide: Glide | None = None
    """How a camera moves over it, if it is a photograph."""


class Frame(NamedTuple):
    """A picture as it is to be shown, and the words that are drawn into it."""

    picture: Planes
    words: tuple[str, ...] = ()


@dataclass
class Strand:
    """What is still to come of a piece: pictures that are read already, and its sound."""

    sound: Tap
    pictures: deque[Frame] = field(default_factory=deque)
    whole: int = 0
    """Pictures over which it dissolves, once nothing more of it is read."""


@dataclass
class Joiner:
    """Lays pieces of clips into a film and notes where."""

    film: FilmWriter
    clips: Clips
    placed: list[Placed] = field(default_factory=list)
    heard: list[Placed] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    _speaking: list[Speech] = field(default_factory=list)
    _leaving: Strand | None = None

    def lay(self, piece: Piece) -> None:
        """Add a piece: its pictures, and as much of its sound as they are long.

        Where one dissolves into another, the boundary is in the middle of the dissolve.
        """
        form, clip = self.film.form, self.clips[piece.file]
        self._begin(piece.under)
        start = self._boundary()
        assert clip.start is not None, "sound has no pictures to lay"
        sound = () if clip.still else read_sound(clip.path, form.rate, clip.start + piece.first)
        strand = Strand(Tap(sound))
        for frame in self._pictures(piece):
            strand.pictures.append(frame)
            if len(strand.pictures) > round(piece.fade * form.fps):
                self._show(strand)
        self._let_go()
        strand.whole = len(strand.pictures)
        self._leaving = strand
        self.placed.append({"file": piece.file, "span": _stretch(start, self._boundary())})

    def _pictures(self, piece: Piece) -> Iterator[Frame]:
        """As they are to be shown; a picture that is held is the same array again."""
        form = self.film.form
        drawn = [(words, Lettering(words.text, words.style, form)) for words in piece.words]
        before: tuple[Planes, tuple[Lettering, ...], Frame] | None = None
        for tick, picture in enumerate(self._read(piece)):
            at = float(tick / form.fps)
            now = [each for each in drawn if each[0].first <= at < each[0].last]
            letters = tuple(lettering for _, lettering in now)
            if before is None or before[0] is not picture or before[1] != letters:
                shown = seen(picture, piece.look)
                for lettering in letters:
                    shown = lettering.on(shown)
                before = picture, letters, Frame(shown, tuple(words.text for words, _ in now))
            yield before[2]

    def _read(self, piece: Piece) -> Iterator[Planes]:
        clip, form = self.clips[piece.file], self.film.form
        if clip.still:
            return read_still(clip.path, form, piece.first, piece.last, piece.glide)
        return read_pictures(clip.path, form, piece.first, piece.last, planes.fit)

    def _boundary(self) -> float:
        """Seconds at which what is read now follows on what was."""
        held = len(self._leaving.pictures) if self._leaving else 0
        return self.film.seconds + float(held / self.film.form.fps / 2)

    def _show(self, strand: Strand) -> None:
        """The next tick of a piece, mixed with what is left of the one before."""
        (picture, words), own = strand.pictures.popleft(), strand.sound.take(self.film.due)
        leaving = self._leaving
        if leaving is not None and leaving.pictures:
            share = (len(leaving.pictures) - 0.5) / leaving.whole
            old, other = leaving.pictures.popleft().picture, leaving.sound.take(self.film.due)
            picture = planes.mixed(old, share, picture)
            own = (share * other + (1 - share) * own).astype(np.float32)
        self._read_there(words)
        self.film.write(picture, self._mix(own))

    def _read_there(self, words: Iterable[str]) -> None:
        """Note what is written on the next tick."""
        start, end = self.film.seconds, float((self.film.ticks + 1) / self.film.form.fps)
        for text in words:
            last = next((each for each in reversed(self.written) if each["text"] == text), None)
            if last is not None and last["span"]["end"] == round(start, 3):
                last["span"]["end"] = round(end, 3)
            else:
                self.written.append({"text": text, "span": _stretch(start, end)})

    def _let_go(self) -> None:
        """What is left of the piece before where this one is over sooner than the dissolve."""
        leaving, self._leaving = self._leaving, None
        while leaving is not None and leaving.pictures:
            self._show(leaving)

    def end(self) -> None:
        """Show what is left, and cut off what is still being said."""
        self._let_go()
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


def seen(picture: Planes, look: Look) -> Planes:
    """A picture as it is to be shown, of the same size."""
    near = planes.closer(picture, look.zoom) if look.zoom > 1 else picture
    return planes.mirrored(near) if look.mirrored else near


def _stretch(start: float, end: float) -> Stretch:
    return {"start": round(start, 3), "end": round(end, 3)}
