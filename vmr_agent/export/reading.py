"""Reports read back from files: an object, a list of them, or one a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from vmr_agent.errors import ExportError
from vmr_agent.report import RunReport


def read(text: str, name: str = "the text") -> list[RunReport]:
    """All reports in it, one at least.

    Raises ExportError, which says in one line where it is none; ``name`` is what it is read from.
    """
    reports = [_report(value, f"{name}:{line}") for line, value in _values(text, name)]
    if not reports:
        raise ExportError(f"{name} is empty: give what vmr find --json printed")
    return reports


def _values(text: str, name: str) -> Iterator[tuple[int, Any]]:
    """(line, value) of each JSON value, those of a list one by one."""
    decoder, at, line, told = json.JSONDecoder(), 0, 1, 0
    while at < len(text):
        if text[at].isspace() or text[at] == "\ufeff":
            at += 1
            continue
        line, told = line + text.count("\n", told, at), at
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            line = getattr(error, "lineno", line)
            hint = "this is no JSON; give what vmr find --json printed"
            raise ExportError(f"{name}:{line}: {hint}") from error
        for each in value if isinstance(value, list) else [value]:
            yield line, each


def _report(value: Any, where: str) -> RunReport:
    try:
        return RunReport.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        what = ".".join(map(str, first["loc"]))
        told = f"{f'{what}: ' if what else ''}{first['msg']}"
        raise ExportError(f"{where}: no report of vmr find --json ({told})") from error
