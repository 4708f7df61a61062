"""A network on disk: ``weights.safetensors``, and ``card.json`` that says what it was made for."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from vmr_agent.errors import WeightsError
from vmr_agent.grounding.network import Network, Sizes

WEIGHTS, CARD = "weights.safetensors", "card.json"
FORM = 1
"""Raised when the network changes so that older weights mean something else."""


class Card(BaseModel):
    """What weights were made for, and from what."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    form: int = FORM
    """Of the network."""
    channels: tuple[str, ...]
    """Names of the curves it reads, in order."""
    sources: tuple[str, ...]
    """Who makes its candidates, in order."""
    step: float | None
    """Seconds of a step; None if it was trained for steps of any length."""
    width: int
    """See ``Sizes``."""
    hidden: int
    """See ``Sizes``."""
    sharpness: float
    """What its logits over windows are multiplied by."""
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


def save(network: Network, card: Card, folder: Path) -> None:
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
    card = read(folder)
    for what, mine, asked in (
        ("channels", card.channels, channels),
        ("sources", card.sources, sources),
        ("form", card.form, FORM),
    ):
        if mine != asked:
            raise WeightsError(
                f"{str(folder)!r} was trained for {what} {mine}, not {asked}: "
                "train another with `vmr train ground`"
            )
    # Each curve is two channels: see ``inputs.normalised``.
    sizes = Sizes(2 * len(channels), len(sources), card.width, card.hidden)
    network = Network(sizes)
    try:
        network.load_state_dict(load_file(folder / WEIGHTS))
    except (OSError, SafetensorError, RuntimeError) as error:
        first = str(error).splitlines()[0]
        raise WeightsError(
            f"{str(folder)!r} has other weights than its card says: {first}"
        ) from error
    if not all(torch.isfinite(part).all() for part in network.state_dict().values()):
        raise WeightsError(f"{str(folder)!r} has weights that are no numbers: train it again")
    return network.to(device).eval(), card


def read(folder: Path) -> Card:
    """The card alone. Raises WeightsError if there is none, or none that can be read."""
    try:
        return Card.model_validate(json.loads((folder / CARD).read_text(encoding="utf-8")))
    except OSError as error:
        raise WeightsError(f"{str(folder)!r} is no checkpoint: it has no {CARD}") from error
    except (ValueError, ValidationError) as error:
        first = str(error).splitlines()[0]
        raise WeightsError(f"{str(folder / CARD)!r} is no card of a network: {first}") from error
