"""QVHighlights' submission rows, as ``vmr score`` and the benchmark's server read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePosixPath

from vmr_agent.export.wording import file_name
from vmr_agent.metrics.qvhighlights import MOST
from vmr_agent.report import RunReport
from vmr_agent.types import Moment

Windows = list[list[float]]
"""Start and end in seconds, score; best first."""


def windows(report: RunReport) -> Windows:
    """What was found, at most ten; nothing where nothing was."""
    ranked = sorted(report.moments, key=lambda each: -each.score)[:MOST]
    return [window(each) for each in ranked]


def window(moment: Moment) -> list[float]:
    """Seconds to the millisecond, and the score."""
    return rounded(moment.span.start, moment.span.end, moment.score)


def rounded(start: float, end: float, score: float) -> list[float]:
    """As they are written."""
    return [round(start, 3), round(end, 3), round(score, 4)]


def jsonl_one(report: RunReport) -> str:
    """One line."""
    return jsonl_many([report])


def jsonl_many(reports: Sequence[RunReport]) -> str:
    """A line each. ``qid`` is the number of the line: a report does not know of any other."""
    rows = (
        {
            "qid": number,
            "query": report.query,
            "vid": PurePosixPath(file_name(report.video)).stem,
            "pred_relevant_windows": windows(report),
        }
        for number, report in enumerate(reports, 1)
    )
    return "".join(json.dumps(row) + "\n" for row in rows)
