"""Grounds with a video-language model: Qwen2.5-VL or Qwen3-VL through transformers.

Each clip is shown as frames with their times between them, and asked about three times: whether the
thing is in it at all, when (all moments, as JSON, read strictly: see ``vmr_agent.spans``), and of
each moment, with the frames around it seen anew, whether it is that. Yes and no are never
generated: their probability is read off the first token (VideoMind's verifier, Liu et al. 2025).

Times are told from the start of the clip. A model copies "12.5" more surely than "3541.5", was
trained on films that begin at zero, and gives itself away when it answers in other times.

What is written in a film, and what is asked, is data: the question goes in as JSON that can close
no turn, and whatever comes out is a stretch of the clip, or nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

from vmr_agent.adapters.device import CPU
from vmr_agent.adapters.resident import Resident
from vmr_agent.prompts import load
from vmr_agent.protocols import Bounded, GroundReply, GroundRequest, Image
from vmr_agent.spans import read
from vmr_agent.thresholds import VisionSettings
from vmr_agent.types import Span

UNKNOWN = 0.5
"""Probability that there is something in clips of which nothing is to be seen."""
ANSWER = 512
"""Tokens of an answer at most: twenty-odd moments."""
AROUND = 0.5
"""Share of a moment's length that is shown on either side of it, for what it is not."""
SLIVER = 200
"""Times its other side that a picture's side may be: the models' processors take no more."""
YES, NO = (
    tuple(f"{space}{word}" for word in words for space in ("", " "))
    for words in (("yes", "Yes", "YES"), ("no", "No", "NO"))
)
"""How a first token may say so."""
PROMPTS = ("glance", "ground", "confirm")
"""What it is asked: whether, when, and whether then."""

Verdicts = tuple[float | None, ...]


class Shown(NamedTuple):
    """What the model gets to see and hear of."""

    question: str
    frames: tuple[tuple[float, Image], ...]
    """With their times, in seconds from the start of the clip."""


