"""What a model takes of memory: counted from real ones, and as the documentation says."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from vmr_agent import memory
from vmr_agent.footprint import RESERVE, Precision, build, footprint, shapes
from vmr_agent.thresholds import VisionSettings

DOCS = Path(__file__).parents[1] / "docs" / "vision.md"


def qwen3(width: int, layers: int, heads: int, widest: int, eyes: tuple[int, ...]) -> Any:
    from transformers import Qwen3VLConfig

    tied = width < 4096
    text = {"hidden_size": width, "num_hidden_layers": layers, "intermediate_size": widest}
    text |= {"num_attention_heads": heads, "num_key_value_heads": 8, "tie_word_embeddings": tied}
    turns = {"rope_type": "default", "mrope_section": [24, 20, 20], "mrope_interleaved": True}
    depth, eye, eye_widest, *deep = eyes
    seen = {"depth": depth, "hidden_size": eye, "intermediate_size": eye_widest}
    seen |= {"out_hidden_size": width, "deepstack_visual_indexes": deep}
    return Qwen3VLConfig(text | {"rope_scaling": turns}, seen, tie_word_embeddings=tied)


def qwen25(width: int, layers: int, heads: int, own: int, widest: int, words: int) -> Any:
    from transformers import Qwen2_5_VLConfig

    tied = width < 3000
    text = {"hidden_size": width, "num_hidden_layers": layers, "intermediate_size": widest}
    text |= {"num_attention_heads": heads, "num_key_value_heads": own, "vocab_size": words}
    text |= {"tie_word_embeddings": tied}
    turns = {"type": "mrope", "mrope_section": [16, 24, 24]}
    seen = {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "out_hidden_size": width}
    return Qwen2_5_VLConfig(text | {"rope_scaling": turns}, seen, tie_word_embeddings=tied)


EYES, LARGER = (24, 1024, 4096, 5, 11, 17), (27, 1152, 4304, 8, 16, 24)
PUBLISHED = {
    "Qwen3-VL-2B": (lambda: qwen3(2048, 28, 16, 6144, EYES), 2_127_532_032),
    "Qwen3-VL-4B": (lambda: qwen3(2560, 36, 32, 9728, EYES), 4_437_815_808),
    "Qwen3-VL-8B": (lambda: qwen3(4096, 36, 32, 12288, LARGER), 8_767_123_696),
    "Qwen2.5-VL-3B": (lambda: qwen25(2048, 36, 16, 2, 11008, 151_936), 3_754_622_976),
    "Qwen2.5-VL-7B": (lambda: qwen25(3584, 28, 28, 4, 18944, 152_064), 8_292_166_656),
}
"""Published models by their published builds, and the parameters they are published to have."""
PRECISIONS: tuple[Precision, ...] = ("bfloat16", "4-bit", "float32")


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_documentation_says_what_a_published_model_takes(name: str) -> None:
    """Its tensors are laid out without memory for them."""
    from transformers import AutoModelForImageTextToText

    make, parameters = PUBLISHED[name]
    config = make()
    with torch.device("meta"):
        network = AutoModelForImageTextToText.from_config(config)
    tensors = {name: tuple(each.shape) for name, each in network.named_parameters()}
    assert sum(math.prod(shape) for shape in tensors.values()) == parameters
    looks = VisionSettings()
    needs = [
        footprint(tensors, build(config), kind, looks.frames, looks.pixels) for kind in PRECISIONS
    ]
    (row,) = re.findall(rf"^\| {re.escape(name)} \|(.*)\|$", DOCS.read_text(), re.MULTILINE)
    told = [float(cell) for cell in re.findall(r"\d+\.\d+", row)]
    weights = [need.weights / 2**30 for need in needs]
    totals = [need.total / 2**30 for need in needs]
    assert told == [round(parameters / 1e9, 2), *np.round([*weights[:2], *totals], 1)]


def test_weights_are_read_off_the_files(tmp_path: Path) -> None:
    save_file({"a.weight": torch.zeros(3, 5), "b": torch.zeros(7)}, tmp_path / "1.safetensors")
    save_file({"c": torch.zeros(())}, tmp_path / "2.safetensors", metadata={"format": "pt"})
    assert shapes(tmp_path) == {"a.weight": (3, 5), "b": (7,), "c": ()}


@pytest.mark.parametrize(
    "content", [b"", b"\xff" * 8, b"\x09" + b"\0" * 7 + b"no object", b"\0" * 9]
)
def test_a_file_that_lists_nothing_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(ValueError):  # noqa: PT011 - JSON's own says why
        shapes(tmp_path)


def test_more_pictures_take_more() -> None:
    made = build(qwen3(2048, 28, 16, 6144, EYES))
    tensors = {"model.layers.0.up_proj.weight": (64, 64), "lm_head.weight": (9, 64), "bias": (64,)}

    def total(precision: Precision, frames: int, pixels: int) -> int:
        return footprint(tensors, made, precision, frames, pixels).total

    assert RESERVE < total("bfloat16", 8, 50_000) < total("bfloat16", 16, 50_000)
    assert total("bfloat16", 8, 50_000) < total("bfloat16", 8, 60_000) < total("float32", 8, 60_000)
    assert footprint(tensors, made, "bfloat16", 8, 50_000).weights == 2 * (4096 + 9 * 64 + 64)
    four = footprint(tensors, made, "4-bit", 8, 50_000).weights
    assert four == 4096 // 2 + 64 + 1 + 2 * (9 * 64 + 64)  # a byte of scale each 64, 4 each 16384


def test_free_memory_is_told_where_linux_tells_it(tmp_path: Path, monkeypatch: Any) -> None:
    real = memory.available()
    assert real is None or 0 <= real < 2**50
    table, most, used = tmp_path / "meminfo", tmp_path / "max", tmp_path / "current"
    monkeypatch.setattr(memory, "MEMORY", table)
    monkeypatch.setattr(memory, "LIMITS", ((most, used), (tmp_path / "no", tmp_path / "no")))
    assert memory.available() is None
    table.write_text("MemTotal:  9000 kB\nMemAvailable:    8000 kB\n")
    assert memory.available() == 8_192_000
    most.write_text("max\n")
    used.write_text("100\n")
    assert memory.available() == 8_192_000
    most.write_text("5000100\n")
    assert memory.available() == 5_000_000
    used.write_text("6000000\n")
    assert memory.available() == 0
    table.write_text("nonsense")
    assert memory.available() is None
