"""Speech: sound is cut where it is quiet, and no sample is lost or heard twice."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shelved import say, span

from vmr_agent.artefacts import Speech
from vmr_agent.playback import RATE, Block
from vmr_agent.protocols import Array
from vmr_agent.spoken import FRAME
from vmr_agent.tools import transcribe, transcribe_block
from vmr_agent.tools.transcribe import Said
from vmr_agent.types import Utterance

SEARCH = 20.0


class Tape:
    """Keeps what it is given to hear, and hears one word a second into each piece."""

    name = "tape"

    def __init__(self, *said: Utterance) -> None:
        self.pieces: list[Array] = []
        self.voices: list[Array] = []
        self.said = said or (say(1, "word"),)

    def transcribe(self, samples: Array, rate: int, voice: Array) -> tuple[Utterance, ...]:
        assert rate == RATE
        assert len(voice) == -(-len(samples) // FRAME)
        self.pieces.append(samples)
        self.voices.append(voice)
        return self.said


def block(start: float, samples: Array, last: bool) -> Block:
    return Block(start, samples, last, np.zeros(-(-len(samples) // FRAME), np.float32))


def at_once(work: Callable[[], Said]) -> Said:
    return work()


def heard(tape: Tape, samples: Array, sizes: list[int]) -> Speech:
    """Block after block, each from where the transcript ended, as the graph gives them."""
    edges = np.cumsum([0, *sizes])
    parts: list[Speech] = []
    for first, last in pairwise(edges):
        since = round(parts[-1].heard * RATE) if parts else first
        voice = np.arange(since // FRAME, -(-last // FRAME), dtype=np.float32)
        block = Block(since / RATE, samples[since:last], last == edges[-1], voice)
        parts.append(transcribe_block(block, tape, at_once))
    return transcribe(parts)


@settings(max_examples=25)
@given(st.lists(st.integers(940, 1880), min_size=1, max_size=4), st.integers(0, 99))
def test_no_sample_is_lost_or_heard_twice(frames: list[int], seed: int) -> None:
    sizes = [FRAME * count for count in frames]
    noise = np.random.default_rng(seed).random(sum(sizes), np.float32)
    tape = Tape()
    speech = heard(tape, noise, sizes)
    assert np.array_equal(np.concatenate(tape.pieces), noise)
    assert np.array_equal(np.concatenate(tape.voices), np.arange(sum(frames)))
    assert all(len(piece) for piece in tape.pieces)
    assert max(map(len, tape.pieces)) <= max(sizes) + SEARCH * RATE
    starts = np.cumsum([0, *map(len, tape.pieces)]) / RATE
    assert [u.span.start for u in speech.utterances] == pytest.approx(list(starts[:-1] + 1))
    assert speech.heard == pytest.approx(starts[-1])


def test_sound_is_cut_where_it_is_quiet() -> None:
    loud = np.ones(60 * RATE, np.float32)
    for second in (15, 52):
        loud[second * RATE : (second + 1) * RATE] = 0
    tape = Tape()
    heard(tape, loud, [30 * RATE, 30 * RATE])
    edges = np.cumsum([len(piece) for piece in tape.pieces]) / RATE
    assert 15 < edges[0] < 16
    assert edges[-1] == 60, "the last block is heard to its end"
    tape = Tape()
    speech = transcribe_block(block(100.0, loud, False), tape, at_once)
    assert 152 < speech.heard < 153
    assert len(tape.pieces[0]) / RATE == pytest.approx(speech.heard - 100)


def test_a_pause_too_far_back_is_not_looked_for() -> None:
    loud = np.ones(60 * RATE, np.float32)
    loud[2 * RATE : 3 * RATE] = 0
    tape = Tape()
    transcribe_block(block(0.0, loud, False), tape, at_once)
    assert (60 - SEARCH) * RATE <= len(tape.pieces[0]) < 60 * RATE


@pytest.mark.parametrize("last", [True, False])
def test_a_moment_of_sound_is_heard_whole(last: bool) -> None:
    tape = Tape()
    speech = transcribe_block(block(3.0, np.zeros(RATE // 2, np.float32), last), tape, at_once)
    assert len(tape.pieces[0]) == RATE // 2
    assert speech.heard == 3.5


def test_words_are_shifted_with_their_sentence() -> None:
    tape = Tape(say(1, "two words"))
    speech = transcribe_block(block(30.0, np.zeros(RATE, np.float32), True), tape, at_once)
    (utterance,) = speech.utterances
    assert utterance.span == span(31, 32)
    assert [word.span for word in utterance.words] == [span(31, 31.5), span(31.5, 32)]
    assert utterance.text == "two words"


def test_the_recogniser_is_waited_for_by_whoever_can_be_broken_off() -> None:
    def impatiently(work: Callable[[], Said]) -> Said:
        raise InterruptedError

    tape = Tape()
    with pytest.raises(InterruptedError):
        transcribe_block(block(0.0, np.zeros(RATE, np.float32), True), tape, impatiently)
    assert tape.pieces == []


def test_no_sound_and_no_recogniser_are_told_apart_from_silence() -> None:
    nothing = Speech(utterances=(), heard=0)
    assert transcribe([]) == nothing
    loud = block(0.0, np.ones(RATE, np.float32), True)
    assert transcribe([transcribe_block(loud, None, at_once)]) == nothing
    silent = Tape()
    silent.said = ()
    assert transcribe_block(loud, silent, at_once) == Speech(utterances=(), heard=1)
