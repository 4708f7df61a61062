"""Films made by hand: reels as the front half sees them, and films as the back half does, with a
picture a second and words of half a second each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from vmr_agent.artefacts import Entry
from vmr_agent.film import Film
from vmr_agent.playback import Reel, Taken
from vmr_agent.protocols import Array, Image
from vmr_agent.testing import COLOURS, GREY, WordSentences
from vmr_agent.types import Candidate, ScreenText, Shot, Span, Utterance, Video, Word
from vmr_agent.words import phrases

NAMES = [*COLOURS, "grey"]


def span(start: float, end: float) -> Span:
    return Span(start=start, end=end)


def video(duration: float = 20.0, *, picture: bool = True, sound: bool = True) -> Video:
    return Video(
        path="/films/a.mp4",
        fingerprint="f",
        duration=duration,
        has_picture=picture,
        has_audio=sound,
    )


def plain(colour: str, size: tuple[int, int] = (48, 64)) -> Image:
    """A picture of one of the named colours, or grey."""
    return np.full((*size, 3), COLOURS.get(colour, GREY), np.uint8)


def reel(
    number: int = 0,
    samples: Sequence[tuple[float, Image]] = (),
    keys: Sequence[tuple[float, Image]] = (),
    cuts: Sequence[float] = (),
) -> Reel:
    """A reel from times and pictures."""
    return Reel(
        number,
        cuts=tuple(cuts),
        samples=[Taken(time, image, b"webp") for time, image in samples],
        keys=[Taken(time, image) for time, image in keys],
    )


def shown(*colours: str) -> Array:
    """What ``ColourEncoder`` makes of plain pictures of these colours."""
    return np.eye(len(NAMES), dtype=np.float32)[[NAMES.index(colour) for colour in colours]]


def say(start: float, text: str, each: float = 0.5) -> Utterance:
    """Every word takes ``each`` seconds."""
    words = tuple(
        Word(text=word, span=span(start + each * index, start + each * (index + 1)))
        for index, word in enumerate(text.split())
    )
    return Utterance(span=span(start, words[-1].span.end), text=text, words=words, timing="aligned")


def line(start: float, end: float, text: str) -> ScreenText:
    return ScreenText(span=span(start, end), text=text, confidence=0.9)


def film(
    duration: float = 20.0,
    *,
    cuts: Sequence[float] = (),
    colours: Sequence[str] = (),
    said: Sequence[Utterance] = (),
    written: Sequence[ScreenText] = (),
    levels: Sequence[tuple[float, float]] = (),
) -> Film:
    """A film with shots between ``cuts`` and a picture of one of the colours each second."""
    meaning = WordSentences()
    parts = [(n, part) for n, utterance in enumerate(said) for part in phrases(utterance.text)]
    edges = [0.0, *cuts, duration]
    return Film(
        entry=Entry(video=video(duration), heard=duration, read=True),
        shots=tuple(Shot(span=span(a, b)) for a, b in pairwise(edges)),
        times=np.arange(len(colours), dtype=np.float64),
        vectors=shown(*colours) if colours else np.zeros((0, len(NAMES)), np.float32),
        utterances=tuple(said),
        speech=meaning.embed([part for _, part in parts]),
        speakers=np.array([number for number, _ in parts], np.int64),
        texts=tuple(written),
        text=meaning.embed([each.text for each in written]),
        levels=np.array(levels, np.float32).reshape(-1, 2),
    )


def candidate(start: float, end: float, score: float) -> Candidate:
    return Candidate(span=span(start, end), score=score)
