"""An answer inside a notebook: the page in a frame that can reach neither notebook nor kernel.

The frame is sandboxed, without an origin of its own: styles and scripts of the notebook and of two
reports never meet, and whatever a film says, nothing of it can act in the notebook's name. For the
same reason the frame cannot ask the notebook's server for the film: a small one is carried along,
of a larger one there are pictures, and ``page`` has the player.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from vmr_agent.display.page import page
from vmr_agent.display.player import embedded
from vmr_agent.panorama import Panorama
from vmr_agent.report import RunReport
from vmr_agent.show import sentence

FILM = 4_000_000
"""Bytes of a film that is carried in a notebook: of larger ones, notebooks grow too heavy."""
CAP = 1_000_000
"""Bytes of the rest."""
HIGH = 820
"""Pixels of the frame."""


def fragment(
    report: RunReport, panorama: Panorama | None = None, *, video: str | None = None
) -> str:
    """HTML to be put into another page, which it leaves alone.

    ``video`` is an address that can be fetched without cookies; None carries the film along if it
    is small. Where frames are taken out, as on some code hosts, a few lines of text are left.
    """
    address = video or embedded(Path(report.video.path), FILM) or ""
    inside = page(report, panorama, video=address, cap=CAP, embedded=True)
    lines = escape(sentence(report)[:2000])
    return (
        '<details style="overflow-wrap:anywhere">'
        f'<summary style="cursor:pointer">{escape(_summary(report))}</summary>'
        f'<pre style="white-space:pre-wrap">{lines}</pre></details>'
        f'<iframe title="{escape(_summary(report))}" sandbox="allow-scripts" loading="lazy" '
        f'style="width:100%;height:{HIGH}px;border:0;border-radius:10px" '
        f'srcdoc="{escape(inside)}"></iframe>'
    )


def _summary(report: RunReport) -> str:
    return sentence(report).partition("\n")[0][:300]
