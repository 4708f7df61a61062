"""The settings that a command line asks for: ``--set verify.accept=0.6 --without caption``."""

from __future__ import annotations

import argparse

from vmr_agent.chosen import chosen as chosen


def add_options(parser: argparse.ArgumentParser) -> None:
    """``--set`` and ``--without``, each as often as one likes."""
    add = parser.add_argument
    add("--set", action="append", default=[], metavar="SETTING=VALUE", help="retrieve.top_k=50")
    add("--without", action="append", default=[], metavar="ROOM", help="leave a room's work out")
