"""Captions made of evidence."""

from __future__ import annotations

import numpy as np
import pytest
from shelved import candidate, film, line, say

from vmr_agent.film import Film
from vmr_agent.testing import ColourEncoder, WordSentences
from vmr_agent.tools import caption
from vmr_agent.tools.caption import importance
from vmr_agent.types import Candidate, Query

SHELVED = film(
    20,
    colours=[*["red"] * 10, *["blue"] * 10],
    said=[say(1, "hello there"), say(15, "good bye")],
    written=[line(0, 5, "WAY OUT"), line(3, 6, "EXIT")],
)


QUERY = Query(text="the red one", scene="red")


def captioned(one: Candidate, shelved: Film) -> Candidate:
    (told,) = caption([one], QUERY, shelved, ColourEncoder(), WordSentences())
    return told


def test_a_caption_says_what_is_seen_heard_and_read_there() -> None:
    told = captioned(candidate(0, 4, 0.7), SHELVED)
    (reason,) = told.evidence
    assert reason.source == "caption"
    assert reason.note.startswith("looks like red, ")
    assert reason.note.endswith("; says “hello there”; reads “WAY OUT / EXIT”")
    assert reason.score == 0.7
    assert (told.span, told.score) == (candidate(0, 4, 0.7).span, 0.7)


def test_only_what_falls_into_it_counts() -> None:
    (reason,) = captioned(candidate(10, 14, 0.7), SHELVED).evidence
    assert reason.note.startswith("looks like blue, ")
    assert "says" not in reason.note
    assert "reads" not in reason.note


def test_nothing_to_tell_leaves_the_candidate_as_it_was() -> None:
    before = candidate(0, 4, 0.7)
    assert captioned(before, film(20)) is before


def test_long_speech_is_cut_at_a_word() -> None:
    text = " ".join(["word"] * 60)
    (reason,) = captioned(candidate(0, 9, 0.7), film(60, said=[say(0, text)])).evidence
    assert reason.note.endswith("word…”")
    assert len(reason.note) < 140


def test_earlier_evidence_is_kept() -> None:
    once = captioned(candidate(0, 4, 0.7), SHELVED)
    twice = captioned(once, SHELVED)
    assert twice.evidence[:1] == once.evidence
    assert len(twice.evidence) == 2


def test_what_a_model_tells_comes_first_and_ranks_anew() -> None:
    blue, red = candidate(10, 14, 0.9), candidate(0, 4, 0.5)
    told = {0: "a blue wall", 1: "a red wall"}
    first, second = caption([blue, red], QUERY, SHELVED, ColourEncoder(), WordSentences(), told)
    assert (first.span, second.span) == (red.span, blue.span)
    assert [why.note for why in first.evidence] == ["a red wall", "importance"]
    assert first.evidence[1].score == pytest.approx(1)
    assert second.evidence[1].score == pytest.approx(0)
    assert (first.score, second.score) == (0.5, 0.9), "scores are not touched"


def test_importance_asks_frames_and_captions_and_whether_they_agree() -> None:
    """S_q: half what the frames show, half what the caption tells of what they show."""
    found = [candidate(0, 4, 0.5), candidate(0, 4, 0.5), candidate(10, 14, 0.5)]
    texts = ["red", "blue", "red"]
    weights = importance(found, texts, QUERY, SHELVED, ColourEncoder(), WordSentences())
    assert weights == pytest.approx([1, 0.5, 0])
    alike = importance(found[:1], texts[:1], QUERY, SHELVED, ColourEncoder(), WordSentences())
    assert alike == pytest.approx([1])
    assert importance([], [], QUERY, SHELVED, ColourEncoder(), WordSentences()).shape == (0,)
    unseen = importance(found, texts, QUERY, film(20), ColourEncoder(), WordSentences())
    assert np.isfinite(unseen).all()
