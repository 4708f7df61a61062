"""embed_frames: the strip becomes one unit vector per sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from vmr_agent.artefacts import Vectors
from vmr_agent.protocols import Array, Arrays, Encoder, Image
from vmr_agent.strip import Reel

BATCH = 32  # images a batch: larger ones were no faster on two cores


def embed_frames(
    strip: Reel, encoder: Encoder, tick: Callable[[float], None]
) -> tuple[Vectors, Arrays]:
    """Vectors of all samples: arrays ``times`` (N,) and ``vectors`` (N, D), float32 unit rows."""
    rows: list[Array] = []
    for done, batch in _batches(strip):
        rows.append(encoder.look(batch))
        tick(float(strip.times[done - 1]))
    vectors = np.concatenate(rows) if rows else np.zeros((0, 0), np.float32)
    return Vectors(encoder=encoder.name), {"times": strip.times, "vectors": vectors}


def _batches(strip: Reel) -> Iterator[tuple[int, list[Image]]]:
    batch: list[Image] = []
    for done, image in enumerate(strip.images(), 1):
        batch.append(image)
        if len(batch) == BATCH or done == len(strip):
            yield done, batch
            batch = []
