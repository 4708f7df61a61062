"""Laying clips into a film, one after the other, and speech under them."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypedDict

import numpy as np

from evals import planes
from evals.film import FilmWriter, Planes, Reel, Sound
from evals.footage import read_pictures, read_sound
from evals.lettering import Lettering, Style
from evals.playlist import Clips
from evals.reels import Reels, Shelf
from evals.stills import Glide, read_still
from evals.voices import Tap, Voices

PART = 4.0
"""Seconds of a piece that are encoded together, and kept for when it comes again."""


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
    held: int
    """Pictures over which it is to dissolve."""
    pictures: deque[Frame] = field(default_factory=deque)
    whole: int = 0
    """Pictures over which it dissolves, once nothing more of it is read."""


@dataclass
class Joiner:
    """Lays pieces of clips into a film and notes where.

    What is shown again, of one clip in one look, is not decoded and encoded again.
    """

    film: FilmWriter
    clips: Clips
    placed: list[Placed] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    _leaving: Strand | None = None
    _voices: Voices = field(init=False)
    _shelf: Shelf = field(default_factory=Shelf)

    def __post_init__(self) -> None:
        self._voices = Voices(self.film)

    @property
    def heard(self) -> list[Placed]:
        """Where sound files lie, those that are over."""
        return [
            {"file": file, "span": _stretch(start, end)} for file, start, end in self._voices.heard
        ]

    def lay(self, piece: Piece) -> None:
        """Add a piece: its pictures, and as much of its sound as they are long.

        Where one dissolves into another, the boundary is in the middle of the dissolve.
        """
        form, clip = self.film.form, self.clips[piece.file]
        self._voices.begin(piece.under, {file: self.clips[file].path for file in piece.under})
        start = self._boundary()
        assert clip.start is not None, "sound has no pictures to lay"
        sound = () if clip.still else read_sound(clip.path, form.rate, clip.start + piece.first)
        strand = Strand(Tap(sound), round(piece.fade * form.fps))
        known = self._shelf.of((piece.file, piece.first, piece.last, piece.look, piece.glide))
        tick = 0
        while known.ticks is None or tick < known.ticks:
            if self._left() == 0 and (reel := self._again(piece, known, tick)):
                self.film.splice(reel, (self._heard_next(strand) for _ in reel))
                tick += len(reel)
            else:
                tick = self._anew(piece, known, strand, tick)
        self._let_go()
        strand.whole = len(strand.pictures)
        self._leaving = strand
        self.placed.append({"file": piece.file, "span": _stretch(start, self._boundary())})

    def _again(self, piece: Piece, known: Reels, tick: int) -> Reel | None:
        """What is encoded already and can be shown at a tick of a piece as it is."""
        reel, fps = known.parts.get(tick), self.film.form.fps
        if reel is None or known.ticks is None:
            return None
        end = tick + len(reel)
        written = any(w.first * fps < end and w.last * fps > tick for w in piece.words)
        dissolves = end > known.ticks - round(piece.fade * fps)
        return None if written or dissolves else reel

    def _anew(self, piece: Piece, known: Reels, strand: Strand, tick: int) -> int:
        """Show a piece from a tick on, until there is something to be shown again, or all of it.

        Returns the tick up to which it was read.
        """
        part, began = round(PART * self.film.form.fps), tick
        there = (n for n in sorted(known.parts) if n > tick and n >= tick + self._left())
        stop = next((n for n in there if self._again(piece, known, n)), None)
        held, clean = (strand.held if stop is None else 0), True
        for frame in self._pictures(piece, tick, stop):
            strand.pictures.append(frame)
            tick += 1
            if len(strand.pictures) <= held:
                continue
            shown = tick - len(strand.pictures)
            if shown % part == 0:
                self._keep(known, began, clean)
                began, clean = shown, True
            clean = clean and not (self._left() or strand.pictures[0].words)
            self._show(strand)
        if stop is None:
            known.ticks = tick
        whole = tick - began == part or not strand.pictures
        self._keep(known, began, clean and whole)
        return tick

    def _keep(self, known: Reels, began: int, clean: bool) -> None:
        """End a part that began at a tick of a piece; keep it if it is nothing but the piece."""
        reel = self.film.cut(keep=True)
        if reel and clean:
            known.keep(began, reel)

    def _pictures(self, piece: Piece, start: int, stop: int | None) -> Iterator[Frame]:
        """As they are to be shown; a picture that is held is the same array again."""
        form = self.film.form
        drawn = [(words, Lettering(words.text, words.style, form)) for words in piece.words]
        before: tuple[Planes, tuple[Lettering, ...], Frame] | None = None
        for tick, picture in enumerate(self._read(piece, start, stop), start):
            at = float(tick / form.fps)
            now = [each for each in drawn if each[0].first <= at < each[0].last]
            letters = tuple(lettering for _, lettering in now)
            if before is None or before[0] is not picture or before[1] != letters:
                shown = seen(picture, piece.look)
                for lettering in letters:
                    shown = lettering.on(shown)
                before = picture, letters, Frame(shown, tuple(words.text for words, _ in now))
            yield before[2]

    def _read(self, piece: Piece, start: int, stop: int | None) -> Iterator[Planes]:
        """From a tick of a piece up to another, or its end."""
        clip, form = self.clips[piece.file], self.film.form
        zero = round(piece.first * form.fps)
        first = float((zero + start) / form.fps)
        last = piece.last if stop is None else float((zero + stop) / form.fps)
        if clip.still:
            return read_still(clip.path, form, first, last, piece.glide)
        return read_pictures(clip.path, form, first, last, planes.fit)

    def _left(self) -> int:
        """How many pictures of the piece before are still to come."""
        return len(self._leaving.pictures) if self._leaving else 0

    def _boundary(self) -> float:
        """Seconds at which what is read now follows on what was."""
        return self.film.seconds + float(self._left() / self.film.form.fps / 2)

    def _heard_next(self, strand: Strand) -> Sound:
        return self._voices.mix(strand.sound.take(self.film.due))

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
        self.film.write(picture, self._voices.mix(own))

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
        self._voices.end()


def seen(picture: Planes, look: Look) -> Planes:
    """A picture as it is to be shown, of the same size."""
    near = planes.closer(picture, look.zoom) if look.zoom > 1 else picture
    return planes.mirrored(near) if look.mirrored else near


def _stretch(start: float, end: float) -> Stretch:
    return {"start": round(start, 3), "end": round(end, 3)}
