"""Names sounds: a tagger from a folder or the model hub's cache, on top of what levels tell.

Two kinds of weights, told apart by their ``config.json``: CLAP, which compares a sound with any
words and is asked for the ``FAMILIES`` of everyday sounds, and whatever transformers loads as an
audio classifier (AST trained on AudioSet, and its like), which has classes of its own.

The traps here: transformers fills in random numbers for weights that a file lacks, and only logs
it; published AudioSet models do not say that their classes do not exclude one another; CLAP's
preprocessing marks a random sound of every batch as a long one.
"""

from __future__ import annotations

import hashlib
import json
import textwrap
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from vmr_agent.adapters import weights
from vmr_agent.adapters.device import CPU
from vmr_agent.adapters.published import quiet
from vmr_agent.errors import WeightsError
from vmr_agent.protocols import Array, Listener
from vmr_agent.sounds import FAMILIES

WINDOW = 4
"""Seconds heard together. Taggers are trained on ten, in which a bark is hard to place."""
HOP = 2
"""Seconds from one window to the next. On two cores a window takes CLAP 0.4 s and AST 2 s."""
BATCH = 8
"""Windows run together."""
INAUDIBLE = -70.0
"""dBFS up to which a second sounds like nothing, whatever a tagger makes of a codec's residue."""
AUDIOSET = 527
"""How many classes AudioSet has: its models seldom say that several of them may sound at once."""

PROMPT = "This is a sound of {}."
BACKGROUND = (
    *("silence", "background noise", "a quiet room", "static", "a low hum"),
    *("a person speaking", "people talking"),
)
"""What else may be heard. Speech is here because the detector of ``Levels`` tells it better."""

FILES = (
    *("config.json", "preprocessor_config.json", "*.safetensors", "*.safetensors.index.json"),
    *("tokenizer*.json", "vocab.json", "merges.txt", "special_tokens_map.json"),
)
"""What is read of a model's folder. Pickled weights are not: they are programs."""
KNOWN = (
    "laion/clap-htsat-unfused",
    "laion/clap-htsat-fused",
    "MIT/ast-finetuned-audioset-10-10-0.4593",
)
"""Taggers that are taken without being named, the quickest first."""

# The default leaves mirror images 50 dB down, which in a spectrogram in decibels are plain to see.
_KAISER: dict[str, Any] = {"resampling_method": "sinc_interp_kaiser", "beta": 14.77}
_CLEAN: dict[str, Any] = {"lowpass_filter_width": 64, "rolloff": 0.9476, **_KAISER}
_ASKED = tuple(name for family in FAMILIES for name in family)
_SEVERAL = "multi_label_classification"
_LOCAL = {"local_files_only": True, "trust_remote_code": False}
_FAILURES = (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, ImportError)


