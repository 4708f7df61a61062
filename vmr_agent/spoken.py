"""From probabilities of speech and words that were heard to utterances. Pure, all in seconds."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from vmr_agent.protocols import Array
from vmr_agent.types import Span, Utterance, Word

Stretch = tuple[float, float]

WINDOW = 30.0
"""Seconds that Whisper hears at once."""
GAP = 3.0
"""Seconds without speech that a window may bridge. 10 saves a quarter of the time on a sparsely
narrated film, but Whisper then hears words early, up to half a second before they are said."""
PAD = 0.2
"""Seconds around speech that Whisper hears as well; first words are placed that much too early."""
PAUSE = 2.0
"""Seconds between words that end an utterance even without a full stop."""
VOICED = 0.25
"""Share of an utterance in which the detector must hear speech, or it is made up."""
BLINK = 0.02
"""Seconds that a word takes at least: one step of Whisper's attention."""

_END = re.compile(r"[.?!…。？！]+[\"'”’»)\]]*$")
_ABBREVIATION = re.compile(r"^\W*((?:\w\.)+|Mr\.|Mrs\.|Ms\.|Dr\.|St\.|vs\.)$")


FRAME = 512
"""Samples at 16 kHz that one probability of speech is about; blocks of sound are whole frames."""
STEP = FRAME / 16_000
"""The same in seconds."""
ONSET = 0.5
"""Probability at which speech begins (Silero's own value) …"""
OFFSET = 0.35
"""… and below which it may end (Silero's own value)."""
DIP = 0.098
"""Seconds of silence at which speech that lasts too long is rather cut (Silero's own value)."""


class Heard(NamedTuple):
    """A word with its leading space, seconds, and where the seconds come from."""

    text: str
    start: float
    end: float
    timing: Literal["aligned", "attention"]


def stretches(
    voice: Array, duration: float, pause: float, longest: float = math.inf
) -> list[Stretch]:
    """Where somebody speaks, by Silero's rule, from probabilities (F,) for every ``STEP``.

    Speech ends once there was none for ``pause`` seconds. What lasts over ``longest`` seconds is
    cut at its last ``DIP``, or right there if it has none.
    """
    found: list[Stretch] = []
    start: float | None = None
    quiet: float | None = None  # since when there may be no speech
    dip: tuple[float, float | None] | None = None  # the last one, and when speech went on
    for index, (speaks, silent) in enumerate(
        zip((voice >= ONSET).tolist(), (voice < OFFSET).tolist(), strict=True)
    ):
        now = index * STEP
        if speaks:
            if quiet is not None and dip is not None and dip[1] is None:
                dip = dip[0], now
            quiet = None
            if start is None:
                start = now
                continue
        if start is None:
            continue
        if now - start > longest - STEP:
            found.append((start, now if dip is None else dip[0]))
            start, quiet, dip = (None if dip is None else dip[1]), None, None
            if start is None:
                continue
        if silent:
            quiet = now if quiet is None else quiet
            if now - quiet > DIP:
                dip = quiet, None
            if now - quiet >= pause:
                found.append((start, quiet))
                start = quiet = dip = None
    return found if start is None else [*found, (start, duration)]


def merge(speech: Sequence[Stretch], duration: float) -> list[Stretch]:
    """Stretches of speech, padded and joined to windows of at most ``WINDOW`` seconds.

    Windows do not overlap: what was heard in two of them would be transcribed twice.
    """
    windows: list[Stretch] = []
    for start, end in speech:
        start, end = max(0.0, start - PAD), min(end + PAD, duration)
        if windows and end - windows[-1][0] <= WINDOW and start - windows[-1][1] <= GAP:
            windows[-1] = (windows[-1][0], end)
        else:
            if windows and start < windows[-1][1]:
                start = (start + windows[-1][1]) / 2
                windows[-1] = (windows[-1][0], start)
            windows.append((start, end))
    return windows


def sentences(words: Sequence[Heard], duration: float) -> Iterator[Utterance]:
    """Words in order, cut where a sentence ends, at a ``PAUSE``, and before ``WINDOW`` seconds."""
    held: list[Heard] = []
    for word in _ordered(words, duration):
        if held and (word.start - held[-1].end > PAUSE or word.end - held[0].start > WINDOW):
            yield _utterance(held)
            held = []
        held.append(word)
        text = word.text.strip()
        if _END.search(text) and not _ABBREVIATION.match(text):
            yield _utterance(held)
            held = []
    if held:
        yield _utterance(held)


def _ordered(words: Sequence[Heard], duration: float) -> Iterator[Heard]:
    """Each word after the one before, ``BLINK`` long at least, all within the sound."""
    said = [word for word in words if word.text.strip()]
    now = 0.0
    for left, word in zip(range(len(said) - 1, -1, -1), said, strict=True):
        # What is left to say needs its room as well.
        latest = max(now + BLINK, duration - left * BLINK)
        start = min(max(float(word.start), now), latest - BLINK)
        now = min(max(float(word.end), start + BLINK), latest)
        yield word._replace(start=round(start, 3), end=round(now, 3))


def _utterance(words: Sequence[Heard]) -> Utterance:
    aligned = all(word.timing == "aligned" for word in words)
    return Utterance(
        span=Span(start=words[0].start, end=words[-1].end),
        text="".join(word.text for word in words).strip(),
        words=tuple(
            Word(text=word.text.strip(), span=Span(start=word.start, end=word.end))
            for word in words
        ),
        timing="aligned" if aligned else "attention",
    )


def on_time(word: Heard, speech: Sequence[Stretch]) -> Heard:
    """The word without the silence before it, which Whisper's attention adds to first words."""
    onsets = [start for start, _ in speech if word.start < start < word.end]
    if word.timing == "aligned" or not onsets:
        return word
    return word._replace(start=max(onsets))


def voiced(span: Span, speech: Sequence[Stretch]) -> bool:
    """Whether speech was detected in enough of the span for it not to be made up."""
    heard = sum(max(0.0, min(span.end, end) - max(span.start, start)) for start, end in speech)
    return heard >= VOICED * span.length
