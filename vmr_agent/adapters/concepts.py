"""Pictures and words without CLIP: ConSE over ImageNet-1k, from packaged weights alone.

Norouzi et al. 2014, "Zero-shot learning by convex combination of semantic embeddings": a picture
is the probability-weighted mean of its class names' sentence vectors. It knows things and places,
guesses actions through them, and does not know relations or people.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vmr_agent.adapters import weights
from vmr_agent.adapters.device import CPU, quick_bfloat16, workers
from vmr_agent.library import Shelf, digest
from vmr_agent.protocols import Array, Arrays, Image, Sentences
from vmr_agent.types import Record

TEMPERATURE = 2.0
"""Softens the classifier on footage unlike ImageNet. Measured on eleven joined clips, three query
sets: R@1 .67 at 1, .73 at 2, .76 at 3; telling absent things apart got worse again from 3 on."""
NEIGHBOURS = 5
"""Class names whose mean cosine says how near to a question this vocabulary can come."""
NAMEABLE = 0.25
"""Least value of that: without a floor, a question that no class is near to would look answered by
the first picture that is no nearer."""
PROMPT = "a photo of a {}"
NETWORK, FROZEN = "efficientnet-lite2", "network.pt"


BATCH = 4
"""Crops run together: more of them fall out of a core's cache, and 32 take twice the time each."""


Pixels = NDArray[np.uint8]


class Vocabulary(Record):
    """Class names; array ``classes`` (1000, 384), centred unit rows, and ``centre`` (384,)."""

    names: tuple[str, ...]


class Concepts:
    """ConSE with EfficientNet-lite2 and MiniLM. Weights load at first use."""

    size = 260

    def __init__(self, shelf: Shelf, sentences: Sentences, device: str) -> None:
        self._shelf = shelf
        self._sentences = sentences
        self._device = device
        self._loading = Lock()
        # Always the same threads: each keeps tens of megabytes that are never given back.
        self._hands = ThreadPoolExecutor(workers())
        self.name = f"conse-lite2-t{TEMPERATURE:g} ({sentences.name})"

    def look(self, images: Sequence[Image]) -> Array:
        """Centre crops, classified, as convex combinations of class vectors: ``(N, 384)`` unit."""
        crops = np.stack([_crop(image, self.size) for image in images])
        parts = [crops[first : first + BATCH] for first in range(0, len(crops), BATCH)]
        shares = np.concatenate(list(self._hands.map(self._classify, parts)))
        return _unit(shares @ self._classes)

    def relevance(self, vectors: Array, texts: Sequence[str]) -> Array:
        """Cosine c with the texts' mean direction against what is attainable, a: c / (c + a).

        0.5 where a picture is as near to the question as its nearest class names are.
        """
        place = _unit(np.mean(self._places(texts), axis=0))
        nearest = np.sort(self._classes @ place)[-NEIGHBOURS:]
        attainable = max(NAMEABLE, float(nearest.mean()))
        cosine = np.maximum(vectors @ place, 0)
        return np.asarray(cosine / (cosine + attainable), np.float32)

    def place(self, text: str) -> Array:
        """The text's sentence vector, seen from the middle of all class names."""
        place: Array = self._places([text])[0]
        return place

    def _places(self, texts: Sequence[str]) -> Array:
        centre: Array = self._vocabulary[1]["centre"]
        return _unit(self._sentences.embed(texts) - centre)

    def describe(self, vectors: Array, most: int) -> tuple[str, ...]:
        """The class names nearest to the mean of the vectors."""
        if not len(vectors):
            return ()
        order = np.argsort(-(self._classes @ vectors.mean(axis=0)))
        names = self._vocabulary[0].names
        return tuple(names[index].split(",")[0] for index in order[:most])

    @cached_property
    def _vocabulary(self) -> tuple[Vocabulary, Arrays]:
        name = f"encoders/conse-{digest(self._sentences.name, PROMPT)}"
        self._shelf.keep(name, Vocabulary, self._learn_names)
        return self._shelf.get(name, Vocabulary)

    @property
    def _classes(self) -> Array:
        return self._vocabulary[1]["classes"]

    def _learn_names(self) -> tuple[Vocabulary, Arrays]:
        """Each class is the mean of its bare name and the name in a prompt."""
        from timm.data import ImageNetInfo

        info = ImageNetInfo()
        names = tuple(info.index_to_description(index) for index in range(1000))
        short = [name.split(",")[0] for name in names]
        bare, prompted = (
            self._sentences.embed(t) for t in (short, [PROMPT.format(n) for n in short])
        )
        raw = _unit(bare + prompted)
        centre = raw.mean(axis=0)
        return Vocabulary(names=names), {"classes": _unit(raw - centre), "centre": centre}

    def _classify(self, crops: Pixels) -> Array:
        """Probabilities (N, 1000) of crops (N, 260, 260, 3)."""
        import torch

        torch.set_num_threads(1)  # of this thread
        network, kind = self._network
        pixels = torch.from_numpy(crops).to(self._device).permute(0, 3, 1, 2)
        with torch.inference_mode():
            # (x - 127) / 128 is what these weights were trained on.
            logits = network(((pixels.float() - 127) / 128).to(kind)).float()
            return np.asarray(torch.softmax(logits / TEMPERATURE, dim=1).cpu().numpy(), np.float32)

    @property
    def _network(self) -> tuple[Any, Any]:
        with self._loading:
            return self._loaded

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        """The network and the kind of number it computes with."""
        import torch

        kind = torch.bfloat16 if quick_bfloat16(self._device) else torch.float32
        if self._device != CPU:
            return _frozen(kind, self._device, self.size), kind

        def write(folder: Path) -> None:
            torch.jit.save(_frozen(kind, CPU, self.size), folder / FROZEN)  # type: ignore[no-untyped-call]

        # Written once: importing timm alone takes five seconds, and it is wanted for nothing else.
        mark, number = weights.FILES[NETWORK].sha256[:8], str(kind).rpartition(".")[2]
        name = f"{NETWORK}-{mark}-{number}-torch{torch.__version__}"
        folder = weights.unpack(self._shelf.home, name, write)
        return torch.jit.load(folder / FROZEN), kind  # type: ignore[no-untyped-call]


def _frozen(kind: Any, device: str, size: int) -> Any:
    """The network for crops (B, 3, size, size), traced and frozen for speed."""
    import timm
    import torch

    tensors = torch.load(weights.find(NETWORK), map_location="cpu", weights_only=True)
    network = timm.create_model("tf_efficientnet_lite2")
    # The same layers in the same order under other names; strict loading checks the shapes.
    network.load_state_dict(dict(zip(network.state_dict(), tensors.values(), strict=True)))
    network = network.eval().to(device, kind, memory_format=torch.channels_last)
    example = torch.zeros(BATCH, 3, size, size, device=device, dtype=kind)
    with torch.inference_mode():
        example = example.contiguous(memory_format=torch.channels_last)
        return torch.jit.freeze(torch.jit.trace(network, example, check_trace=False))  # type: ignore[no-untyped-call]


def _unit(rows: Any) -> Array:
    rows = np.asarray(rows, np.float32)
    norms = np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)
    return np.asarray(rows / norms, np.float32)


def _crop(image: Image, size: int) -> Image:
    """The largest centred square, at the network's own size."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    if side == size:
        return square
    how = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (size, size), interpolation=how), np.uint8)