class Tagger:
    """Levels and sound classes per second. ``Tagger(Levels(), "models/ast")``, a ``Listener``.

    ``model`` is a folder that transformers can load, or a hub name (from the cache alone when
    HF_HUB_OFFLINE is set). Making one is cheap. ``name`` and ``classes`` need the files, the
    first audible ``listen`` loads them; each may raise WeightsError.
    """

    def __init__(self, levels: Listener, model: str, device: str = CPU) -> None:
        self._levels, self._model, self._device = levels, model, device

    @cached_property
    def name(self) -> str:
        """The levels', the model's, and a digest of its files and of what it is asked."""
        files = sorted({file for kind in FILES for file in self._folder.glob(kind)})
        asked = (WINDOW, HOP, INAUDIBLE, PROMPT, FAMILIES, BACKGROUND)
        marks = [f"{file.name} {weights.digest(file)}" for file in files]
        mark = hashlib.sha256(repr((marks, asked)).encode()).hexdigest()[:8]
        called = self._folder.resolve().name if Path(self._model).is_dir() else self._model
        return f"{self._levels.name} + {called} {mark}"

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the sound classes, lower case."""
        if self._config.get("model_type") == "clap":
            return _ASKED
        try:
            labels = self._config["id2label"]
            return tuple(labels[str(index)].lower() for index in range(len(labels)))
        except _FAILURES as error:
            raise self._refusal(f"its config.json names no classes ({error!r})") from error

    def listen(self, samples: Array, rate: int, voice: Array) -> Array:
        """``(S, 2 + C)``: what the levels' listener tells, then a probability for each class.

        Each second gets the mean of the windows over it. No window reaches beyond the samples, so
        where a film is cut (at even seconds), ``WINDOW - HOP`` seconds on each side depend on it.
        """
        levels = self._levels.listen(samples, rate, voice)
        audible = levels[:, 0] > INAUDIBLE
        total = np.zeros((len(levels), len(self.classes)), np.float32)
        count = np.zeros((len(levels), 1), np.float32)
        length = min(WINDOW, len(levels))
        starts = [s for s in _starts(len(levels), length) if audible[s : s + length].any()]
        if starts:
            padded = np.pad(samples, (0, len(levels) * rate - len(samples)))
            for start, found in zip(starts, self._tag(padded, rate, starts, length), strict=True):
                total[start : start + length] += found
                count[start : start + length] += 1
        tags = np.where(audible[:, None], total / np.maximum(count, 1), 0)
        return np.concatenate([levels, tags], axis=1).astype(np.float32)

    def _tag(self, samples: Array, rate: int, starts: list[int], length: int) -> Array:
        """A row of probabilities for each window of so many seconds."""
        import torch
        from torchaudio.functional import resample

        model = self._loaded
        sound = resample(torch.from_numpy(samples), rate, model.rate, **_CLEAN).numpy()
        cut = [sound[s * model.rate : (s + length) * model.rate] for s in starts]
        with torch.inference_mode():
            batches = [model.hear(cut[i : i + BATCH]) for i in range(0, len(cut), BATCH)]
        return np.concatenate(batches)

    @cached_property
    def _folder(self) -> Path:
        try:
            folder = Path(self._model) if Path(self._model).is_dir() else _fetched(self._model)
        except _FAILURES as error:
            raise self._refusal(error) from error
        if file := _lacking(folder):
            raise self._refusal(f"it has no {file} (pickled weights are not loaded)")
        return folder

    @cached_property
    def _config(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self._folder / "config.json").read_bytes()))
        except _FAILURES as error:
            raise self._refusal(error) from error

    @cached_property
    def _loaded(self) -> _Model:
        from safetensors import SafetensorError

        make = _ZeroShot if self.classes is _ASKED else _Classifier
        try:
            with quiet():
                return make(self._folder, self._device)
        except (*_FAILURES, SafetensorError) as error:
            raise self._refusal(error) from error

    def _refusal(self, reason: object) -> WeightsError:
        line = textwrap.shorten(str(reason), 200, placeholder=" …")
        return WeightsError(
            f"no sound tagger can be loaded from {self._model}: {line}; set VMR_MODELS__TAGGER to "
            "off, to a folder with model.safetensors, or to a model in the hub's cache"
        )


def nearby() -> str | None:
    """The first of the ``KNOWN`` taggers that lies in the hub's cache, with weights that load."""
    from huggingface_hub.constants import HF_HUB_CACHE

    # Looking for the folders first spares the half second that importing the hub's client takes.
    places = {name: Path(HF_HUB_CACHE) / f"models--{name.replace('/', '--')}" for name in KNOWN}
    likely = (name for name, place in places.items() if place.is_dir())
    found = ((name, _snapshot(name, local_files_only=True)) for name in likely)
    return next((name for name, folder in found if folder and not _lacking(folder)), None)


def _fetched(name: str) -> Path:
    """The model's folder in the hub's cache. The hub is asked only for what is not there."""
    from huggingface_hub.constants import HF_HUB_OFFLINE

    folder = _snapshot(name, local_files_only=True)
    if not HF_HUB_OFFLINE and (folder is None or _lacking(folder)):
        folder = _snapshot(name)
    if folder is None:
        raise OSError("it is neither a folder nor a model in the hub's cache")
    return folder


