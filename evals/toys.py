"""Toys trained by the command line, twice: how long it takes, and whether the bytes are the same.

python -m evals.prove training
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vmr_agent.grounding.training.job import READERS

WORDS = "--data simulated:120 --epochs 6 --json --out".split()
MADE = ("weights.safetensors", "card.json")
LONGEST = 60.0
"""Seconds that a toy may be trained for."""


def toys() -> dict[str, Any]:
    """For each network: seconds, whether it is the same bytes again, and its card's metrics."""
    with tempfile.TemporaryDirectory() as folder:
        return {network: _toy(network, Path(folder)) for network in READERS}


def well(found: Mapping[str, Any]) -> bool:
    """Whether all are the same again, and soon done."""
    return all(toy["same bytes again"] and toy["seconds"] < LONGEST for toy in found.values())


def _toy(network: str, folder: Path) -> dict[str, Any]:
    one, other = folder / network, folder / f"{network}-again"
    began = time.monotonic()
    _trained(network, one)
    seconds = round(time.monotonic() - began, 1)
    card = _trained(network, other)
    same = all((one / name).read_bytes() == (other / name).read_bytes() for name in MADE)
    return {"seconds": seconds, "same bytes again": same, **card["metrics"]}


def _trained(network: str, out: Path) -> dict[str, Any]:
    """The card of the network that was trained into the folder."""
    command = [sys.executable, "-m", "vmr_agent", "train", network, *WORDS, str(out)]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    card: dict[str, Any] = json.loads(told)["card"]
    return card
