"""Every form in which an answer can be taken away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec

from vmr_agent.report import RunReport

Writer = Callable[[RunReport], str]


def formats() -> Mapping[str, Writer]:
    """A writer for each format, by name."""
    if find_spec("vmr_agent.export") is None:
        return {"json": lambda report: report.model_dump_json(indent=2) + "\n"}
    found: Mapping[str, Writer] = import_module("vmr_agent.export").FORMATS
    return found
