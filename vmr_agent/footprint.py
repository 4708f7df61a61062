"""How much memory a model of pictures and words takes, told before it is loaded.

    footprint(shapes(folder), build, precision, frames=64, pixels=131_072).total   # bytes

Weights are counted, tensor by tensor. The rest is an upper estimate from the model's build: keys
and values of every layer, and what a layer has in hand while all the pictures are read at once.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

Precision = Literal["bfloat16", "float32", "4-bit"]
Shapes = Mapping[str, tuple[int, ...]]

WIDTH: Mapping[Precision, int] = {"bfloat16": 2, "float32": 4, "4-bit": 2}
"""Bytes of a number that is not quantized."""
NF4 = 0.5 + (1 + 4 / 256) / 64
"""Bytes of a 4-bit weight: half of one, and for 64 of them one byte of scale, whose own scale is 4
bytes for 256 (QLoRA, Dettmers et al. 2023: NF4 with double quantization)."""
WHOLE = ("visual", "lm_head")
"""Parts that are never quantized: eyes suffer from it more than they save, and the head that says
yes and no is read for its very numbers."""
IN_HAND = 8
"""Rows as wide as the model, beside the three of its widest layer, that a layer has in hand."""
WORDS = 2_000
"""Tokens of a request that are no pictures, answer included: the prompt, times, the question."""
RESERVE = 2**30
"""Bytes for what is not counted: workspaces, fragments, the libraries' own."""
LONGEST = 100_000_000
"""Bytes of a file's list of tensors; what claims to be longer is none."""


class Build(NamedTuple):
    """What of a model's configuration tells how much it has in hand."""

    layers: int
    """Of the language model."""
    cached: int
    """Numbers that a layer keeps of a token: keys and values of all heads that have their own."""
    width: int
    """Numbers of a token between layers."""
    widest: int
    """Numbers of a token inside a layer."""
    eye_width: int
    """Numbers of a patch between the layers of the picture encoder."""
    eye_widest: int
    """Numbers of a patch inside one."""
    side: int
    """Pixels of a patch's side."""
    merge: int
    """Patches, each way, that become one token."""


class Footprint(NamedTuple):
    """Bytes."""

    weights: int
    cache: int
    """Keys and values."""
    work: int
    """What is in hand while pictures are read."""
    reserve: int = RESERVE

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self)


def build(config: Any) -> Build:
    """From a configuration of transformers, of Qwen2.5-VL's or Qwen3-VL's kind."""
    words, eyes = config.get_text_config(), config.vision_config
    head = getattr(words, "head_dim", None) or words.hidden_size // words.num_attention_heads
    return Build(
        layers=words.num_hidden_layers,
        cached=2 * words.num_key_value_heads * head,
        width=words.hidden_size,
        widest=words.intermediate_size,
        eye_width=eyes.hidden_size,
        eye_widest=eyes.intermediate_size,
        side=eyes.patch_size,
        merge=eyes.spatial_merge_size,
    )


def footprint(
    tensors: Shapes, made: Build, precision: Precision, frames: int, pixels: int
) -> Footprint:
    """Of a model whose weights have these shapes, at so many pictures of so many pixels each."""
    size = WIDTH[precision]
    weights = sum(
        math.prod(sides) * _bytes(name, sides, precision) for name, sides in tensors.items()
    )
    patches = frames * math.ceil(pixels / made.side**2)
    tokens = math.ceil(patches / made.merge**2) + WORDS
    reading = tokens * (IN_HAND * made.width + 3 * made.widest)
    seeing = patches * (IN_HAND * made.eye_width + 3 * made.eye_widest)
    # Each patch is six planes of pixels (three colours, two instants), at 32 bits and at the size.
    given = patches * 6 * made.side**2 * (4 + size)
    return Footprint(
        weights=math.ceil(weights),
        cache=made.layers * made.cached * tokens * size,
        work=max(reading, seeing) * size + given,
    )


def shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor in the folder's safetensors files, by its name.

    Reads their lists alone. Raises ValueError for a file that has none.
    """
    found: dict[str, tuple[int, ...]] = {}
    for path in sorted(folder.glob("*.safetensors")):
        found |= {
            name: tuple(int(side) for side in about["shape"])
            for name, about in _listed(path)
            if name != "__metadata__"
        }
    return found


def _listed(path: Path) -> Iterable[tuple[str, Any]]:
    """A safetensors file starts with the length of a JSON object, in 8 bytes, and the object."""
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 0 < length <= LONGEST:
            raise ValueError(f"{path.name} is no safetensors file")
        return dict(json.loads(file.read(length))).items()


def _bytes(name: str, shape: tuple[int, ...], precision: Precision) -> float:
    if precision != "4-bit":
        return WIDTH[precision]
    apart = any(part in name.split(".") for part in (*WHOLE, "embed_tokens"))
    return WIDTH[precision] if apart or len(shape) < 2 else NF4
