"""A page that stands alone: for a browser, a mail, an archive."""

from __future__ import annotations

from vmr_agent.display import page
from vmr_agent.report import RunReport


def html(report: RunReport) -> str:
    """One HTML document; it plays the film from where the film lay, and asks for nothing else."""
    return page(report)
