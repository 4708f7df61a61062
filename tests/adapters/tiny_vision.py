"""Tiny Qwen2.5-VL and Qwen3-VL models with random weights, made on the spot and saved to a folder.

Everything about them is real but their size: the architecture, its processor, a byte-level
tokenizer with the chat's tokens. ``taught`` fits their last layer, by least squares, to say yes
where pictures are red and to name two moments; what comes before stays random.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from vmr_agent.prompts import load
from vmr_agent.protocols import Image

KINDS = ("qwen2_5_vl", "qwen3_vl")
SPECIAL = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>"),
    *("<|image_pad|>", "<|video_pad|>"),
)
TEMPLATE = (
    "{% for turn in messages %}<|im_start|>{{ turn.role }}\n{% for part in turn.content %}"
    "{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ part.text }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
ANSWER = json.dumps({"moments": [{"start": 1.0, "end": 4.0}, {"start": 6.0, "end": 9.0}]})
"""One token of theirs, so that it can be taught."""
SMALL = {"hidden_size": 128, "intermediate_size": 192, "num_attention_heads": 2}


def processor(kind: str, answer: str = ANSWER, template: str = TEMPLATE) -> Any:
    import transformers as t

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    texts = [f"{load(name).system} {load(name).user}" for name in ("ground", "confirm", "glance")]
    trainer = trainers.BpeTrainer(
        vocab_size=900,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[*SPECIAL],
        show_progress=False,
    )
    tokenizer.train_from_iterator(["yes Yes no No yes Yes no No"] * 99 + texts, trainer)
    tokenizer.add_tokens([AddedToken(answer, normalized=False)] if answer else [])
    words = t.Qwen2TokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    side = 14 if kind == "qwen2_5_vl" else 16
    size = {"shortest_edge": 16 * side**2, "longest_edge": 10**6}
    pictures = t.Qwen2VLImageProcessorFast(patch_size=side, size=size)
    if kind == "qwen2_5_vl":
        films: Any = t.Qwen2VLVideoProcessor(patch_size=side, size=size)
        return t.Qwen2_5_VLProcessor(pictures, words, films, chat_template=template)
    films = t.Qwen3VLVideoProcessor(patch_size=side)
    return t.Qwen3VLProcessor(pictures, words, films, chat_template=template)


def network(kind: str, words: Any, seed: int = 0, **about: Any) -> Any:
    import torch
    import transformers as t

    torch.manual_seed(seed)
    tokens = {
        "image_token_id": words.convert_tokens_to_ids("<|image_pad|>"),
        "video_token_id": words.convert_tokens_to_ids("<|video_pad|>"),
        "vision_start_token_id": words.convert_tokens_to_ids("<|vision_start|>"),
        "vision_end_token_id": words.convert_tokens_to_ids("<|vision_end|>"),
    }
    text = {"vocab_size": len(words), "num_hidden_layers": 2, "num_key_value_heads": 1, **SMALL}
    text |= {"initializer_range": 0.1, "max_position_embeddings": 8192, **about}
    text |= {"eos_token_id": words.eos_token_id, "pad_token_id": words.pad_token_id}
    eyes = {"depth": 2, "hidden_size": 32, "intermediate_size": 48, "num_heads": 2}
    eyes |= {"out_hidden_size": text["hidden_size"], "initializer_range": 0.1}
    sections = {"mrope_section": [12, 10, 10]}
    if kind == "qwen2_5_vl":
        text["rope_scaling"] = {"type": "mrope", **sections}
        eyes |= {"fullatt_block_indexes": [1]}
        return t.Qwen2_5_VLForConditionalGeneration(
            t.Qwen2_5_VLConfig(text_config=text, vision_config=eyes, **tokens)
        ).eval()
    text |= {"head_dim": 64}
    text["rope_scaling"] = {"rope_type": "default", "mrope_interleaved": True, **sections}
    eyes |= {"deepstack_visual_indexes": [0], "num_position_embeddings": 64}
    return t.Qwen3VLForConditionalGeneration(
        t.Qwen3VLConfig(text_config=text, vision_config=eyes, **tokens)
    ).eval()


def made(kind: str, folder: Path, **about: Any) -> Path:
    """A folder with a model and all that belongs to it."""
    whole = processor(kind)
    whole.save_pretrained(folder)
    network(kind, whole.tokenizer, **about).save_pretrained(folder, safe_serialization=True)
    return folder


RED, BLUE = (200, 30, 30), (30, 30, 200)
SCREEN = (48, 64)


def picture(colour: Sequence[int], seed: int) -> Image:
    """A screen of about this colour."""
    noise = np.random.default_rng(seed).integers(-25, 25, (*SCREEN, 3))
    return np.clip(np.asarray(colour) + noise, 0, 255).astype(np.uint8)


def chat(system: str, user: str, times: Sequence[float]) -> str:
    """What a model gets to read, spelt out by hand."""
    shown = "".join(f"<{t:.1f} seconds><|vision_start|><|image_pad|><|vision_end|>" for t in times)
    told = f"<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{shown}{user}<|im_end|>\n"
    return f"{told}<|im_start|>assistant\n"


def taught(kind: str, folder: Path, listing: Sequence[str], judging: Sequence[str]) -> Path:
    """A model that answers ``ANSWER`` to chats like the listing ones, and judges by colour.

    The texts are chats with eight pictures. Where half or all of them are red it learns to say yes.
    """
    import torch

    whole = processor(kind)
    model = network(kind, whole.tokenizer)
    rng = np.random.default_rng(7)
    felt, wanted = list[Any](), list[Any]()
    ids = whole.tokenizer.convert_tokens_to_ids
    yes, no, answer, stop = (ids(each) for each in ("yes", "no", ANSWER, "<|im_end|>"))

    def feel(text: str, red: float, *wants: dict[int, float]) -> None:
        colours = rng.permutation([RED if each < red * 8 else BLUE for each in range(8)])
        pictures = [picture(colour, int(rng.integers(1e9))) for colour in colours]
        inputs = whole(text=[text], images=pictures, return_tensors="pt")
        states = model.model(**inputs).last_hidden_state[0]
        for place, want in zip(range(-len(wants), 0), wants, strict=True):
            felt.append(states[place])
            wanted.append(torch.tensor([want.get(each, 0.0) for each in (yes, no, answer, stop)]))

    with torch.inference_mode():
        for _ in range(4):
            for red in (0.0, 0.25, 0.5, 1.0):
                for text in listing:
                    begins, ends = {answer: 20.0, stop: -20.0}, {answer: -20.0, stop: 20.0}
                    feel(f"{text}{ANSWER}", red, begins, ends)
                for text in judging:
                    sure = 4.0 if red else -4.0
                    feel(text, red, {yes: sure, no: -sure})
        known, asked = torch.stack(felt).double(), torch.stack(wanted).double()
        damped = known.T @ known + 1e-2 * torch.eye(known.shape[1], dtype=torch.double)
        model.lm_head.weight.zero_()
        solved = torch.linalg.solve(damped, known.T @ asked).T.float()
        model.lm_head.weight[torch.tensor([yes, no, answer, stop])] = solved
    whole.save_pretrained(folder)
    model.save_pretrained(folder, safe_serialization=True)
    return folder
