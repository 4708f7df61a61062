"""Captions made of evidence."""

from __future__ import annotations

from shelved import candidate, film, line, say

from vmr_agent.testing import ColourEncoder
from vmr_agent.tools import caption

SHELVED = film(
    20,
    colours=[*["red"] * 10, *["blue"] * 10],
    said=[say(1, "hello there"), say(15, "good bye")],
    written=[line(0, 5, "WAY OUT"), line(3, 6, "EXIT")],
)


def test_a_caption_says_what_is_seen_heard_and_read_there() -> None:
    told = caption(candidate(0, 4, 0.7), SHELVED, ColourEncoder())
    (reason,) = told.evidence
    assert reason.source == "caption"
    assert reason.note.startswith("looks like red, ")
    assert reason.note.endswith("; says “hello there”; reads “WAY OUT / EXIT”")
    assert reason.score == 0.7
    assert (told.span, told.score) == (candidate(0, 4, 0.7).span, 0.7)


def test_only_what_falls_into_it_counts() -> None:
    (reason,) = caption(candidate(10, 14, 0.7), SHELVED, ColourEncoder()).evidence
    assert reason.note.startswith("looks like blue, ")
    assert "says" not in reason.note
    assert "reads" not in reason.note


def test_nothing_to_tell_leaves_the_candidate_as_it_was() -> None:
    before = candidate(0, 4, 0.7)
    assert caption(before, film(20), ColourEncoder()) is before


def test_long_speech_is_cut_at_a_word() -> None:
    text = " ".join(["word"] * 60)
    (reason,) = caption(
        candidate(0, 9, 0.7), film(60, said=[say(0, text)]), ColourEncoder()
    ).evidence
    assert reason.note.endswith("word…”")
    assert len(reason.note) < 140


def test_earlier_evidence_is_kept() -> None:
    once = caption(candidate(0, 4, 0.7), SHELVED, ColourEncoder())
    twice = caption(once, SHELVED, ColourEncoder())
    assert twice.evidence[:1] == once.evidence
    assert len(twice.evidence) == 2
