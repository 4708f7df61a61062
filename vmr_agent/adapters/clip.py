"""Pictures and words in one space: open_clip, from a local file or the model hub's cache.

The trap here is preprocessing: given a bare file, open_clip normalises as OpenAI did, whatever the
weights were trained with, and says nothing. So it is taken from ``open_clip_config.json`` beside
the file, or from what all published weights of the architecture agree on, or the file is refused.
"""

from __future__ import annotations

import contextlib
import json
import logging
import pickle
import re
import warnings
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vmr_agent.adapters import weights
from vmr_agent.adapters.device import CPU, halves
from vmr_agent.errors import WeightsError

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

BATCH = 32
"""Pictures or texts run together."""
PREPROCESSING = ("mean", "std", "interpolation", "resize_mode")
"""What open_clip's published configurations say about it, besides the size."""
PROMPT = "a photo of "
BACKGROUND = tuple(
    f"{PROMPT}{thing}"
    for line in """
    nothing in particular, a blank screen, a blurred scene, a dark scene, a title card, a logo
    a man, a woman, a child, a crowd, a face, two people talking, a person sitting, a hand
    a street, a city at night, a road, a bridge, a building, a shop, a station, an airport
    a room, a kitchen, a bedroom, an office, a classroom, a stage, a corridor, a staircase
    a forest, a beach, a mountain, a field, a river, the sea, the sky, a garden, snow, a desert
    a dog, a cat, a bird, a horse, a fish, an insect, a flower, a tree
    a car, a bus, a train, a bicycle, a boat, an aeroplane, a motorcycle
    food on a plate, a cup, a bottle, fruit, a table, a chair, a bed, a window, a door
    a telephone, a computer, a television, a book, a sign, a map, a diagram, a machine, a tool
    a ball game, a race, a swimming pool, a dance, a concert, a musical instrument, a toy, clothes
    """.strip().splitlines()
    for thing in line.strip().split(", ")
)
"""What else a frame may show: the alternatives that ``relevance`` weighs a text against."""

_FAILURES = (OSError, RuntimeError, ValueError, KeyError, UserWarning, pickle.UnpicklingError)


