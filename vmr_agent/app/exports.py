"""Every form in which an answer can be taken away."""

from __future__ import annotations

from vmr_agent.display import page
from vmr_agent.export import FORMATS
from vmr_agent.report import RunReport


def told(report: RunReport, form: str) -> str:
    """The answer in the format of that name.

    A page has no player: whoever takes it away need not have the film where this machine has it.
    """
    return page(report, video="") if form == "html" else FORMATS[form].one(report)
