"""listen: how loud each second is, and how much of it is speech (IMG, SMART: audio)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from vmr_agent.artefacts import Sounds
from vmr_agent.protocols import Array, Arrays, Listener

RATE = 16_000  # samples a second


def listen(
    blocks: Iterable[tuple[float, Array]], listener: Listener, tick: Callable[[float], None]
) -> tuple[Sounds, Arrays]:
    """Array ``levels`` (S, 2) for consecutive ``(start, samples)`` blocks of whole seconds."""
    rows: list[Array] = []
    duration = 0.0
    for start, samples in blocks:
        rows.append(listener.listen(samples, RATE))
        duration = start + len(samples) / RATE
        tick(duration)
    levels = np.concatenate(rows) if rows else np.zeros((0, 2), np.float32)
    return Sounds(duration=duration), {"levels": levels}
