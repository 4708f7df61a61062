"""Speech: sound is cut where it is quiet, and no sample is lost or heard twice."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shelved import say, span

from vmr_agent.artefacts import Speech
from vmr_agent.protocols import Array
from vmr_agent.tools import transcribe
from vmr_agent.types import Utterance

RATE = 16_000
SEARCH = 20.0


class Tape:
    """Keeps what it is given to hear, and hears one word a second into each piece."""

    name = "tape"

    def __init__(self, *said: Utterance) -> None:
        self.pieces: list[Array] = []
        self.said = said or (say(1, "word"),)

    def transcribe(self, samples: Array, rate: int) -> tuple[Utterance, ...]:
        assert rate == RATE
        self.pieces.append(samples)
        return self.said


def blocks(samples: Array, size: int, start: float = 0.0) -> list[tuple[float, Array]]:
    return [
        (start + first / RATE, samples[first : first + size])
        for first in range(0, len(samples), size)
    ]


def heard(tape: Tape, given_blocks: list[tuple[float, Array]]) -> tuple[Speech, list[float]]:
    ticks: list[float] = []
    return transcribe(given_blocks, tape, ticks.append), ticks


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(1, 30 * RATE), min_size=1, max_size=5),
    st.floats(0, 100),
    st.integers(0, 99),
)
def test_no_sample_is_lost_or_heard_twice(sizes: list[int], start: float, seed: int) -> None:
    noise = np.random.default_rng(seed).random(sum(sizes), np.float32)
    edges = np.cumsum([0, *sizes])
    given_blocks = [(start + first / RATE, noise[first:last]) for first, last in pairwise(edges)]
    tape = Tape()
    speech, ticks = heard(tape, given_blocks)
    assert np.array_equal(np.concatenate(tape.pieces), noise)
    assert all(len(piece) for piece in tape.pieces)
    assert max(map(len, tape.pieces)) <= max(sizes) + SEARCH * RATE
    starts = start + np.cumsum([0, *map(len, tape.pieces)]) / RATE
    assert [u.span.start for u in speech.utterances] == pytest.approx(list(starts[:-1] + 1))
    assert speech.heard == pytest.approx(starts[-1])
    assert ticks == sorted(ticks)
    assert ticks[-1] == speech.heard


def test_sound_is_cut_where_it_is_quiet() -> None:
    loud = np.ones(60 * RATE, np.float32)
    for second in (15, 52):
        loud[second * RATE : (second + 1) * RATE] = 0
    tape = Tape()
    heard(tape, blocks(loud, 30 * RATE))
    edges = np.cumsum([len(piece) for piece in tape.pieces]) / RATE
    assert 15 < edges[0] < 16
    assert 52 < edges[1] < 53
    assert edges[-1] == 60


def test_a_pause_too_far_back_is_not_looked_for() -> None:
    loud = np.ones(60 * RATE, np.float32)
    loud[2 * RATE : 3 * RATE] = 0
    tape = Tape()
    heard(tape, blocks(loud, 60 * RATE))
    assert len(tape.pieces[0]) >= (60 - SEARCH) * RATE


def test_words_are_shifted_with_their_sentence() -> None:
    tape = Tape(say(1, "two words"))
    speech, _ = heard(tape, [(30.0, np.zeros(RATE // 2, np.float32))])
    (utterance,) = speech.utterances
    assert utterance.span == span(31, 32)
    assert [word.span for word in utterance.words] == [span(31, 31.5), span(31.5, 32)]
    assert utterance.text == "two words"


def test_no_sound_and_no_recogniser_are_told_apart_from_silence() -> None:
    assert heard(Tape(), [])[0] == Speech(utterances=(), heard=0)
    assert transcribe(blocks(np.ones(RATE, np.float32), RATE), None, print) == Speech(
        utterances=(), heard=0
    )


def test_without_a_recogniser_nothing_is_decoded() -> None:
    def never() -> list[tuple[float, Array]]:
        raise AssertionError("nobody listens")
        yield

    assert transcribe(never(), None, print).utterances == ()
