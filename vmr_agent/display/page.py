"""An answer as one HTML document: nothing outside it is asked for but the film, if it is played.

What queries, films and evidence say is data: every value that a template prints goes through
`_shown`, which takes out what a browser or an eye could be led astray by, and is then escaped. The
one script is named in the page's own Content-Security-Policy by its digest; no other would run.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from vmr_agent.display import drawing, player
from vmr_agent.display.told import told
from vmr_agent.panorama import Panorama, gather
from vmr_agent.report import RunReport
from vmr_agent.show import amount, plain

CAP = 3_000_000
"""Bytes of a page without the film: single entries are left out until it is no larger."""
FEWEST = 4
"""Entries of a list below which nothing more is left out."""
LONGEST = 400
"""Letters of anything that is told."""
TEMPLATES = Path(__file__).parent / "templates"


def page(
    report: RunReport,
    panorama: Panorama | None = None,
    *,
    video: str | player.Film | None = None,
    cap: int = CAP,
    embedded: bool = False,
) -> str:
    """The answer as an HTML document of at most ``cap`` bytes, the film not counted.

    ``panorama`` is what lies beside it (``vmr_agent.panorama.gather``, the default). ``video`` is
    the address that the player gets: None is the file where it was, "" is no player. ``embedded``
    says that the page will be inside another one. Raises CallerError for an address that is none.
    """
    around = gather(report) if panorama is None else panorama
    film = video if isinstance(video, player.Film) else player.film(report, video)
    most = max(len(report.moments), len(around.utterances), len(around.texts), FEWEST, 50)
    pictures = True
    while True:
        text = _render(report, around, film, most, pictures, embedded)
        if len(text.encode()) - (film.size if film else 0) <= cap:
            return text
        if most > FEWEST:
            most = max(FEWEST, most // 2)
        elif pictures:
            pictures = False
        else:
            return text  # what is left is bounded: see FEWEST and LONGEST


def _render(
    report: RunReport,
    around: Panorama,
    film: player.Film | None,
    most: int,
    pictures: bool,
    embedded: bool,
) -> str:
    script, style = _part("page.js"), _part("page.css")
    media = f"media-src {film.allowed}; " if film else ""
    policy = (
        f"default-src 'none'; img-src data:; {media}script-src {_digest(script)}; "
        f"style-src {_digest(style)}; base-uri 'none'; form-action 'none'"
    )
    return (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            told=told(report, around, most, pictures),
            line=drawing.timeline(report, around, most),
            film=film,
            lead=report.video.lead,
            policy=Markup(policy),
            script=Markup(script),
            style=Markup(style),
            embedded=embedded,
            bare=around == Panorama(),
        )
    )


@cache
def _part(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    found = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(found).decode()}'"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"amount": amount, "safe_uri": Markup, "uri": _uri}
    return made


def _uri(address: str) -> Markup:
    """Escaped, but neither shortened nor looked through: it may be a film."""
    return Markup(escape(address))


def _shown(value: object) -> object:
    """Of text one line of what can be seen, and not too much; escaping comes afterwards."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    more = len(value) - LONGEST
    short = f"{value[:LONGEST]}… and {more} letters more" if more > 0 else value
    return plain(short)
