"""A report as one HTML page: nothing outside it is asked for, and no script is in it.

What queries, films and evidence say is data: every value that a template prints goes through
`_shown`, which takes out what a browser or an eye could be led astray by, and is then escaped.
"""

from __future__ import annotations

import os
from contextlib import suppress
from math import isnan
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from evals.logbook import is_run
from evals.reporting import drawing
from evals.reporting.content import Content
from evals.reporting.errors import ReportError
from evals.reporting.intervals import Estimate
from evals.reporting.spending import Spent
from vmr_agent.metrics.bootstrap import DRAWS
from vmr_agent.show import clock, plain

MOST = 3_000_000
"""Bytes of a page: single samples are left out until it is no larger."""
LONGEST = 400
"""Letters of anything that is told."""
TEMPLATES = Path(__file__).parent / "templates"


def page(told: Content) -> str:
    """The whole page."""
    most = max(len(told.worst), len(told.differing))
    while len((text := _render(told, most)).encode()) > MOST:
        if not most:
            raise ReportError("the runs have more settings and kinds than a page can hold")
        most //= 2
    return text


def check(path: Path) -> None:
    """Raises ReportError where a page cannot be written, before the work is done."""
    try:
        if path.is_dir():
            raise ReportError(f"{path} is a folder; give --out a file to write")
        if path.is_file() and is_run(path):
            raise ReportError(f"{path} is a run; give --out another file")
        writable = path.parent.is_dir() and os.access(path.parent, os.W_OK)
    except OSError as error:
        raise ReportError(f"{path} cannot be written: {error.strerror}") from error
    if not writable:
        raise ReportError(f"{path.parent} is no folder that can be written to; give another --out")


def write(path: Path, told: Content) -> int:
    """The page, whole or not at all; returns its bytes. Raises ReportError."""
    whole = page(told).encode()
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(whole)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise ReportError(f"{path} cannot be written: {error.strerror}") from error
    return len(whole)


def _render(told: Content, most: int) -> str:
    shorter = told._replace(worst=told.worst[:most], differing=told.differing[:most])
    side = told.sides[0]
    spent = [each.spent for each in told.sides] if len(told.sides) > 1 else told.kinds
    plots = {
        "Seconds for a query": drawing.costs(spent, _seconds, "s"),
        "US dollars for a query": drawing.costs(spent, _money, "$"),
    }
    return (
        _environment()
        .get_template("page.html")
        .render(
            told=shorter,
            draws=DRAWS,
            one=side if len(told.sides) == 1 else None,
            spent=spent,
            plots={name: plot for name, plot in plots.items() if plot},
            curves=[(s, drawing.reliability(s.trust)) for s in told.sides if s.trust],
        )
    )


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "two": _two,
        "between": _between,
        "signed": _signed,
        "plus": _plus,
        "clock": clock,
    }
    made.tests["known"] = _known
    return made


def _shown(value: object) -> object:
    """Of text one line of what can be seen, and not too much; escaping comes afterwards."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    more = len(value) - LONGEST
    short = f"{value[:LONGEST]}… and {more} letters more" if more > 0 else value
    return plain(short)


def _known(found: Estimate | None) -> bool:
    return found is not None and not isnan(found.value)


def _two(value: float) -> str:
    return "–" if isnan(value) else f"{value:.2f}"


def _plus(value: float) -> str:
    """Two decimals with a sign, a minus as wide as a plus."""
    return f"{value:+.2f}".replace("-", "−")


def _between(found: Estimate) -> str:
    """Where it lies, empty if that is not known."""
    return "" if isnan(found.low) else f"{found.low:.1f} – {found.high:.1f}"


def _signed(found: Estimate) -> str:
    if isnan(found.low):
        return ""
    return f"{found.low:+.1f} to {found.high:+.1f}".replace("-", "−")


def _seconds(spent: Spent) -> float:
    return spent.seconds


def _money(spent: Spent) -> float | None:
    return spent.money
