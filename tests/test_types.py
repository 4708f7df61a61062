"""What is carried: spans and their arithmetic, frozen records, the report as JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError
from shelved import span, video

from vmr_agent.report import Coverage, Fault, RunReport, Step
from vmr_agent.types import (
    Candidate,
    Evidence,
    Moment,
    Span,
)

seconds = st.floats(0, 48 * 3600, allow_nan=False)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    start, end = sorted((draw(seconds), draw(seconds)))
    assume(end - start > 1e-6)
    return Span(start=start, end=end)


@pytest.mark.parametrize(
    ("start", "end"),
    [(1, 1), (2, 1), (-1, 1), (float("nan"), 1), (0, float("nan")), (0, float("inf"))],
)
def test_a_span_must_end_after_it_starts(start: float, end: float) -> None:
    with pytest.raises(ValidationError):
        Span(start=start, end=end)


def test_length_middle_and_overlap_by_hand() -> None:
    assert span(2, 5).length == 3
    assert span(2, 5).middle == 3.5
    assert span(2, 5).overlap(span(4, 9)) == 1
    assert span(2, 5).overlap(span(5, 9)) == 0
    assert span(0, 2).iou(span(1, 4)) == 0.25


@given(spans(), spans())
def test_overlap_is_a_share_of_both_and_the_same_from_either_side(one: Span, other: Span) -> None:
    assert one.overlap(other) == other.overlap(one)
    assert one.iou(other) == other.iou(one)
    assert 0 <= one.iou(other) <= 1
    assert one.iou(one) == 1
    assert (one.overlap(other) > 0) == (max(one.start, other.start) < min(one.end, other.end))


@given(spans(), spans())
def test_the_union_is_the_smallest_span_that_holds_both(one: Span, other: Span) -> None:
    both = one.union(other)
    assert both == other.union(one)
    assert {both.start, both.end} <= {one.start, one.end, other.start, other.end}
    assert both.overlap(one) == one.length
    assert both.overlap(other) == other.length


@given(spans(), st.floats(0, 1000))
def test_padding_grows_both_ends_but_not_before_zero(one: Span, by: float) -> None:
    wide = one.pad(by)
    assert wide.start == max(0, one.start - by)
    assert wide.end == one.end + by


@given(spans(), seconds)
def test_clamping_keeps_what_lies_within(one: Span, duration: float) -> None:
    if duration <= one.start:
        with pytest.raises(ValueError, match="must end after it starts"):
            one.clamp(duration)
    else:
        kept = one.clamp(duration)
        assert kept.start == one.start
        assert kept.end == min(one.end, duration)


def test_records_are_frozen_and_closed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        span(0, 1).start = 5  # type: ignore[misc]
    with pytest.raises(ValidationError, match="extra"):
        Span.model_validate({"start": 0, "end": 1, "middle": 0.5})
    with pytest.raises(ValidationError):
        Moment(span=span(0, 1), score=1.01)


def test_evidence_is_appended_and_nothing_is_rewritten() -> None:
    first = Evidence(source="speech", note="said", score=0.7)
    second = Evidence(source="caption", note="seen", score=0.2)
    third = Evidence(source="verification", note="verified", score=0.6)
    before = Candidate(span=span(0, 1), score=0.5).because(first)
    after = before.because(second, third)
    assert before.evidence == (first,)
    assert after.evidence == (first, second, third)
    assert isinstance(after, Candidate)
    assert (after.span, after.score) == (before.span, before.score)


def report() -> RunReport:
    why = Evidence(source="picture", note="looks like it", score=0.4, span=span(0, 3))
    return RunReport(
        status="found",
        query="a dog",
        video=video(),
        moments=(Moment(span=span(1.5, 3), score=0.75, evidence=(why,)),),
        rounds=2,
        faults=(Fault(room="listen", kind="no_audio", message="silent"),),
        steps=(Step(room="verify", seconds=0.1, made="1 moments"),),
        coverage=Coverage(picture=1, speech=0, text=0.5),
        models={"picture": "colours"},
        settings={"retrieve": {"top_k": 5}},
        version="0",
    )


def test_the_reports_json_has_the_shape_that_others_read() -> None:
    told = json.loads(report().model_dump_json())
    assert set(told) == {
        *("status", "query", "video", "moments", "rejected", "rounds", "faults", "steps"),
        *("coverage", "timing_quality", "models", "settings", "version"),
        *("prompts", "shelved"),
    }
    assert told["status"] == "found"
    assert told["moments"] == [
        {
            "span": {"start": 1.5, "end": 3.0},
            "score": 0.75,
            "evidence": [
                {
                    "source": "picture",
                    "note": "looks like it",
                    "score": 0.4,
                    "span": {"start": 0.0, "end": 3.0},
                }
            ],
        }
    ]
    seen = {"picture": 1.0, "speech": 0.0, "text": 0.5}
    assert told["coverage"] == {**seen, "closely": [], "passed_over": []}


def test_the_report_survives_a_round_trip() -> None:
    assert RunReport.model_validate_json(report().model_dump_json()) == report()


def test_a_printed_report_names_the_moment_and_the_fault() -> None:
    lines = str(report()).splitlines()
    assert lines[0] == "'a dog': 1 moment"
    assert "0:01.5 – 0:03.0  75%" in lines[1]
    assert lines[2] == "  note: silent"


def test_every_field_says_what_it_is() -> None:
    records = {type(value) for value in (report(), video(), span(0, 1), report().moments[0])}
    silent = [
        f"{record.__name__}.{name}"
        for record in records
        for name, field in record.model_fields.items()
        if not field.description
    ]
    assert not silent
