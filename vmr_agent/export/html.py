"""A page that needs nothing but itself, the one that notebooks show."""

from __future__ import annotations

from importlib import import_module

from vmr_agent.report import RunReport


def html(report: RunReport) -> str:
    """The page, with what is still on the shelf about the film."""
    # Only here: it loads what draws, which no other format needs.
    return str(import_module("vmr_agent.display").page(report))
