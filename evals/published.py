"""Published features of films and queries, as HERO's layout has them, read and checked.

clip_features/VID.npz            features (T, D): CLIP, a row for each clip of a film
slowfast_features/VID.npz        features (T, E): SlowFast; the folder may be missing
clip_text_features/qidQID.npz    pooler_output (D,): CLIP's text tower, of a query
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from vmr_agent import VmrError
from vmr_agent.library import DAMAGE
from vmr_agent.protocols import Array

FILMS, MOTION, TEXTS = "clip_features", "slowfast_features", "clip_text_features"
APART = 2  # clips by which two extractors may differ at the end of a film
UNUSUAL = 1.0  # standard deviations above the mean from which a change of motion is a cut


class FeatureError(VmrError):
    """A file of features that is none; the message names it."""

    exit_code = 2


def find(folder: Path, films: Iterable[str]) -> dict[str, Path]:
    """Those of the films that have features. Raises FeatureError without the folder."""
    if not (folder / FILMS).is_dir():
        raise FeatureError(f"{folder} has no folder {FILMS} in it")
    paths = {film: folder / FILMS / f"{film}.npz" for film in films}
    return {film: path for film, path in paths.items() if path.is_file()}


def text_file(folder: Path, query: str) -> Path:
    """Where the features of a query are, if there are any."""
    return folder / TEXTS / f"qid{query}.npz"


def rows(path: Path) -> Array:
    """(T, D) float32 unit rows of a film. Raises FeatureError."""
    found = _read(path, "features")
    if found.ndim != 2 or not found.size:
        raise FeatureError(f"{path}: features have the shape {found.shape}, not (clips, numbers)")
    return _unit(found)


def text(path: Path) -> Array:
    """(D,) float32, the unit vector of a query. Raises FeatureError."""
    found = np.atleast_1d(_read(path, "pooler_output"))
    if not found.size or found.size != found.shape[-1]:
        raise FeatureError(f"{path}: pooler_output has the shape {found.shape}, not (numbers,)")
    return _unit(found.reshape(-1))


def film(folder: Path, name: str) -> tuple[Array, Array]:
    """Clips (T, D) of a film and what moves in them (T, E): SlowFast's, else the clips again."""
    clips = rows(folder / FILMS / f"{name}.npz")
    if not (folder / MOTION).is_dir():
        return clips, clips
    motion = rows(folder / MOTION / f"{name}.npz")
    if abs(len(clips) - len(motion)) > APART:
        raise FeatureError(
            f"{name}: {len(clips)} clips in {FILMS}, and {len(motion)} in {MOTION} of {folder}"
        )
    both = min(len(clips), len(motion))
    return clips[:both], motion[:both]


def cuts(motion: Array, clip: float) -> tuple[float, ...]:
    """Seconds at which what moves changes more than before, after, and usual in this film."""
    change = 1 - np.einsum("td,td->t", motion[1:], motion[:-1])
    if not len(change):
        return ()
    around = np.pad(change, 1, constant_values=-np.inf)
    peaks = (change >= around[:-2]) & (change > around[2:])
    peaks &= change > change.mean() + UNUSUAL * change.std()
    return tuple(float((place + 1) * clip) for place in np.flatnonzero(peaks))


def _read(path: Path, key: str) -> Array:
    try:
        with np.load(path, allow_pickle=False) as file:
            found = np.asarray(file[key], np.float32)
    except FileNotFoundError:
        raise FeatureError(f"{path} is missing") from None
    except DAMAGE as error:
        told = " ".join(str(error).split())[:100]
        raise FeatureError(f"{path} has no {key} that can be read ({told})") from error
    if not np.isfinite(found).all():
        raise FeatureError(f"{path}: {key} has numbers that are not finite")
    return found


def _unit(found: Array) -> Array:
    lengths = np.maximum(np.linalg.norm(found, axis=-1, keepdims=True), 1e-12)
    return np.asarray(found / lengths, np.float32)
