"""embed_frames: what samples show becomes unit vectors, near-identical neighbours one (SMORE)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from vmr_agent.artefacts import Vectors
from vmr_agent.compress import compress
from vmr_agent.playback import Reel
from vmr_agent.protocols import Arrays, Encoder
from vmr_agent.settings import EmbedSettings

BATCH = 16  # images given to the encoder at once, and between two looks at whether to go on


def embed_reel(
    reel: Reel, encoder: Encoder, settings: EmbedSettings, tick: Callable[[float], None]
) -> tuple[Vectors, Arrays]:
    """Arrays ``times`` (G,) and ``vectors`` (G, D) float16 of one reel's samples."""
    rows = []
    for first in range(0, len(reel.samples), BATCH):
        batch = reel.samples[first : first + BATCH]
        tick(batch[0].time)
        rows.append(encoder.look([sample.image for sample in batch]))
    times = np.asarray([sample.time for sample in reel.samples], np.float64)
    vectors = np.concatenate(rows) if rows else np.zeros((0, 1), np.float32)
    cuts = np.asarray(reel.cuts, np.float64)
    groups = compress(times, vectors, cuts, settings.alike, settings.energy)
    return Vectors(encoder=encoder.name), {"times": groups.starts, "vectors": groups.vectors}


def embed_frames(
    reels: Iterable[tuple[Vectors, Arrays]], encoder: Encoder
) -> tuple[Vectors, Arrays]:
    """The same for the film, from all its reels in order."""
    parts = [arrays for _, arrays in reels if len(arrays["times"])]
    nothing: Arrays = {"times": np.zeros(0, np.float64), "vectors": np.zeros((0, 0), np.float16)}
    joined = {key: np.concatenate([part[key] for part in parts or [nothing]]) for key in nothing}
    return Vectors(encoder=encoder.name), joined
