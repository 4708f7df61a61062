"""An answer inside a notebook: the page in a frame that can reach neither notebook nor kernel.

The frame is sandboxed, without an origin of its own: styles and scripts of the notebook and of two
reports never meet, and whatever a film says, nothing of it can act in the notebook's name. For the
same reason the frame cannot ask the notebook's server for the film: of that it carries the moments
along, as they are in the file, so that each can be played wherever the notebook goes.
"""

from __future__ import annotations

from html import escape

from vmr_agent.display.excerpts import excerpts
from vmr_agent.display.page import page
from vmr_agent.panorama import Panorama
from vmr_agent.report import RunReport
from vmr_agent.show import sentence

FILM = 1_500_000
"""Bytes of film that a report carries into a notebook. Half a dozen moments of a web video are less
than that; a notebook with four reports stays under 10 MB, which code hosts still show and reviewers
still open. With the whole demo film (2.4 MB) in each, four came to 14 MB."""
CAP = 800_000
"""Bytes of the rest: words, curves and thumbnails."""
HIGH = 820
"""Pixels of the frame."""


def fragment(
    report: RunReport,
    panorama: Panorama | None = None,
    *,
    video: str | None = None,
    carry: int = FILM,
) -> str:
    """HTML to be put into another page, which it leaves alone.

    At most ``carry`` bytes of film go along: all of a small one, else the best moments as they fit;
    0 for no player. ``video`` is an address instead that can be fetched without cookies. Where
    frames are taken out, as on some code hosts, a few lines of text are left.
    """
    film = video if video is not None else excerpts(report, carry) if carry else ""
    inside = page(report, panorama, video=film or "", cap=CAP, embedded=True)
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
