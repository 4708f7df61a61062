"""A video-language model in memory: weighed before it is loaded, alone there, and let go.

Of all models that come through here one is in memory at a time: whoever needs another waits until
the first is through with its question, and takes its place.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from functools import cached_property
from importlib.util import find_spec
from threading import RLock
from typing import Any, TypeVar

from vmr_agent import memory
from vmr_agent.adapters.device import CPU, quick_bfloat16
from vmr_agent.adapters.published import FAILURES, LOCAL, Published, quiet
from vmr_agent.errors import MachineError
from vmr_agent.footprint import WHOLE, Footprint, Precision, footprint
from vmr_agent.thresholds import VisionSettings

T = TypeVar("T")

EXTRA = ("bitsandbytes", "accelerate")
"""Packages that 4-bit weights take."""
INSTALL = 'pip install "vmr_agent[vision]"'
STARVED = ("out of memory", "not enough memory", "allocate memory")
"""Words in which torch says that there was not enough, on a card or beside it."""
GIB = 2**30

_turn = RLock()  # whoever is at work with a model has it


class Resident:
    """A model that is in memory while it is worked with. ``resident.work(lambda: …)``."""

    _here: Callable[[], Resident | None] = staticmethod(lambda: None)
    """Whose model is in memory, of all."""

    def __init__(self, model: str, device: str, settings: VisionSettings) -> None:
        self._published, self._device, self._settings = Published(model), device, settings
        self.network: Any = None
        """The model, ready to judge; None unless at work."""
        self.processor: Any = None
        """What makes its input of words and pictures; None unless at work."""

    @cached_property
    def name(self) -> str:
        """The model's, and the numbers it computes with. Raises WeightsError without its files."""
        return f"{self._published.name} {self._precision}"

    def refusal(self, reason: object) -> Exception:
        """A WeightsError that says why the model will not do, and what would."""
        return self._published.refusal(reason)

    def check(self) -> None:
        """Whether it could be loaded, without doing it.

        Raises WeightsError for files that will not do, MachineError for a machine that will not.
        """
        lacking = [each for each in EXTRA if find_spec(each) is None]
        if self._settings.quantized and lacking:
            raise MachineError(
                f"VMR_VISION__QUANTIZED needs {' and '.join(lacking)}: run {INSTALL}, or set it to "
                "false"
            )
        if self._settings.quantized and self._device == CPU and find_spec("kernels"):
            raise MachineError(
                "VMR_VISION__QUANTIZED on the CPU would have bitsandbytes fetch code through the "
                "package kernels: uninstall that, or set it to false"
            )
        if self.network is None:
            self._fit(self._footprint)

    def work(self, do: Callable[[], T]) -> T:
        """What ``do`` makes with the model in memory, and no other.

        Raises WeightsError or MachineError as ``check`` does, and MachineError out of memory.
        """
        with _turn:
            try:
                return self._tried(do)
            finally:
                if not self._settings.stay:
                    self.unload()

    def unload(self) -> None:
        """Out of memory with it. Waits for whoever is at work with a model."""
        with _turn:
            if self.network is None and self.processor is None:
                return
            self.network = self.processor = None
            gc.collect()  # its layers know each other
            if self._device != CPU:
                import torch

                torch.cuda.empty_cache()
            memory.give_back()

    def _tried(self, do: Callable[[], T]) -> T:
        try:
            other = Resident._here()
            if other is not None and other is not self:
                other.unload()
            self.check()
            if self.network is None:
                Resident._here = weakref.ref(self)
                self._load()
            return do()
        except (RuntimeError, MemoryError) as error:
            if not starved(error):
                raise
        # Only now: up to here the error's frames held what there was no room for.
        self.unload()
        raise self._too_large("ran out of memory")

    @cached_property
    def _precision(self) -> Precision:
        if self._settings.quantized:
            return "4-bit"
        return "bfloat16" if quick_bfloat16(self._device) else "float32"

    @property
    def _footprint(self) -> Footprint:
        known, looks = self._published, self._settings
        return footprint(known.shapes, known.build, self._precision, looks.frames, looks.pixels)

    def _fit(self, need: Footprint) -> None:
        """Raises MachineError where memory is short. Where nobody tells, it is tried."""
        free = _free(self._device)
        if free is not None and need.total > free:
            raise self._too_large(
                f"needs {need.total / GIB:.1f} GiB, {need.weights / GIB:.1f} of them for its "
                f"weights, and {free / GIB:.1f} are free on {self._device}"
            )
        free = None if self._device == CPU or _straight() else memory.available()
        if free is not None and need.weights > free:
            raise MachineError(
                f"{self._published.model} takes {need.weights / GIB:.1f} GiB of main memory on its "
                f"way to {self._device} and {free / GIB:.1f} are free: run {INSTALL}, which spares "
                "it that way"
            )

    def _too_large(self, what: str) -> MachineError:
        looks = self._settings
        smaller = "" if looks.quantized else " set VMR_VISION__QUANTIZED=true,"
        return MachineError(
            f"{self._published.model} {what}: lower VMR_VISION__FRAMES ({looks.frames}) or "
            f"VMR_VISION__PIXELS ({looks.pixels}),{smaller} or name a smaller model in "
            "VMR_MODELS__GROUNDER"
        )

    def _load(self) -> None:
        from safetensors import SafetensorError
        from transformers import AutoProcessor

        folder = self._published.folder
        try:
            with quiet():
                self.processor = AutoProcessor.from_pretrained(folder, use_fast=True, **LOCAL)
                self.network = self._weights()
        except (*FAILURES, SafetensorError) as error:
            self.unload()
            if starved(error):
                raise
            raise self.refusal(error) from error

    def _weights(self) -> Any:
        """The network with every weight from its files, on its device."""
        import torch
        from transformers import AutoModelForImageTextToText, BitsAndBytesConfig

        kind = torch.bfloat16 if quick_bfloat16(self._device) else torch.float32
        how: dict[str, Any] = {"dtype": kind, "attn_implementation": "sdpa", **LOCAL}
        if self._settings.quantized:
            how["quantization_config"] = BitsAndBytesConfig(
                load_in_4bit=True,
                bnb_4bit_quant_type="nf4",
                bnb_4bit_use_double_quant=True,
                bnb_4bit_compute_dtype=kind,
                llm_int8_skip_modules=[*WHOLE],
            )
        if straight := _straight():
            how["device_map"] = {"": self._device}
        network, told = AutoModelForImageTextToText.from_pretrained(
            self._published.folder, use_safetensors=True, output_loading_info=True, **how
        )
        # transformers fills in random numbers for weights that a file lacks, and only logs it.
        if missing := sorted(told["missing_keys"]):
            raise ValueError(f"its weights lack {missing[0]} and {len(missing) - 1} more")
        return (network if straight else network.to(self._device)).eval()


def starved(error: BaseException) -> bool:
    """Whether it says that there was not enough memory."""
    words = str(error).lower()
    return isinstance(error, MemoryError) or any(each in words for each in STARVED)


def _straight() -> bool:
    """Whether weights go to their device one by one, not by way of main memory."""
    return find_spec("accelerate") is not None


def _free(device: str) -> int | None:
    """Bytes that a model may take; what torch keeps for later is free to it."""
    if device == CPU:
        return memory.available()
    import torch

    kept = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
    return int(torch.cuda.mem_get_info()[0] + kept)
