"""Single samples for people to look at: those that went worst, and those in which runs differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from evals.logbook import Sample
from evals.reporting.figures import Floats, Known
from evals.reporting.runs import Run, shared, told
from evals.reporting.strips import Strip, strip, times
from evals.telling import nearest
from vmr_agent import RunReport
from vmr_agent.show import clock, when
from vmr_agent.types import Evidence, Moment

WORST = 20
SHOWN = 4
"""Moments of a sample whose evidence is told."""
REASONS = 10
"""Pieces of evidence of a moment, the last ones: they have seen the most."""
FAULTS = 6


class Reason(NamedTuple):
    """A piece of evidence."""

    source: str
    note: str
    score: float
    span: str
    """When, where it is not all of the moment."""


class Answer(NamedTuple):
    """A moment, and why."""

    when: str
    score: float
    iou: float
    """With the nearest true moment."""
    accepted: bool
    """False for the best that was turned down."""
    reasons: tuple[Reason, ...]
    left_out: int
    """Pieces of evidence that are not told."""


class Case(NamedTuple):
    """A sample."""

    id: str
    video: str
    query: str
    group: str
    verdict: str
    """What went wrong, or how runs differ, in a few words."""
    truth: list[str]
    strip: Strip
    answers: tuple[Answer, ...]
    faults: tuple[str, ...]
    lost: str
    status: str
    seconds: float


def worth(known: Known) -> Floats:
    """(Q,) from 0 to 1: average precision; of an absent query whether it found nothing."""
    precision, rejected = known.figures["mAP"].value, known.figures["rejection"].value
    return np.where(known.present, precision, rejected)


def worst(run: Run, known: Known) -> list[Case]:
    """The samples that are worth least, those first in which a wrong answer was surest."""
    value = worth(known)
    sure = np.array([_sure(told(sample)) for sample in run.samples])
    order = np.lexsort((-sure, value))[:WORST]
    return [
        _case(run.samples[n], _verdict(run.samples[n], known, n)) for n in order if value[n] < 1
    ]


class Apart(NamedTuple):
    """A sample that two runs answered differently."""

    gain: float
    """Of the second over the first, in points of average precision (rejection if absent)."""
    case: Case
    """The first run's, drawn with both."""
    others: tuple[Answer, ...]
    """The second's."""


def differing(first: Run, other: Run, knowns: Sequence[Known]) -> list[Apart]:
    """Those in which two runs differ most, gains first."""
    here, there = shared(first, other)
    gains = worth(knowns[1])[there] - worth(knowns[0])[here]
    order = np.argsort(-np.abs(gains), kind="stable")[:WORST]
    kept = sorted((n for n in order if gains[n]), key=lambda n: -gains[n])
    return [_apart(first.samples[here[n]], other.samples[there[n]], float(gains[n])) for n in kept]


def _apart(mine: Sample, its: Sample, gain: float) -> Apart:
    rows = [("first", told(mine).moments), ("second", told(its).moments)]
    verdict = f"{100 * gain:+.1f} points in the second"
    case = _case(mine, verdict)._replace(strip=strip(mine, rows))
    return Apart(100 * gain, case, _answers(its))


def _case(sample: Sample, verdict: str) -> Case:
    report = told(sample)
    rows = [("answer", report.moments)]
    if report.rejected and not report.moments:
        rows = [("turned down", (report.rejected,))]
    faults = [f"{fault.room}: {fault.message}" for fault in report.faults]
    more = len(faults) - FAULTS
    return Case(
        sample.id,
        sample.video,
        sample.query,
        sample.group,
        verdict,
        times(sample.truth),
        strip(sample, rows),
        _answers(sample),
        (*faults[:FAULTS], *([f"and {more} more"] if more > 0 else [])),
        sample.lost,
        report.status.replace("_", " "),
        sample.seconds,
    )


def _answers(sample: Sample) -> tuple[Answer, ...]:
    report = told(sample)
    answers = [_answer(sample, moment, True) for moment in report.moments[:SHOWN]]
    if report.rejected:
        answers.append(_answer(sample, report.rejected, False))
    return tuple(answers)


def _answer(sample: Sample, moment: Moment, accepted: bool) -> Answer:
    told_last = moment.evidence[-REASONS:]
    return Answer(
        when(moment),
        moment.score,
        nearest(moment.span, sample.truth),
        accepted,
        tuple(_reason(each) for each in told_last),
        len(moment.evidence) - len(told_last),
    )


def _reason(why: Evidence) -> Reason:
    span = f"{clock(why.span.start)} – {clock(why.span.end)}" if why.span else ""
    return Reason(why.source, why.note, why.score, span)


def _verdict(sample: Sample, known: Known, place: int) -> str:
    report = told(sample)
    if not sample.truth:
        return f"absent, and found with {report.moments[0].score:.0%}"
    if not report.moments:
        return "there, and not found"
    first = known.figures["mIoU"].value[place]
    precision = 100 * known.figures["mAP"].value[place]
    return f"first window: IoU {first:.2f}; average precision {precision:.1f}"


def _sure(report: RunReport) -> float:
    """Of the answer, be it that nothing is there."""
    if report.moments:
        return report.moments[0].score
    return 1 - report.rejected.score if report.rejected else 1.0