class OpenClip:
    """An image-text model. ``OpenClip("ViT-B-32", "weights.safetensors").look(images)``.

    ``weights`` is a local file or a tag that open_clip publishes for the architecture (from its
    cache alone when HF_HUB_OFFLINE is set). Making one is cheap; the first use loads it and raises
    WeightsError when that fails.
    """

    def __init__(self, architecture: str, weights: str, device: str = CPU) -> None:
        self._architecture, self._weights, self._device = architecture, weights, device

    @cached_property
    def name(self) -> str:
        """Architecture and weights: a tag, or the digest of a file and its configuration."""
        path = Path(self._weights)
        if not path.is_file():
            return f"open_clip {self._architecture}:{self._weights}"
        files = [file for file in (path, _beside(path)) if file.is_file()]
        marks = "-".join(weights.digest(file)[:8] for file in files)
        return f"open_clip {self._architecture}:{marks}"

    @cached_property
    def size(self) -> int:
        """Short side in pixels of what the model looks at."""
        with _quiet():
            import open_clip

            config = open_clip.get_model_config(self._architecture)
        if config is None:
            raise WeightsError(f"open_clip knows no architecture {self._architecture!r}")
        return int(np.min(config["vision_cfg"].get("image_size", 224)))

    def look(self, images: Sequence[Image]) -> Array:
        """One unit vector per picture ``(H, W, 3)`` RGB of any size: ``(N, D)``."""
        import torch
        from PIL import Image as Pictures

        model, preprocess, _ = self._loaded
        rows = []
        for first in range(0, len(images), BATCH):
            chosen = images[first : first + BATCH]
            batch = torch.stack([preprocess(Pictures.fromarray(image)) for image in chosen])
            batch = batch.to(self._device, memory_format=torch.channels_last)
            rows.append(self._run(model.encode_image, batch))
        return self._rows(rows)

    def place(self, text: str) -> Array:
        """The text as a unit vector ``(D,)``. What exceeds the model's context is cut off."""
        vector: Array = self._texts([text])[0]
        return vector

    def relevance(self, vectors: Array, texts: Sequence[str]) -> Array:
        """Probability that each vector shows one of the texts rather than something else, ``(N,)``.

        A softmax, at the model's own temperature, over the text and the ``BACKGROUND`` prompts that
        share no word with it; the best of the texts counts. 0.5 says that the text alone is as
        likely as all the background together. 0 where there are no texts.
        """
        best = np.zeros(len(vectors), np.float32)
        for text in texts:
            rivals = [i for i, other in enumerate(BACKGROUND) if not _words(text) & _words(other)]
            logits = self._scale * (vectors @ np.vstack([self.place(text), self._rivals[rivals]]).T)
            odds = np.exp(logits - logits.max(axis=1, keepdims=True))
            best = np.maximum(best, odds[:, 0] / odds.sum(axis=1))
        return best

    def describe(self, vectors: Array, most: int) -> tuple[str, ...]:
        """The things of the ``BACKGROUND`` nearest to the mean of the vectors, nearest first."""
        if not len(vectors):
            return ()
        order = np.argsort(-(self._rivals @ vectors.mean(axis=0)), kind="stable")
        return tuple(BACKGROUND[index].removeprefix(PROMPT) for index in order[:most])

    def _texts(self, texts: Sequence[str]) -> Array:
        model, _, tokenize = self._loaded
        batches = [tokenize(list(texts[i : i + BATCH])) for i in range(0, len(texts), BATCH)]
        return self._rows([self._run(model.encode_text, b.to(self._device)) for b in batches])

    def _run(self, encode: Any, batch: Any) -> Array:
        import torch

        half = torch.autocast(self._device, torch.bfloat16, enabled=halves(self._device))
        with torch.inference_mode(), half:
            vectors = torch.nn.functional.normalize(encode(batch).float(), dim=-1)
        rows: Array = vectors.cpu().numpy()
        return rows

    def _rows(self, batches: list[Array]) -> Array:
        return np.concatenate(batches) if batches else np.zeros_like(self._rivals[:0])

    @cached_property
    def _rivals(self) -> Array:
        return self._texts(BACKGROUND)

    @cached_property
    def _scale(self) -> float:
        return float(self._loaded[0].logit_scale.exp().item())

    @cached_property
    def _loaded(self) -> tuple[Any, Any, Any]:
        """The model, what makes a tensor of a PIL picture, and what makes tokens of texts."""
        from safetensors import SafetensorError

        try:
            with _quiet():
                return self._load()
        except (*_FAILURES, SafetensorError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise WeightsError(
                f"open_clip cannot load {self._weights} as {self._architecture}: {reason}; set "
                "VMR_MODELS__ENCODER to open_clip:ARCHITECTURE:FILE or to a tag in the cache"
            ) from error

    def _load(self) -> tuple[Any, Any, Any]:
        import open_clip
        import torch

        model, _, preprocess = open_clip.create_model_and_transforms(
            self._architecture,
            self._weights,
            device=self._device,
            **_training(self._architecture, self._weights),
        )
        model.eval().to(memory_format=torch.channels_last)
        return model, preprocess, open_clip.get_tokenizer(self._architecture)


def _training(architecture: str, source: str) -> dict[str, Any]:
    """How the weights were trained, as open_clip's arguments. Raises ValueError if unknown."""
    from open_clip import get_pretrained_cfg, list_pretrained_tags_by_model

    path = Path(source)
    tags = list_pretrained_tags_by_model(architecture)
    published = {tag: get_pretrained_cfg(architecture, tag) for tag in tags}
    if source in published:
        return {"force_quick_gelu": bool(published[source].get("quick_gelu"))}
    if not path.is_file():
        raise ValueError(f"neither a file nor one of its tags ({', '.join(tags) or 'none'})")
    if _beside(path).is_file():
        about = json.loads(_beside(path).read_text(encoding="utf-8"))
        gelu = bool(about["model_cfg"].get("quick_gelu"))
        return {"force_quick_gelu": gelu, **_arguments(about["preprocess_cfg"])}
    known = [_arguments(config) for config in published.values()]
    if any(one != known[0] for one in known):
        raise ValueError(f"published weights differ in preprocessing, so {_beside(path)} is needed")
    return known[0] if known else {}


def _arguments(config: dict[str, Any]) -> dict[str, Any]:
    given = {key: config[key] for key in PREPROCESSING if config.get(key) is not None}
    return {f"image_{key}": tuple(v) if isinstance(v, list) else v for key, v in given.items()}


def _beside(path: Path) -> Path:
    return path.with_name("open_clip_config.json")


def _words(text: str) -> set[str]:
    words = re.findall(r"[^\W\d_]+", text.lower())
    return {word.removesuffix("s") for word in words} - {"a", "an", "of", "photo", "the", "in"}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep open_clip's calls of ``logging.info`` from configuring the user's root logger."""
    root, guard = logging.getLogger(), logging.NullHandler()
    root.addHandler(guard)
    try:
        with warnings.catch_warnings():
            # Weights under the wrong activation give plausible nonsense: an error, not a warning.
            warnings.filterwarnings("error", message="QuickGELU mismatch", category=UserWarning)
            yield
    finally:
        root.removeHandler(guard)
