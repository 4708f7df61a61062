"""Windows of speech, and utterances out of words."""

import math
from itertools import pairwise

import numpy as np
import pytest
from faster_whisper import vad
from hypothesis import given, settings
from hypothesis import strategies as st

from vmr_agent.spoken import FRAME, STEP, Heard, merge, on_time, sentences, stretches, voiced
from vmr_agent.types import Span

RUNS = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 40)), max_size=40)


@settings(max_examples=400)
@given(RUNS, st.sampled_from([0.1, 0.3, 0.5]), st.sampled_from([1.0, 3.0, math.inf]))
def test_speech_is_found_by_the_rule_of_the_detector(
    runs: list[tuple[float, int]], pause: float, longest: float
) -> None:
    """As faster-whisper's own code does, which cannot be given probabilities."""
    voice = np.asarray([chance for chance, count in runs for _ in range(count)], np.float32)
    options = vad.VadOptions(
        max_speech_duration_s=longest, min_silence_duration_ms=round(1000 * pause), speech_pad_ms=0
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vad, "get_vad_model", lambda: lambda _: voice)
        theirs = vad.get_speech_timestamps(np.zeros(len(voice) * FRAME, np.float32), options)
    ours = stretches(voice, len(voice) * STEP, pause, longest)
    expected = [(part["start"] / 16_000, part["end"] / 16_000) for part in theirs]
    assert np.shape(ours) == np.shape(expected)
    np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_windows_hold_thirty_seconds_and_bridge_short_gaps() -> None:
    speech = [(0.1, 8.0), (9.0, 20.0), (21.0, 29.0), (29.5, 31.0), (40.0, 41.0)]
    assert merge(speech, 41.1) == [(0, 29.2), (29.3, 31.2), (39.8, 41.1)]


def words(*given: tuple[str, float, float]) -> list[Heard]:
    return [Heard(" " + text, start, end, "attention") for text, start, end in given]


def test_sentences_end_at_full_stops_and_pauses_but_not_at_abbreviations() -> None:
    said = words(
        ("Dr.", 0, 0.2), ("J.", 0.2, 0.4), ("Who", 0.4, 0.6), ("left.", 0.6, 1),
        ("“Really?”", 1.2, 1.5), ("so", 2, 2.2), ("then", 5, 5.2),
    )  # fmt: skip
    texts = [utterance.text for utterance in sentences(said, 10)]
    assert texts == ["Dr. J. Who left.", "“Really?”", "so", "then"]


def test_word_times_are_put_in_order_and_within_the_sound() -> None:
    said = words(("a", 1, 1), ("b", 0.5, 0.9), ("c", 1.2, 9), ("d", 9, 9))
    (utterance,) = sentences(said, 5.0)
    spans = [word.span for word in utterance.words]
    assert all(a.end <= b.start for a, b in pairwise(spans))
    assert spans[-1].end <= 5.0


def test_a_first_word_loses_the_silence_before_it() -> None:
    early, late = words(("And", 0.1, 0.6), ("so", 0.6, 0.9))
    speech = [(0.3, 2.0), (0.95, 3.0)]
    assert on_time(early, speech).start == 0.3
    assert on_time(late, speech) == late


def test_an_utterance_that_nobody_voiced_is_told_apart() -> None:
    speech = [(0.0, 1.0), (8.0, 9.0)]
    assert voiced(Span(start=0.5, end=2.0), speech)
    assert not voiced(Span(start=2.0, end=7.0), speech)
