"""index_video: what the film turned out to be, with the meanings of what was said and written."""

from __future__ import annotations

import numpy as np

from vmr_agent import __version__
from vmr_agent.artefacts import Entry, Footage, Screen, Sounds, Speech
from vmr_agent.compress import compress
from vmr_agent.film import Film
from vmr_agent.intervals import Spans
from vmr_agent.protocols import Arrays, Index, Row, Sentences
from vmr_agent.report import Fault
from vmr_agent.types import Span, TimingQuality, Video
from vmr_agent.words import phrases

TIMINGS: tuple[TimingQuality, ...] = ("segment", "attention", "aligned")
"""From the poorest on."""
SEARCHED = 0.5
"""Cosine above which what is seen in a shot, or said in an utterance, is one row of the index. A
shortlist names scenes: the right clip is first as often as with all frames, for a tenth of the
room (evals/results/compression.json)."""
PADDING = 0.5  # seconds of sound behind the picture that mean nothing: it comes in whole packets
SPARSE = 10.0  # seconds from which what lies between two frames may well be a scene
LEAD = 1.0  # seconds of sound before the picture in which something may be said
WHOLE = 0.995  # coverage from which nothing is worth saying: a broken last packet is common


def index_video(
    video: Video,
    footage: Footage,
    speech: Speech,
    screen: Screen,
    sounds: Sounds,
    sentences: Sentences,
) -> tuple[Entry, Arrays]:
    """The film's entry, and what its words mean.

    Arrays: ``speech`` (P, S) vectors of phrases, ``speakers`` (P,) which utterance each is from,
    ``text`` (W, S) vectors of lines on screen.
    """
    known = video.model_copy(
        update={
            "duration": _duration(footage, sounds),
            "coverage": footage.coverage if video.has_picture else _share(sounds),
        }
    )
    said = [(n, part) for n, u in enumerate(speech.utterances) for part in phrases(u.text)]
    arrays: Arrays = {
        "speech": sentences.embed([part for _, part in said]).astype(np.float16),
        "speakers": np.asarray([number for number, _ in said], np.int64),
        "text": sentences.embed([line.text for line in screen.texts]).astype(np.float16),
    }
    entry = Entry(
        video=known,
        heard=_listened(speech, sounds),
        read=screen.read,
        apart=footage.duration / max(1, footage.frames),
        version=__version__,
        unreadable=footage.unreadable,
        unheard=sounds.holes,
        silent=video.has_audio and not sounds.duration,
        timing=_timing(speech),
    )
    return entry, arrays


def _duration(footage: Footage, sounds: Sounds) -> float:
    """Where the picture ends; the sound, if it goes on for longer than its padding."""
    end = footage.duration
    return sounds.duration if sounds.duration > end + PADDING else end


def _share(sounds: Sounds) -> float:
    """How much of the sound could be decoded."""
    end = max([sounds.duration, *(hole.end for hole in sounds.holes)])
    return 1 - sum(hole.length for hole in sounds.holes) / end if end else 1.0


def _listened(speech: Speech, sounds: Sounds) -> float:
    """Seconds listened to in which there was something."""
    lost = (min(hole.end, speech.heard) - hole.start for hole in sounds.holes)
    return max(0.0, speech.heard - sum(seconds for seconds in lost if seconds > 0))


def _timing(speech: Speech) -> TimingQuality | None:
    """The poorest of the ways in which word times were found, None without words."""
    found = {utterance.timing for utterance in speech.utterances}
    return next((timing for timing in TIMINGS if timing in found), None)


def missing(entry: Entry, keys_alone: bool = False) -> tuple[Fault, ...]:
    """What the answer has to do without, for the report; ``keys_alone``: of key frames alone."""
    video = entry.video
    lost = _lost("unreadable", "nothing", entry.unreadable)
    lost += _lost("unheard", "no sound", entry.unheard)
    what = "picture" if video.has_picture else "sound"
    unasked = video.has_audio and not entry.silent and not entry.heard
    decoded = f"{video.coverage:.0%} of the {what} could be decoded"
    mute = "it all lies before the first picture" if video.lead else "none of it could be decoded"
    early = f"{video.lead:.1f} s of sound before the first picture are left out"
    sparse = f"only key frames were looked at, and there is one in {entry.apart:.0f} s"
    checks = (
        (not video.has_picture, "no_picture", "the film has no picture: only its sound counts"),
        (not video.has_audio, "no_audio", "the film has no sound: only its picture counts"),
        (entry.silent, "no_audio", f"the sound is left out, for {mute}"),
        (unasked, "no_speech", "speech recognition is switched off"),
        (video.has_picture and not entry.read, "no_text", "reading on-screen text is switched off"),
        (video.coverage < WHOLE, "coverage", f"only {decoded}"),
        (keys_alone and entry.apart > SPARSE, "sparse", sparse),
        (video.lead > LEAD, "early_sound", early),
    )
    said = tuple(
        Fault(room="index_video", kind=kind, message=message)
        for lacks, kind, message in checks
        if lacks
    )
    return said + lost


def _lost(kind: str, what: str, spans: Spans) -> tuple[Fault, ...]:
    def fault(span: Span) -> Fault:
        message = f"{what} could be decoded from {span.start:.1f} to {span.end:.1f} s"
        return Fault(room="index_video", kind=kind, message=message, span=span)

    return tuple(map(fault, spans))


def register(mark: str, video: Video, film: Film, index: Index) -> None:
    """Put the film's vectors and texts into the index of all films, unless it knows them."""
    if index.knows(video, mark):
        return
    cuts = np.asarray([shot.span.start for shot in film.shots[1:]])
    seen = compress(film.times, film.vectors, cuts, SEARCHED, end=film.seen)
    rows: list[Row] = [
        ("picture", Span(start=float(start), end=float(end)), vector)
        for start, end, vector in zip(seen.starts, seen.ends, seen.vectors, strict=True)
        if start < end
    ]
    # What shots are to frames, utterances are to phrases.
    speakers, others = film.speakers.astype(float), np.arange(1.0, len(film.utterances))
    said = compress(speakers, film.speech, others, SEARCHED)
    rows += [
        ("speech", film.utterances[int(number)].span, vector)
        for number, vector in zip(said.starts, said.vectors, strict=True)
    ]
    written = zip(film.texts, film.text, strict=True)
    rows += [("text", line.span, vector) for line, vector in written]
    index.put(video, mark, rows)
