"""Every form in which an answer can be taken away."""

from __future__ import annotations

from pathlib import Path

from vmr_agent.display import page
from vmr_agent.export import FORMATS
from vmr_agent.report import RunReport


def told(report: RunReport, form: str) -> str:
    """The answer in the format of that name.

    Where the film and the rest lie on this machine is nobody's business elsewhere; a page has no
    player.
    """
    film = report.video.model_copy(update={"path": Path(report.video.path).name})
    bare = report.model_copy(update={"video": film, "settings": {}})
    return page(bare, video="") if form == "html" else FORMATS[form].one(bare)
