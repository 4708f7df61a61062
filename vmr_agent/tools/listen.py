"""listen: how loud each second is, how much of it is speech, what else is heard (IMG, SMART)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from vmr_agent.artefacts import Sounds
from vmr_agent.playback import RATE, Block
from vmr_agent.protocols import Arrays, Listener


def listen_block(block: Block, listener: Listener) -> tuple[Sounds, Arrays]:
    """Array ``levels`` (S, 2 + C) of one block, of whole seconds unless it is the last."""
    end = block.start + len(block.samples) / RATE
    levels = listener.listen(block.samples, RATE, block.voice)
    return Sounds(duration=end, classes=listener.classes), {"levels": levels.astype(np.float16)}


def listen(blocks: Iterable[tuple[Sounds, Arrays]], listener: Listener) -> tuple[Sounds, Arrays]:
    """The same for the film, from all its blocks in order; none for a film without sound."""
    parts = list(blocks)
    if not parts:
        silence = np.zeros((0, 2 + len(listener.classes)), np.float16)
        return Sounds(duration=0, classes=listener.classes), {"levels": silence}
    levels = np.concatenate([arrays["levels"] for _, arrays in parts])
    return parts[-1][0], {"levels": levels}
