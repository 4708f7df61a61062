"""A published video-language model on disk: found, told from others, and refused by name.

Nothing is ever fetched, no code that comes with weights is run, and weights are safetensors alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import textwrap
import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from vmr_agent.errors import WeightsError
from vmr_agent.footprint import Build, Shapes, build, shapes

KNOWN = ("qwen2_5_vl", "qwen3_vl")
"""Kinds of models, as their config.json calls them, that this was tried with."""
FILES = ("*.json", "*.jinja", "merges.txt", "*.safetensors")
"""What is read of a model's folder. Pickled weights are not: they are programs."""
NEEDED = ("config.json", "preprocessor_config.json", "tokenizer_config.json", "*.safetensors")
"""What it cannot do without."""
SAMPLES, SAMPLE = 16, 65_536
"""Pieces of a file, and bytes of each, that tell it from another: to read all of 16 GB would take
longer than to load them, and training changes every piece."""
LOCAL = {"local_files_only": True, "trust_remote_code": False}
"""How transformers is told to keep to the folder."""
FAILURES = (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, ImportError)
"""Ways in which transformers says that a folder will not do."""


class Published:
    """The model in a folder, or of this name in the hub's cache. Making one does no work."""

    def __init__(self, model: str) -> None:
        self.model = model

    @cached_property
    def name(self) -> str:
        """The model's, and a digest of its files. Raises WeightsError without them."""
        marks = hashlib.sha256()
        for path in sorted({path for kind in FILES for path in self.folder.glob(kind)}):
            marks.update(f"{path.name} {path.stat().st_size}\n".encode())
            for piece in _pieces(path):
                marks.update(piece)
        called = self.folder.resolve().name if Path(self.model).is_dir() else self.model
        return f"{called} {marks.hexdigest()[:8]}"

    @cached_property
    def folder(self) -> Path:
        """Where its files are. Raises WeightsError where one that is needed is not."""
        folder = Path(self.model) if Path(self.model).is_dir() else _cached(self.model)
        if folder is None:
            raise self.refusal("it is neither a folder nor a model in the hub's cache")
        if lacking := [name for name in NEEDED if not any(folder.glob(name))]:
            raise self.refusal(f"it has no {lacking[0]} (pickled weights are not loaded)")
        return folder

    @cached_property
    def build(self) -> Build:
        """What of its configuration tells its needs. Raises WeightsError for another kind."""
        try:
            told = json.loads((self.folder / "config.json").read_bytes())
            if told.get("model_type") not in KNOWN:
                raise ValueError(f"it is a {told.get('model_type')}, not one of {', '.join(KNOWN)}")
            if told.get("quantization_config"):
                raise ValueError("it is quantized already: take the weights it was made from")
            from transformers import AutoConfig

            with quiet():
                return build(AutoConfig.from_pretrained(self.folder, **LOCAL))
        except FAILURES as error:
            raise self.refusal(error) from error

    @cached_property
    def shapes(self) -> Shapes:
        """Of all its tensors. Raises WeightsError for a file that does not list them."""
        try:
            return shapes(self.folder)
        except FAILURES as error:
            raise self.refusal(error) from error

    def refusal(self, reason: object) -> WeightsError:
        """That it will not do, and what would."""
        line = textwrap.shorten(str(reason), 200, placeholder=" …")
        return WeightsError(
            f"no video-language model can be loaded from {self.model}: {line}; set "
            "VMR_MODELS__GROUNDER to vision:FOLDER, with a Qwen2.5-VL or Qwen3-VL as published"
        )


def _cached(name: str) -> Path | None:
    """The model's folder in the hub's cache; the hub itself is not asked."""
    from huggingface_hub import errors, snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=[*FILES], local_files_only=True))
    except (errors.LocalEntryNotFoundError, errors.HFValidationError):
        return None


def _pieces(path: Path) -> Iterator[bytes]:
    """The whole of a small file; pieces of a large one, its first and its last among them."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= SAMPLES * SAMPLE:
            yield file.read()
            return
        for number in range(SAMPLES):
            file.seek((size - SAMPLE) * number // (SAMPLES - 1))
            yield file.read(SAMPLE)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from talking, and leave it as talkative as it was."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
