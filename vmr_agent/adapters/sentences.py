"""Meaning of sentences: all-MiniLM-L6-v2, packaged, run by ctranslate2.

Written out as a ctranslate2 model once, from the weights alone: loading it takes a fifth of a
second, where transformers takes twelve to import. Vectors equal those of torch to 1e-6.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vmr_agent.adapters import weights
from vmr_agent.adapters.device import workers

Array = NDArray[np.float32]

SIZE = 384
"""Dimensions of a vector."""
TOKENS = 256
"""Tokens of a text that are read, the length the model was tuned for; the rest is cut off."""
REMEMBERED = 64
"""Texts that were asked for one by one."""
BATCH = 64
"""Texts run together."""
HANDS = workers(share=1)
"""Batches run side by side: what a film says is embedded when all else is done."""


class MiniLM:
    """Sentence vectors. ``MiniLM(home).embed(["a man plays the drums"])``.

    Making one is cheap; the first ``embed`` checks and loads the weights and may raise
    WeightsError.
    """

    name = "all-MiniLM-L6-v2 (packaged)"

    def __init__(self, home: Path) -> None:
        self._home = home
        self._alone = lru_cache(REMEMBERED)(lambda text: self._embed([text]))

    def embed(self, texts: Sequence[str]) -> Array:
        """One unit vector per text, ``(N, 384)``, the same whatever it is batched with."""
        if not 0 < len(texts) <= HANDS:
            return self._embed(texts)
        # A question is asked of every channel.
        with ThreadPoolExecutor(HANDS) as hands:
            return np.concatenate(list(hands.map(self._alone, texts)))

    def _embed(self, texts: Sequence[str]) -> Array:
        vectors = np.zeros((len(texts), SIZE), np.float32)
        tokens = [code.ids for code in self._tokenizer.encode_batch(list(texts))]
        # Sorted by length, so that a batch is hardly padded.
        order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
        batches = [order[first : first + BATCH] for first in range(0, len(order), BATCH)]
        with ThreadPoolExecutor(HANDS) as hands:
            pooled = hands.map(self._pool, ([tokens[i] for i in each] for each in batches))
            for chosen, rows in zip(batches, pooled, strict=True):
                vectors[chosen] = rows
        return vectors

    def _pool(self, batch: list[list[int]]) -> Array:
        """Mean over a text's tokens, the two special ones included, to unit length: ``(B, D)``."""
        states = np.array(self._encoder.forward_batch(batch).last_hidden_state)
        means = np.stack([states[i, : len(ids)].mean(0) for i, ids in enumerate(batch)])
        unit: Array = means / np.linalg.norm(means, axis=1, keepdims=True)
        return unit

    @cached_property
    def _encoder(self) -> Any:
        import ctranslate2

        name = f"minilm-{weights.FILES['minilm'].sha256[:8]}"
        folder = weights.unpack(self._home, name, _convert)
        threads = {"inter_threads": HANDS, "intra_threads": 1}
        return ctranslate2.Encoder(str(folder), device="cpu", compute_type="float32", **threads)

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(weights.find("minilm-tokenizer")))
        tokenizer.no_padding()
        tokenizer.enable_truncation(TOKENS)
        return tokenizer


def _convert(folder: Path) -> None:
    """Write BERT as ctranslate2 lays it out, from the safetensors file."""
    from safetensors.numpy import load_file

    config = json.loads(weights.find("minilm-config").read_text(encoding="utf-8"))
    tokens = json.loads(weights.find("minilm-tokenizer").read_text(encoding="utf-8"))
    vocabulary: dict[str, int] = tokens["model"]["vocab"]
    spec = _layout(config, load_file(weights.find("minilm")))
    spec.config.unk_token = tokens["model"]["unk_token"]
    spec.config.layer_norm_epsilon = config["layer_norm_eps"]
    spec.register_vocabulary(sorted(vocabulary, key=vocabulary.__getitem__))
    spec.validate()
    spec.save(str(folder))


def _layout(config: dict[str, Any], tensors: dict[str, Array]) -> Any:
    from ctranslate2.specs import common_spec, transformer_spec

    encoder = transformer_spec.TransformerEncoderSpec(
        config["num_hidden_layers"],
        config["num_attention_heads"],
        pre_norm=False,
        activation=common_spec.Activation.GELU,
        layernorm_embedding=True,
        num_source_embeddings=2,
        embeddings_merge=common_spec.EmbeddingsMerge.ADD,
    )
    encoder.scale_embeddings = False
    encoder.embeddings[0].weight = tensors["embeddings.word_embeddings.weight"]
    encoder.embeddings[1].weight = tensors["embeddings.token_type_embeddings.weight"]
    encoder.position_encodings.encodings = tensors["embeddings.position_embeddings.weight"]
    _norm(encoder.layernorm_embedding, tensors, "embeddings.LayerNorm")
    for i, layer in enumerate(encoder.layer):
        _lay(layer, tensors, f"encoder.layer.{i}")
    return transformer_spec.TransformerEncoderModelSpec(encoder)


def _lay(layer: Any, tensors: dict[str, Array], at: str) -> None:
    into, out = layer.self_attention.linear
    heads = [f"{at}.attention.self.{part}" for part in ("query", "key", "value")]
    into.weight = np.concatenate([tensors[f"{head}.weight"] for head in heads])
    into.bias = np.concatenate([tensors[f"{head}.bias"] for head in heads])
    _linear(out, tensors, f"{at}.attention.output.dense")
    _norm(layer.self_attention.layer_norm, tensors, f"{at}.attention.output.LayerNorm")
    _linear(layer.ffn.linear_0, tensors, f"{at}.intermediate.dense")
    _linear(layer.ffn.linear_1, tensors, f"{at}.output.dense")
    _norm(layer.ffn.layer_norm, tensors, f"{at}.output.LayerNorm")


def _linear(spec: Any, tensors: dict[str, Array], at: str) -> None:
    spec.weight, spec.bias = tensors[f"{at}.weight"], tensors[f"{at}.bias"]


def _norm(spec: Any, tensors: dict[str, Array], at: str) -> None:
    spec.gamma, spec.beta = tensors[f"{at}.weight"], tensors[f"{at}.bias"]
