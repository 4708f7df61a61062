"""transcribe: sound becomes utterances with word times (WhisperX)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from vmr_agent.artefacts import Speech
from vmr_agent.playback import RATE, Block
from vmr_agent.protocols import Array, Transcriber
from vmr_agent.spoken import FRAME
from vmr_agent.types import Span, Utterance, Word

Said = tuple[Utterance, ...]
Patience = Callable[[Callable[[], Said]], Said]
SEARCH = 20.0  # seconds at the end of a block in which a quiet place to cut is looked for


def transcribe_block(block: Block, transcriber: Transcriber | None, patiently: Patience) -> Speech:
    """What is said in the block, up to the last quiet place in it.

    The next block goes on from ``heard``, so that no word is split between two.
    """
    start, samples, last, voice, _ = block
    if transcriber is None:
        return Speech(utterances=(), heard=0)
    cut = len(samples) if last else quietest(samples)
    frames = -(-cut // FRAME)
    said = patiently(lambda: transcriber.transcribe(samples[:cut], RATE, voice[:frames]))
    utterances = tuple(_shift(utterance, start) for utterance in said)
    return Speech(utterances=utterances, heard=start + cut / RATE)


def transcribe(blocks: Iterable[Speech]) -> Speech:
    """The film's, from all its blocks in order; none for a film without sound."""
    parts = list(blocks)
    utterances = tuple(utterance for part in parts for utterance in part.utterances)
    return Speech(utterances=utterances, heard=parts[-1].heard if parts else 0.0)


def quietest(samples: Array) -> int:
    """Where the frame begins that holds the middle of the quietest half second near the end."""
    half = RATE // 2
    tail = samples[-int(SEARCH * RATE) :]
    count = len(tail) // half
    if count < 2:
        return len(samples)
    energy = np.square(tail[: count * half]).reshape(count, half).mean(axis=1)
    middle = len(samples) - len(tail) + int(energy.argmin()) * half + half // 2
    return middle // FRAME * FRAME


def _shift(utterance: Utterance, by: float) -> Utterance:
    def moved(span: Span) -> Span:
        return Span(start=span.start + by, end=span.end + by)

    words = tuple(Word(text=word.text, span=moved(word.span)) for word in utterance.words)
    return utterance.model_copy(update={"span": moved(utterance.span), "words": words})