def _snapshot(name: str, **how: Any) -> Path | None:
    from huggingface_hub import errors, snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=[*FILES], **how))
    except (errors.LocalEntryNotFoundError, errors.HFValidationError):
        return None


def _lacking(folder: Path) -> str | None:
    """The first file that is needed and not there."""
    config = folder / "config.json"
    words = ["tokenizer.json"] if config.is_file() and b'"clap"' in config.read_bytes() else []
    needed = [config.name, "preprocessor_config.json", "*.safetensors", *words]
    return next((name for name in needed if not any(folder.glob(name))), None)


def _starts(seconds: int, length: int) -> list[int]:
    """Where windows of so many seconds start: every ``HOP``, and so that the last one ends last."""
    return sorted({*range(0, seconds - length, HOP), seconds - length}) if seconds else []


class _Model(Protocol):
    rate: int

    def hear(self, sounds: list[Array]) -> Array:
        """Probabilities (N, C) for N sounds of one length at the model's own rate."""
        ...


class _Classifier:
    """A model trained to tell classes of its own."""

    def __init__(self, folder: Path, device: str) -> None:
        from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

        self._extract = AutoFeatureExtractor.from_pretrained(folder, **_LOCAL)
        self._model = _whole(AutoModelForAudioClassification, folder).to(device)
        self._device, self.rate = device, int(self._extract.sampling_rate)
        config = self._model.config
        several = config.num_labels in (1, AUDIOSET)
        self._several = (config.problem_type or several * _SEVERAL) == _SEVERAL

    def hear(self, sounds: list[Array]) -> Array:
        batch = self._extract(sounds, sampling_rate=self.rate, return_tensors="pt")
        logits = self._model(**batch.to(self._device)).logits
        odds = logits.sigmoid() if self._several else logits.softmax(dim=-1)
        return np.asarray(odds.cpu().numpy(), np.float32)


class _ZeroShot:
    """CLAP: a softmax, at its own temperature, of each class against all that is unlike it.

    So 0.5 says that a class alone is as likely as everything else together.
    """

    def __init__(self, folder: Path, device: str) -> None:
        import torch
        from transformers import ClapModel, ClapProcessor

        processor = ClapProcessor.from_pretrained(folder, **_LOCAL)
        self._extract = processor.feature_extractor
        self._model = _whole(ClapModel, folder).to(device)
        self._device, self.rate = device, int(self._extract.sampling_rate)
        prompts = [PROMPT.format(name) for name in (*_ASKED, *BACKGROUND)]
        tokens = processor.tokenizer(prompts, padding=True, return_tensors="pt").to(device)
        with torch.inference_mode():
            self._texts = self._model.get_text_features(**tokens)
            self._scale = self._model.logit_scale_a.exp()
        line = [number for number, family in enumerate(FAMILIES) for _ in family]
        rivals = np.array([*line, *(-1 for _ in BACKGROUND)])[:, None] != np.array(line)
        self._rivals = torch.from_numpy(rivals).float().to(device)

    def hear(self, sounds: list[Array]) -> Array:
        batch = self._extract(sounds, sampling_rate=self.rate, return_tensors="pt")
        batch["is_longer"].zero_()
        heard = self._model.get_audio_features(**batch.to(self._device))
        logits = self._scale * heard @ self._texts.T
        odds = (logits - logits.max(dim=1, keepdim=True).values).exp()
        asked = odds[:, : self._rivals.shape[1]]
        return np.asarray((asked / (asked + odds @ self._rivals)).cpu().numpy(), np.float32)


def _whole(kind: Any, folder: Path) -> Any:
    """The model with every weight from its file. Raises ValueError where one is missing."""
    model, told = kind.from_pretrained(
        folder, use_safetensors=True, output_loading_info=True, **_LOCAL
    )
    if missing := sorted(told["missing_keys"]):
        raise ValueError(f"its weights lack {missing[0]} and {len(missing) - 1} more")
    return model.eval()
