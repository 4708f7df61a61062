"""What a benchmark film says: phrases of real speech, each time altered, with hardly a pause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple, TypedDict

import numpy as np

from evals.film import Sound
from evals.footage import read_sound

HEARS = 16_000
"""Samples per second that Silero hears."""
BLOCK = 600
"""Seconds of sound looked through at once."""
SHORTEST, LONGEST = 1.5, 6.0
"""Seconds of a phrase, before its speed is changed."""
QUIET = 0.25
"""Seconds to each side within which a phrase is cut where it is quietest: between words."""
PAUSE = (0.1, 0.3)
"""Seconds of pause after a phrase, least and most."""
FADE = 0.01
"""Seconds over which a phrase begins and ends, so that nothing clicks."""


class Voice(NamedTuple):
    """A stretch in which somebody speaks."""

    file: str
    start: float
    """Seconds into the sound of its file."""
    sound: Sound
    """At the film's rate, its loudest sample 1."""


class Said(TypedDict):
    """A phrase, where it comes from and how it was altered."""

    file: str
    start: float
    """Seconds into the sound of its file."""
    seconds: float
    """Its length there."""
    speed: float
    gain: float
    noise: float
    at: float
    """When it is heard in the film, in seconds."""


def voices(paths: Sequence[Path], rate: int) -> list[Voice]:
    """Every stretch of speech in these files that makes at least one phrase."""
    found = []
    for path in paths:
        whole = _sound(path, rate)
        for start, end in spoken(path):
            part = whole[round(start * rate) : round(end * rate)]
            if end - start >= SHORTEST:
                found.append(Voice(path.name, start, part / np.abs(part).max()))
    return found


def spoken(path: Path) -> list[tuple[float, float]]:
    """When somebody speaks in a file, in seconds, by Silero at its own settings."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    # faster-whisper's own bridge two seconds of silence: everything would count as speech.
    options = VadOptions(min_silence_duration_ms=100, speech_pad_ms=30)
    found: list[tuple[float, float]] = []
    began = 0.0
    for block in _blocks(path):
        for part in get_speech_timestamps(block, options):
            found.append((began + part["start"] / HEARS, began + part["end"] / HEARS))
        began += len(block) / HEARS
    return found


def _blocks(path: Path) -> Iterator[Sound]:
    """The sound of a file in pieces of ten minutes or a little more."""
    held: list[Sound] = []
    due = BLOCK * HEARS
    for chunk in read_sound(path, HEARS):
        held.append(chunk)
        due -= len(chunk)
        if due <= 0:
            yield np.concatenate(held)
            held, due = [], BLOCK * HEARS
    if held:
        yield np.concatenate(held)


def speak(voices: Sequence[Voice], dice: Random, rate: int, said: list[Said]) -> Iterator[Sound]:
    """Phrases without end, each followed by a short pause; notes in ``said`` what they are."""
    weights = [len(voice.sound) for voice in voices]
    noise = np.random.default_rng(dice.randrange(2**32))
    at = 0
    while True:
        (voice,) = dice.choices(voices, weights)
        first, last = _phrase(voice.sound, dice, rate)
        speed, gain, hiss = (
            dice.uniform(0.9, 1.12),
            dice.uniform(0.35, 0.9),
            dice.uniform(5e-4, 3e-3),
        )
        said.append(
            {
                "file": voice.file,
                "start": round(voice.start + first / rate, 3),
                "seconds": round((last - first) / rate, 3),
                "speed": round(speed, 4),
                "gain": round(gain, 4),
                "noise": round(hiss, 5),
                "at": round(at / rate, 3),
            }
        )
        phrase = gain * _faded(_sped(voice.sound[first:last], speed), rate)
        pause = np.zeros(round(dice.uniform(*PAUSE) * rate), np.float32)
        chunk = np.concatenate([phrase, pause])
        chunk += hiss * noise.standard_normal(len(chunk), np.float32)
        at += len(chunk)
        yield np.clip(chunk, -1, 1)


def _phrase(sound: Sound, dice: Random, rate: int) -> tuple[int, int]:
    """The first sample of a phrase somewhere in a stretch, and the one after its last."""
    seconds = len(sound) / rate
    length = min(dice.uniform(SHORTEST, LONGEST), seconds)
    start = dice.uniform(0, seconds - length)
    first, last = _quiet(sound, start, rate), _quiet(sound, start + length, rate)
    if SHORTEST * rate <= last - first <= LONGEST * rate:
        return first, last
    return round(start * rate), round((start + length) * rate)


def _quiet(sound: Sound, near: float, rate: int) -> int:
    """The quietest sample near a time; the end of the sound where that is near."""
    if near < QUIET or near > len(sound) / rate - QUIET:
        return 0 if near < QUIET else len(sound)
    step = rate // 100
    begin = round((near - QUIET) * rate)
    steps = sound[begin : begin + round(2 * QUIET * rate) // step * step].reshape(-1, step)
    return begin + int(np.square(steps).mean(axis=1).argmin()) * step + step // 2


def _sped(sound: Sound, speed: float) -> Sound:
    places = np.arange(round(len(sound) / speed)) * speed
    return np.asarray(np.interp(places, np.arange(len(sound)), sound), np.float32)


def _faded(sound: Sound, rate: int) -> Sound:
    edge = np.linspace(0, 1, round(FADE * rate), dtype=np.float32)
    sound[: len(edge)] *= edge
    sound[-len(edge) :] *= edge[::-1]
    return sound


def _sound(path: Path, rate: int) -> Sound:
    return np.concatenate([np.zeros(0, np.float32), *read_sound(path, rate)])
