"""listen: how loud each second is, how much of it is speech, what else is heard (IMG, SMART)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from vmr_agent.artefacts import Sounds
from vmr_agent.intervals import Spans, joined
from vmr_agent.playback import RATE, Block
from vmr_agent.protocols import Arrays, Listener
from vmr_agent.timeline import HOLE
from vmr_agent.types import Span


def listen_block(block: Block, listener: Listener) -> tuple[Sounds, Arrays]:
    """Array ``levels`` (S, 2 + C) of one block, of whole seconds unless it is the last."""
    end = block.start + len(block.samples) / RATE
    levels = listener.listen(block.samples, RATE, block.voice)
    sounds = Sounds(duration=end, classes=listener.classes, holes=block.holes)
    return sounds, {"levels": levels.astype(np.float16)}


def listen(blocks: Iterable[tuple[Sounds, Arrays]], listener: Listener) -> tuple[Sounds, Arrays]:
    """The same for the film, from all its blocks in order; none for a film without sound."""
    parts = list(blocks)
    if not parts:
        silence = np.zeros((0, 2 + len(listener.classes)), np.float16)
        return Sounds(duration=0, classes=listener.classes), {"levels": silence}
    levels = np.concatenate([arrays["levels"] for _, arrays in parts])
    holes = _large(hole for sounds, _ in parts for hole in sounds.holes)
    return parts[-1][0].model_copy(update={"holes": holes}), {"levels": levels}


def _large(holes: Iterable[Span]) -> Spans:
    """Those worth telling: noise that is taken for sound now and then does not divide them."""
    wide = joined(Span(start=hole.start, end=hole.end + HOLE) for hole in holes)
    found = (Span(start=each.start, end=each.end - HOLE) for each in wide)
    return tuple(each for each in found if each.length > HOLE)
