"""transcribe: sound becomes utterances with word times (WhisperX)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from vmr_agent.artefacts import Speech
from vmr_agent.protocols import Array, Transcriber
from vmr_agent.types import Span, Utterance, Word

RATE = 16_000  # samples a second that speech recognisers want
SEARCH = 20.0  # seconds at the end of a chunk in which a quiet place to cut is looked for


def transcribe(
    blocks: Iterable[tuple[float, Array]],
    transcriber: Transcriber | None,
    tick: Callable[[float], None],
) -> Speech:
    """Utterances of the whole film from consecutive ``(start, samples)`` blocks at 16 kHz.

    Blocks are cut again where it is quiet, so that no word is split between two.
    """
    if transcriber is None:
        return Speech(utterances=(), heard=0)
    said: list[Utterance] = []
    heard = 0.0
    for start, samples in _cut_when_quiet(blocks):
        said.extend(_shift(u, start) for u in transcriber.transcribe(samples, RATE))
        heard = start + len(samples) / RATE
        tick(heard)
    return Speech(utterances=tuple(said), heard=heard)


def _cut_when_quiet(blocks: Iterable[tuple[float, Array]]) -> Iterator[tuple[float, Array]]:
    rest, rest_start, first = np.zeros(0, np.float32), 0.0, True
    for start, block in blocks:
        if first:
            rest_start, first = start, False
        samples = np.concatenate([rest, block])
        cut = _quietest(samples)
        yield rest_start, samples[:cut]
        rest, rest_start = samples[cut:], rest_start + cut / RATE
    if len(rest):
        yield rest_start, rest


def _quietest(samples: Array) -> int:
    """Index of the middle of the quietest half second near the end."""
    half = RATE // 2
    tail = samples[-int(SEARCH * RATE) :]
    count = len(tail) // half
    if count < 2:
        return len(samples)
    energy = np.square(tail[: count * half]).reshape(count, half).mean(axis=1)
    return len(samples) - len(tail) + int(energy.argmin()) * half + half // 2


def _shift(utterance: Utterance, by: float) -> Utterance:
    def moved(span: Span) -> Span:
        return Span(start=span.start + by, end=span.end + by)

    words = tuple(Word(text=word.text, span=moved(word.span)) for word in utterance.words)
    return utterance.model_copy(update={"span": moved(utterance.span), "words": words})
