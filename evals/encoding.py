"""Which way of running the packaged picture network is the fastest here: one core, crops a second.

    python -m evals.encoding

What is in force is "traced, frozen" in the best kind of number that the machine multiplies in
hardware; the rest is what else there is. Every way is warmed up, then timed by turns.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import timm
import torch

from vmr_agent.adapters import weights
from vmr_agent.adapters.concepts import NETWORK

SIZE = 260
BATCHES = (1, 4, 16)
TURNS = 5
CROPS = 32
"""Seen by every way in each turn."""
Way = Callable[[torch.Tensor], object]


def network(kind: torch.dtype, layout: torch.memory_format) -> torch.nn.Module:
    """The packaged weights in timm's network."""
    tensors = torch.load(weights.find(NETWORK), map_location="cpu", weights_only=True)
    made: torch.nn.Module = timm.create_model("tf_efficientnet_lite2")
    made.load_state_dict(dict(zip(made.state_dict(), tensors.values(), strict=True)))
    return made.eval().to(dtype=kind, memory_format=layout)  # type: ignore[call-overload, no-any-return]


def ways(example: torch.Tensor) -> dict[str, Way]:
    """By name: each takes float32 crops (B, 3, 260, 260)."""
    plain, last = torch.contiguous_format, torch.channels_last
    found: dict[str, Way] = {}
    for number, kind in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        for order, layout in (("", plain), (", channels last", last)):
            found[number + order] = _eager(network(kind, layout), kind, layout)
        ready = example.to(kind).contiguous(memory_format=last)
        traced: Any = torch.jit.trace(network(kind, last), ready, check_trace=False)  # type: ignore[no-untyped-call]
        frozen = torch.jit.freeze(traced)
        found[f"{number}, channels last, traced, frozen"] = _eager(frozen, kind, last)
        compiled = torch.compile(network(kind, last))
        found[f"{number}, channels last, torch.compile"] = _eager(compiled, kind, last)
    found["float32, onnxruntime"] = _onnx(example)
    return found


def _eager(run: Any, kind: torch.dtype, layout: torch.memory_format) -> Way:
    return lambda crops: run(crops.to(kind).contiguous(memory_format=layout))


def _onnx(example: torch.Tensor) -> Way:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        made = network(torch.float32, torch.contiguous_format)
        axes = {"crops": {0: "batch"}}
        torch.onnx.export(
            made, (example,), str(path), dynamo=False, input_names=["crops"], dynamic_axes=axes
        )
        session = onnxruntime.InferenceSession(
            path.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
    return lambda crops: session.run(None, {"crops": crops.numpy()})


def timed(way: Way, crops: torch.Tensor, batch: int) -> float:
    """Crops a second."""
    began = time.perf_counter()
    for part in torch.split(crops, batch):
        way(part)
    return len(crops) / (time.perf_counter() - began)


def main() -> None:
    """Print a table: medians of ``TURNS``."""
    torch.set_num_threads(1)
    dice = np.random.default_rng(0)
    crops = torch.from_numpy(dice.normal(size=(CROPS, 3, SIZE, SIZE)).astype(np.float32))
    with torch.inference_mode():
        known = ways(crops[:4])
        for way in known.values():
            for batch in BATCHES:
                timed(way, crops, batch)
        found: dict[tuple[str, int], list[float]] = {}
        for _ in range(TURNS):
            for name, way in known.items():
                for batch in BATCHES:
                    found.setdefault((name, batch), []).append(timed(way, crops, batch))
    print(f"{'crops a second, by batch':45}" + "".join(f"{batch:8}" for batch in BATCHES))
    for name in known:
        rates = (statistics.median(found[name, batch]) for batch in BATCHES)
        print(f"{name:45}" + "".join(f"{rate:8.1f}" for rate in rates))


if __name__ == "__main__":
    main()
