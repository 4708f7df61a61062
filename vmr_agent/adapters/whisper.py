"""Hears words: WhisperX's recipe, with its aligner where that is in the cache.

Speech (see ``voice``), cut and merged into windows of at most 30 s, recognised together by
faster-whisper. Word times come from WhisperX's forced alignment, or from the recogniser's
attention. Importing whisperx takes 15 s and 900 MB, so it happens only where its aligner can run,
or when asked for. Where speech is found by mistake, the two limits of ``TranscribeSettings`` drop
what Whisper makes up over noise, tones and drums.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from vmr_agent.adapters import weights
from vmr_agent.adapters.device import CPU, give_way, halves, workers
from vmr_agent.errors import MachineError, WeightsError
from vmr_agent.protocols import Array
from vmr_agent.settings import TranscribeSettings
from vmr_agent.spoken import (
    PAD,
    WINDOW,
    Heard,
    Stretch,
    merge,
    on_time,
    sentences,
    stretches,
    voiced,
)
from vmr_agent.types import Utterance

Aligner = tuple[Any, dict[str, Any]]

RATE = 16_000
"""Samples per second that Whisper was trained on."""
SILENCE = 0.5
"""Seconds without a voice that end a stretch of speech."""
LOOP = 6.0
"""Compression ratio above which a window is a decoding loop. Real speech said twice has 2.5."""

PACKAGED = {"packaged": "whisper-base", "packaged-tiny": "whisper-tiny.en"}
"""Models that come inside wheels."""
ENGLISH = "en"

_UNSPACED = ("ja", "zh")


class WhisperX:
    """Speech to words. ``WhisperX(home).transcribe(samples, 16_000, voice)``.

    ``model`` is ``packaged`` (base), ``packaged-tiny`` (which knows English alone: blocks in other
    languages are given to base), a folder that faster-whisper loads, or a model name (from its
    cache when HF_HUB_OFFLINE is set). ``full`` loads it through whisperx and aligns where it can;
    None does so when some aligner is in the cache. Making one is cheap; the first speech loads it,
    and may raise WeightsError. MachineError says when memory runs out.
    """

    def __init__(
        self,
        home: Path,
        model: str = "packaged",
        device: str = CPU,
        language: str | None = None,
        settings: TranscribeSettings | None = None,
        full: bool | None = None,
    ) -> None:
        self._home, self._model, self._device = home, model, device
        self._language, self._settings = language, settings or TranscribeSettings()
        self._full = _aligner_nearby() if full is None else full
        # Always the same threads: each keeps tens of megabytes that are never given back.
        self._hands = ThreadPoolExecutor(workers(share=1))
        self._ear, self._guess = ThreadPoolExecutor(1), language
        self._compute = "float16" if halves(device) else "int8"
        origin = f"{PACKAGED[model]} (packaged, " if model in PACKAGED else f"{Path(model).name} ("
        self.name = f"{origin}{self._compute}{', aligning' if self._full else ''})"

    def transcribe(self, samples: Array, rate: int, voice: Array) -> tuple[Utterance, ...]:
        """Sentences with word times relative to the first sample; empty when nobody speaks.

        ``samples`` is ``(T,)`` mono in [-1, 1] at 16 kHz; raises ValueError at another rate.
        """
        if rate != RATE:
            raise ValueError(f"Whisper hears {RATE} samples per second, got {rate}")
        duration = len(samples) / RATE
        speech = stretches(voice, duration, SILENCE, WINDOW - 2 * PAD - 1)
        if not speech:
            return ()
        found, language = self._recognise(samples, merge(speech, duration))
        words = [
            word
            for window in found
            if self._believed(window)
            for word in self._aligned(window, language, samples)
        ]
        said = sentences([on_time(word, speech) for word in words], duration)
        return tuple(each for each in said if voiced(each.span, speech))

    def _recognise(self, samples: Array, windows: Sequence[Stretch]) -> tuple[list[Any], str]:
        """What is said in each window, tried in the language last heard until it is found out."""
        telling = self._ear.submit(self._tell, samples, windows)
        guess = self._guess
        found = self._in(guess, samples, windows) if guess else []
        language = self._guess = telling.result()
        return (found if language == guess else self._in(language, samples, windows)), language

    def _tell(self, samples: Array, windows: Sequence[Stretch]) -> str:
        """The language: told by the longest window unless given."""
        if self._language is not None:
            return self._language
        start, end = max(windows, key=lambda window: window[1] - window[0])
        speech = samples[round(start * RATE) : round(end * RATE)]
        return str(self._linguist.detect_language(speech)[0])

    def _in(self, language: str, samples: Array, windows: Sequence[Stretch]) -> list[Any]:
        from faster_whisper import BatchedInferencePipeline

        fits = language == ENGLISH or self._model != "packaged-tiny"
        recogniser, size = self._recogniser if fits else self._linguist, self._settings.batch

        def recognise(part: Sequence[Stretch]) -> list[Any]:
            found, _ = BatchedInferencePipeline(recogniser).transcribe(
                samples,
                language=language,
                clip_timestamps=[{"start": start, "end": end} for start, end in part],
                word_timestamps=True,
                batch_size=size,
            )
            return list(found)

        try:
            parts = self._hands.map(recognise, shared_out(windows, size, workers(share=1)))
            return [window for part in parts for window in part]
        except RuntimeError as error:
            if "out of memory" not in str(error):
                raise
            raise MachineError(
                f"Whisper ran out of memory: lower VMR_TRANSCRIBE__BATCH ({size})"
            ) from error

    def _believed(self, window: Any) -> bool:
        return bool(
            window.avg_logprob >= self._settings.min_logprob
            and window.no_speech_prob <= self._settings.max_no_speech
            and window.compression_ratio <= LOOP
        )

    def _aligned(self, window: Any, language: str, samples: Array) -> list[Heard]:
        """The window's words, with aligned times if all of them could be aligned."""
        attended = [Heard(w.word, w.start, w.end, "attention") for w in window.words]
        if not self._full or (aligner := self._aligner(language)) is None:
            return attended
        import whisperx

        segment = {"text": window.text.strip(), "start": window.start, "end": window.end}
        with _quiet():
            words = whisperx.align([segment], *aligner, samples, self._device)["word_segments"]
        if not words or any("start" not in word or "end" not in word for word in words):
            return attended
        space = "" if language in _UNSPACED else " "
        return [Heard(space + w["word"], w["start"], w["end"], "aligned") for w in words]

    @cached_property
    def _recogniser(self) -> Any:
        return self._load(self._model)

    @property
    def _linguist(self) -> Any:
        """Somebody who knows many languages."""
        return self._base if self._model == "packaged-tiny" else self._recogniser

    @cached_property
    def _base(self) -> Any:
        return self._load("packaged")

    def _load(self, model: str) -> Any:
        from huggingface_hub.constants import HF_HUB_OFFLINE

        source = model
        if model in PACKAGED:
            tiny = model == "packaged-tiny"
            source = str(weights.whisper_tiny() if tiny else weights.whisper_base(self._home))
        options = {
            "device": self._device,
            "compute_type": self._compute,
            "local_files_only": model in PACKAGED or HF_HUB_OFFLINE,
        }
        try:
            with ThreadPoolExecutor(1, initializer=give_way) as loader:
                load = _load_full if self._full else _load
                return loader.submit(load, source, options).result()
        except (OSError, RuntimeError, ValueError) as error:
            raise WeightsError(
                f"Whisper cannot be loaded from {source}: {error}; set VMR_MODELS__WHISPER to "
                "packaged, a folder with model.bin and tokenizer.json, or a model in the cache"
            ) from error

    def _aligner(self, language: str) -> Aligner | None:
        if language not in self._aligners:
            self._aligners[language] = _load_aligner(language, self._device)
        return self._aligners[language]

    @cached_property
    def _aligners(self) -> dict[str, Aligner | None]:
        return {}


