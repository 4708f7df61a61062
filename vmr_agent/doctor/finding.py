"""What the doctor found, one thing at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

MARKS = {"good": "✓", "missing": "·", "bad": "✗"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    part: str
    """What it belongs to: system, packages, extras, device, codecs, models, hub, chat, disk."""
    name: str
    """What it is."""
    state: Literal["good", "missing", "bad"]
    """``missing`` is not there and not needed; ``bad`` keeps something from working."""
    told: str
    """What was found, in words."""
    cure: str | None = None
    """What to do about it; always there when it is bad."""
    figures: Mapping[str, Any] = field(default_factory=dict)
    """The numbers behind it, in bytes and seconds, and names."""

    def line(self) -> str:
        """For people."""
        told = f": {self.told}" if self.told else ""
        cure = f": {self.cure}" if self.cure else ""
        return f"{MARKS[self.state]} {self.name}{told}{cure}"

    def record(self) -> dict[str, Any]:
        """For programs."""
        told = {"part": self.part, "name": self.name, "state": self.state, "told": self.told}
        return {**told, "cure": self.cure, "figures": dict(self.figures)}


def size(amount: float) -> str:
    """Bytes for people: ``1.2 GB``, ``45 MB``."""
    return f"{amount / 1e9:.1f} GB" if amount >= 1e9 else f"{amount / 1e6:.0f} MB"
