"""A network on disk: ``weights.safetensors``, and ``card.json`` that says what it was made for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import torch
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from vmr_agent.errors import WeightsError
from vmr_agent.grounding.gate import Gated
from vmr_agent.grounding.inputs import FORM, PER_CURVE
from vmr_agent.grounding.network import Network, Sizes
from vmr_agent.grounding.selector import Nature, Selector

WEIGHTS, CARD = "weights.safetensors", "card.json"
Kind = Literal["ground", "audio-gate", "selector"]
"""What can be trained, as ``vmr train`` calls it."""
M = TypeVar("M", bound=nn.Module)


def _apart(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("two of them have the same name")
    return names


Names = Annotated[tuple[str, ...], AfterValidator(_apart)]
WIDEST = 4096
"""Of any layer."""


class Card(BaseModel):
    """What weights were made for, and from what."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    kind: Kind = "ground"
    """Which network it is."""
    form: int = FORM
    """Of the network."""
    channels: Names
    """Names of the curves it reads, in order."""
    sources: Names
    """Who makes its candidates, in order."""
    step: Annotated[FiniteFloat, Field(gt=0)] | None
    """Seconds of a step; None if it was trained for steps of any length."""
    width: int = Field(ge=1, le=WIDEST)
    """See ``Sizes``."""
    hidden: int = Field(ge=1, le=WIDEST)
    """See ``Sizes``."""
    sharpness: FiniteFloat = Field(gt=0, le=100)
    """What its logits over windows are multiplied by, so that what comes out are probabilities."""
    candidates: int = Field(default=10, ge=1, le=1000)
    """Of each source, the best ones: so many it reads."""
    data: str
    """What it was trained on."""
    licence: str
    """Of that."""
    commit: str
    """Of this project, when it was trained."""
    seed: int
    """Of the training."""
    metrics: dict[str, float]
    """What it reached, by the name of the figure."""


def save(network: nn.Module, card: Card, folder: Path) -> None:
    """Write both files; a folder that is half written has no card and is refused."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD).unlink(missing_ok=True)
    weights = {
        name: part.detach().cpu().contiguous() for name, part in network.state_dict().items()
    }
    save_file(weights, folder / WEIGHTS)
    part = folder / f".{CARD}.part"
    part.write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
    part.replace(folder / CARD)


def load(
    folder: Path, channels: tuple[str, ...], sources: tuple[str, ...], device: str = "cpu"
) -> tuple[Network, Card]:
    """The network, ready to judge. Raises WeightsError, by name, if it does not fit its use."""
    card = _fitting(folder, "ground", channels, sources)
    return _filled(Network(_sizes(card)), folder, device), card


def load_gated(
    folder: Path, channels: tuple[str, ...], sources: tuple[str, ...], device: str = "cpu"
) -> tuple[Gated, Card]:
    """The network of two sources with its gate; else as ``load``."""
    card = _fitting(folder, "audio-gate", channels, sources)
    return _filled(Gated(_sizes(card)), folder, device), card


def load_selector(
    folder: Path, channels: tuple[str, ...], sources: tuple[str, ...], device: str = "cpu"
) -> tuple[Selector, Card]:
    """The selector, whose ``channels`` are the free curves and then the dear one; else as ``load``.

    What the dear curve is like on the whole comes with it.
    """
    card = _fitting(folder, "selector", channels, sources)
    sizes = _sizes(card)
    free = sizes._replace(channels=sizes.channels - PER_CURVE)
    return _filled(Selector(free, Nature(1.0, 0.0)), folder, device), card


def read(folder: Path) -> Card:
    """What weights were made for. Raises WeightsError."""
    try:
        return Card.model_validate(json.loads((folder / CARD).read_text(encoding="utf-8")))
    except OSError as error:
        raise WeightsError(f"{str(folder)!r} is no checkpoint: it has no {CARD}") from error
    except (ValueError, ValidationError) as error:
        first = str(error).splitlines()[0]
        raise WeightsError(f"{str(folder / CARD)!r} is no card of a network: {first}") from error


def _fitting(folder: Path, kind: Kind, channels: tuple[str, ...], sources: tuple[str, ...]) -> Card:
    card = read(folder)
    for what, mine, asked in (
        ("kind", card.kind, kind),
        ("channels", card.channels, channels),
        ("sources", card.sources, sources),
        ("form", card.form, FORM),
    ):
        if mine != asked:
            raise WeightsError(
                f"{str(folder)!r} was trained for {what} {mine}, not {asked}: "
                f"train another with `vmr train {kind}`"
            )
    return card


def _sizes(card: Card) -> Sizes:
    # Each curve is two channels: see ``inputs.normalised``.
    return Sizes(PER_CURVE * len(card.channels), len(card.sources), card.width, card.hidden)


def _filled(network: M, folder: Path, device: str) -> M:
    try:
        network.load_state_dict(load_file(folder / WEIGHTS))
    except (OSError, SafetensorError, RuntimeError) as error:
        first = str(error).splitlines()[0]
        raise WeightsError(
            f"{str(folder)!r} has other weights than its card says: {first}"
        ) from error
    if not all(torch.isfinite(part).all() for part in network.state_dict().values()):
        raise WeightsError(f"{str(folder)!r} has weights that are no numbers: train it again")
    return network.to(device).eval()
