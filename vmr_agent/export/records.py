"""JSON, the report itself: what ``vmr find --json`` prints, and ``read`` reads again."""

from __future__ import annotations

import json
from collections.abc import Sequence

from vmr_agent.report import RunReport


def json_one(report: RunReport) -> str:
    """One object, in ASCII."""
    return json.dumps(report.model_dump(mode="json"), indent=2) + "\n"


def json_many(reports: Sequence[RunReport]) -> str:
    """A list of them."""
    return json.dumps([each.model_dump(mode="json") for each in reports], indent=2) + "\n"