def shared_out(windows: Sequence[Stretch], most: int, hands: int) -> list[Sequence[Stretch]]:
    """In order, in batches of at most ``most``: as many for each hand, and all about as large."""
    count = max(1, -(-len(windows) // (most * hands))) * hands
    ends = [round(len(windows) * part / count) for part in range(count + 1)]
    return [windows[here:there] for here, there in pairwise(ends) if here < there]


def _load(source: str, options: dict[str, Any]) -> Any:
    from faster_whisper import WhisperModel

    # Windows are recognised side by side, one core each: threads within one gain far less.
    return WhisperModel(source, cpu_threads=1, num_workers=workers(share=1), **options)


def _load_full(source: str, options: dict[str, Any]) -> Any:
    with _quiet():
        import whisperx

        # Any detector will do: ours has spoken, and this keeps pyannote's from being loaded.
        return whisperx.load_model(source, vad_model=object(), threads=1, **options).model


def _load_aligner(language: str, device: str) -> Aligner | None:
    """WhisperX's aligner for the language, None where it, or nltk's Punkt, is not in the cache."""
    with _quiet():
        from whisperx import alignment

        if name := alignment.DEFAULT_ALIGN_MODELS_TORCH.get(language):
            bundle = alignment.torchaudio.pipelines.__dict__[name]
            cached = (_torch_cache() / bundle._path).is_file()
        else:
            cached = _in_hub_cache(alignment.DEFAULT_ALIGN_MODELS_HF.get(language, ""))
        if not cached:
            return None
        try:
            alignment.nltk.data.find("tokenizers/punkt_tab")
            model, about = alignment.load_align_model(language, device, model_cache_only=True)
        except (LookupError, ValueError):  # nltk's and whisperx's ways of saying: not in the cache
            return None
        return model, about


def _in_hub_cache(name: str) -> bool:
    if not name or Path(name).is_dir():
        return bool(name)
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(name, "config.json"), str)


def _torch_cache() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "torch"
    return Path(os.environ.get("TORCH_HOME", home)) / "hub" / "checkpoints"


def _aligner_nearby() -> bool:
    """Whether anything that looks like an aligner is in the caches of torch or the model hub."""
    from huggingface_hub.constants import HF_HUB_CACHE

    marks = ("wav2vec", "voxpopuli", "xls-r", "voxrex", "parlaspeech")
    folders = [folder for folder in (_torch_cache(), Path(HF_HUB_CACHE)) if folder.is_dir()]
    names = (path.name.lower() for folder in folders for path in folder.iterdir())
    return any(mark in name for name in names for mark in marks)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep whisperx and what it imports from talking, and pyannote from calling home."""
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    logger = logging.getLogger("whisperx")
    if not logger.handlers:
        # With a handler in place whisperx does not install its own, which writes to stdout.
        logger.addHandler(logging.NullHandler())
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