class VisionGrounder:
    """A ``Grounder``. ``VisionGrounder("models/Qwen3-VL-4B-Instruct", "cuda").ground(request)``.

    ``model`` is a folder, or a hub name whose files are in the hub's cache: nothing is fetched.
    Making one is cheap. It is loaded when it is asked, and unloaded when it has answered unless
    ``settings.stay``; another one that is in memory gives way. May be asked from several threads.
    """

    def __init__(
        self, model: str, device: str = CPU, settings: VisionSettings | None = None
    ) -> None:
        self._settings = settings or VisionSettings()
        self._model = Resident(model, device, self._settings)

    @cached_property
    def name(self) -> str:
        """The model with a digest of its files, its numbers, what it sees and what it is asked.

        Raises WeightsError where its files are not there.
        """
        looks, asked = self._settings, "-".join(load(each).digest[:4] for each in PROMPTS)
        seen = f"{looks.frames} x {looks.pixels} at {looks.fps:g}/s"
        return f"{self._model.name} ({seen}, prompts {asked})"

    def check(self) -> None:
        """Whether it could answer, without loading it. Raises WeightsError or MachineError."""
        self._model.check()

    def unload(self) -> None:
        """Give its memory back."""
        self._model.unload()

    def ground(self, request: GroundRequest) -> GroundReply:
        """Moments inside the clips that the model names, best first.

        ``present`` is the likeliest of all its verdicts, for a moment is not likelier than that
        there is any. Raises WeightsError for files, MachineError for a machine that will not do.
        """
        return self.judge(request, ())[0]

    def judge(
        self, request: GroundRequest, windows: Sequence[Span]
    ) -> tuple[GroundReply, Verdicts]:
        """The same, and a verdict on each of these windows besides; None outside of the clips."""
        if not any(request.look((clip.middle,)) for clip in request.clips):
            present = UNKNOWN if request.clips else 0.0
            return GroundReply((), present), (None,) * len(windows)
        return self._model.work(lambda: self._judged(request, windows))

    def _judged(
        self, request: GroundRequest, windows: Sequence[Span]
    ) -> tuple[GroundReply, Verdicts]:
        chances, moments = list[float](), list[Bounded]()
        for clip in request.clips:
            whole = self._shown(request, clip, clip)
            if not whole.frames:
                continue
            chances.append(self._chance(whole, "glance"))
            for span in self._named(request, clip, whole):
                if (chance := self._verdict(request, clip, span)) is not None:
                    chances.append(chance)
                    moments.append(Bounded(span, chance))
        moments.sort(key=lambda each: -each.chance)
        reply = GroundReply(tuple(moments), max(chances, default=UNKNOWN), saw=True)
        return reply, tuple(self._on(request, window) for window in windows)

    def _on(self, request: GroundRequest, window: Span) -> float | None:
        clip = max(request.clips, key=window.overlap)
        return self._verdict(request, clip, window) if window.overlap(clip) else None

    def _named(self, request: GroundRequest, clip: Span, whole: Shown) -> tuple[Span, ...]:
        answer = self._answer(self._inputs(whole, "ground", length=f"{clip.length:.1f}"))
        return read(answer, clip, request.step)[: self._settings.moments]

    def _verdict(self, request: GroundRequest, clip: Span, span: Span) -> float | None:
        """Probability that what happens then is what was asked for; None if nothing is seen."""
        wide = span.pad(AROUND * span.length)
        around = Span(start=max(clip.start, wide.start), end=min(clip.end, wide.end))
        start, end = (f"{time - clip.start:.1f}" for time in (span.start, span.end))
        near = self._shown(request, clip, around)
        return self._chance(near, "confirm", start=start, end=end) if near.frames else None

    def _shown(self, request: GroundRequest, clip: Span, part: Span) -> Shown:
        """Frames from all over a part of the clip.

        A picture that stands still gives no new frame: where none is from the part, it is the last
        one before it that is still to be seen, or else the next.
        """
        number = max(1, min(self._settings.frames, math.ceil(part.length * self._settings.fps)))
        pace = part.length / number
        looked = request.look([part.start + (each + 0.5) * pace for each in range(number)])
        seen = [each for each in looked if _wide_enough(each[1])]
        inside = [each for each in seen if part.start <= each[0] <= part.end]
        before = [each for each in seen if each[0] < part.start]
        standing = [(part.start, image) for _, image in before[-1:] or seen[:1]]
        frames = tuple((time - clip.start, image) for time, image in inside or standing)
        return Shown(request.text, frames)

    def _inputs(self, shown: Shown, name: str, **told: str) -> Any:
        """A turn of the chat, as the model's processor makes it."""
        prompt, processor = load(name), self._model.processor
        said: list[dict[str, str]] = []
        for time, _ in shown.frames:
            said += [_words(f"<{time:.1f} seconds>"), {"type": "image"}]
        said.append(_words(prompt.fill({"query": _quoted(shown.question), **told})))
        chat = [
            {"role": "system", "content": [_words(prompt.system)]},
            {"role": "user", "content": said},
        ]
        text = processor.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        if text.rstrip().endswith("<think>"):
            raise self._model.refusal("it thinks before it answers: take the Instruct one")
        least = min(self._settings.pixels, processor.image_processor.size["shortest_edge"])
        made = processor(
            text=[text],
            images=[image for _, image in shown.frames],
            min_pixels=least,
            max_pixels=self._settings.pixels,
            input_data_format="channels_last",
            return_tensors="pt",
        )
        return made.to(self._model.network.device)

    def _answer(self, inputs: Any) -> str:
        """What the model writes: always its likeliest token."""
        import torch
        from transformers import GenerationConfig

        plain = GenerationConfig(do_sample=False, max_new_tokens=ANSWER)
        with torch.inference_mode():
            # Its own settings would punish it for repeating itself, as JSON must.
            made = self._model.network.generate(
                **inputs, generation_config=plain, use_model_defaults=False
            )
        answer = made[0, inputs["input_ids"].shape[1] :]
        return str(self._model.processor.tokenizer.decode(answer, skip_special_tokens=True))

    def _chance(self, shown: Shown, name: str, **told: str) -> float:
        """Probability that the answer's first token is a yes, given that it is a yes or a no."""
        import torch

        inputs = self._inputs(shown, name, **told)
        with torch.inference_mode():
            made = self._model.network(**inputs, logits_to_keep=1, use_cache=False)
        logits = made.logits[0, -1].double().cpu()
        if not torch.isfinite(logits).all():
            raise self._model.refusal("it answers with what is no number")
        yes, no = (logits[self._tokens(words)].logsumexp(0) for words in (YES, NO))
        return float(torch.sigmoid(yes - no))

    def _tokens(self, words: tuple[str, ...]) -> list[int]:
        """Those of the words that are one token, by its number."""
        tokenizer = self._model.processor.tokenizer
        cut = (tokenizer.encode(word, add_special_tokens=False) for word in words)
        if whole := sorted({tokens[0] for tokens in cut if len(tokens) == 1}):
            return whole
        raise self._model.refusal(f"its tokenizer has no {words[0]}")


def _wide_enough(image: Image) -> bool:
    height, width = image.shape[:2]
    return bool(max(height, width) < SLIVER * min(height, width))


def _words(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def _quoted(text: str) -> str:
    """As JSON in which no token of the chat's own, such as the end of a turn, can stand."""
    return json.dumps(text, ensure_ascii=False).replace("<", "\\u003c")
