"""Comma-separated values (RFC 4180), a row a moment, best first; several reports make one sheet."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO

from vmr_agent.export.wording import clean, file_name
from vmr_agent.report import RunReport
from vmr_agent.show import clock, why

COLUMNS = ("query", "video", "rank", "start", "end", "score", "from", "to", "why", "fingerprint")
"""``start`` and ``end`` are seconds from the first picture, ``from`` and ``to`` are for people."""
FORMULA = tuple("=+-@＝＋－＠\t\r|%")
"""What spreadsheets take the rest of a cell for, which begins so."""


def csv_one(report: RunReport) -> str:
    """A header, and a row for each moment; the header alone where nothing was found."""
    return csv_many([report])


def csv_many(reports: Sequence[RunReport]) -> str:
    """The same of several."""
    out = StringIO()
    sheet = csv.writer(out)  # its own dialect is that of RFC 4180
    sheet.writerow(COLUMNS)
    for report in reports:
        ranked = sorted(report.moments, key=lambda each: -each.score)
        for rank, each in enumerate(ranked, 1):
            span = each.span
            sheet.writerow(
                [
                    _cell(report.query),
                    _cell(file_name(report.video)),
                    rank,
                    f"{span.start:.3f}",
                    f"{span.end:.3f}",
                    f"{each.score:.4f}",
                    clock(span.start),
                    clock(span.end),
                    _cell(why(each)),
                    _cell(report.video.fingerprint),
                ]
            )
    return out.getvalue()


def _cell(text: str) -> str:
    """One line that is text to every spreadsheet, by the apostrophe that says so."""
    told = clean(text)
    return f"'{told}" if told.startswith(FORMULA) else told
