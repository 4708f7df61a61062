"""Coarse clips: padded, merged, nothing forgotten."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from shelved import candidate, span

from vmr_agent.settings import TrimSettings
from vmr_agent.tools import trim
from vmr_agent.types import Candidate, Evidence

SETTINGS = TrimSettings(pad=2)


def noted(start: float, end: float, score: float) -> Candidate:
    note = f"{start}-{end}"
    return candidate(start, end, score).because(Evidence(source="picture", note=note, score=score))


def test_clips_are_padded_within_the_film_and_best_first() -> None:
    clips = trim((noted(1, 4, 0.4), noted(18, 19, 0.8)), 20, SETTINGS)
    assert [(clip.span, clip.score) for clip in clips] == [(span(16, 20), 0.8), (span(0, 6), 0.4)]


def test_those_that_touch_are_one_with_the_better_score_and_all_evidence() -> None:
    (clip,) = trim((noted(10, 12, 0.8), noted(5, 7, 0.4)), 30, SETTINGS)
    assert clip.span == span(3, 14)
    assert clip.score == 0.8
    assert [reason.note for reason in clip.evidence] == ["10-12", "5-7"]


def test_one_inside_another_does_not_shrink_it() -> None:
    (clip,) = trim((noted(5, 20, 0.4), noted(8, 9, 0.9)), 30, SETTINGS)
    assert (clip.span, clip.score) == (span(3, 22), 0.9)


def test_a_gap_keeps_them_apart() -> None:
    assert len(trim((noted(5, 7, 0.4), noted(11.5, 12, 0.8)), 30, SETTINGS)) == 2
    assert trim((), 30, SETTINGS) == ()


some = st.builds(
    lambda start, length, score: noted(start, start + length, score),
    st.floats(0, 90),
    st.floats(0.5, 9),
    st.floats(0, 1),
)


@given(st.lists(some, max_size=8))
def test_clips_are_disjoint_and_hold_every_candidate(found: list[Candidate]) -> None:
    clips = trim(tuple(found), 100, SETTINGS)
    by_time = sorted(clips, key=lambda clip: clip.span.start)
    for one, other in pairwise(by_time):
        assert one.span.end < other.span.start
    for each in found:
        (host,) = [clip for clip in clips if clip.span.overlap(each.span) > 0]
        assert host.span.start <= each.span.start
        assert each.span.end <= host.span.end
        assert host.score >= each.score
        assert set(each.evidence) <= set(host.evidence)
    assert sum(len(clip.evidence) for clip in clips) == len(found)
    assert [clip.score for clip in clips] == sorted((c.score for c in clips), reverse=True)
