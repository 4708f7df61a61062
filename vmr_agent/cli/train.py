"""``vmr train``: networks of the grounding model, learned from simulated questions or from a file.

Stopped, or killed, and run again, a training goes on from its last epoch as if it never was.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vmr_agent.cli.options import MISUSE, AsJson, Quiet
from vmr_agent.cli.streams import answer, dump, learning
from vmr_agent.errors import MachineError

if TYPE_CHECKING:
    from vmr_agent.grounding.checkpoint import Card
    from vmr_agent.grounding.training.job import Asked

Network = Annotated[
    Literal["ground", "audio-gate", "selector"],
    typer.Argument(
        metavar="NETWORK",
        help="ground: curves and windows become moments. audio-gate: the same of two sources, one "
        "without sound and one with it, and how much sound counts. selector: the same of a curve "
        "that is free and of what was looked at of a dear one, and where to look next.",
    ),
]
Data = Annotated[
    str,
    typer.Option(metavar="DATA", help="simulated, simulated:N, or a file: see docs/grounding.md."),
]
Out = Annotated[Path, typer.Option(metavar="FOLDER", help="Where the network goes.")]
Licence = Annotated[
    str | None, typer.Option(metavar="NAME", help="Of the file, and so of what it teaches.")
]
Source = Annotated[
    str | None, typer.Option(metavar="NAME", help="For audio-gate: that source of the file.")
]
Curve = Annotated[
    str | None, typer.Option(metavar="NAME", help="For selector: that curve of the file.")
]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="The same one, the same network.")]
Epochs = Annotated[int, typer.Option(min=1, help="How often each question is looked at.")]
Batch = Annotated[int, typer.Option(min=1, help="Questions a step, on all processes together.")]
Rate = Annotated[float, typer.Option(min=1e-9, max=1.0, help="Of learning, at its highest.")]
HeldOut = Annotated[
    float, typer.Option(min=0.0, max=0.9, help="Share of the questions kept to measure it by.")
]
Device = Annotated[
    Literal["auto", "cpu", "cuda"], typer.Option(help="auto takes CUDA where there is any.")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Begin anew, whatever is in the folder.")]


def train(
    context: typer.Context,
    network: Network,
    data: Data,
    out: Out,
    licence: Licence = None,
    without_sound: Source = None,
    with_sound: Source = None,
    free: Curve = None,
    dear: Curve = None,
    seed: Seed = 0,
    epochs: Epochs = 12,
    batch: Batch = 32,
    rate: Rate = 2e-3,
    held_out: HeldOut = 0.1,
    device: Device = "auto",
    fresh: Fresh = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train a network of the grounding model.

    Stopped and run again, it goes on where it was. On a CPU the same call gives the same network.

    Examples:

    vmr train ground --data simulated:200 --out grounder
    vmr train audio-gate --data simulated:200 --epochs 6 --out gate
    vmr train selector --data questions.jsonl --licence CC0-1.0 --free a --dear b --out selector
    torchrun --standalone --nproc-per-node 2 -m vmr_agent train ground --data simulated --out g
    """
    from vmr_agent.grounding.training.job import PAIRS, Asked

    named = {"audio-gate": (without_sound, with_sound), "selector": (free, dear)}
    for whose, options in PAIRS.items():
        if any(named[whose]) and not (all(named[whose]) and whose == network):
            raise MISUSE(f"{options[0]} and {options[1]} go together, with {whose}", context)
    one, other = named.get(network, (None, None))
    two = (one, other) if one and other else None
    plan = (seed, epochs, batch, rate, held_out, _picked(device))
    _do(Asked(network, data, out, licence, two, *plan), fresh, as_json, quiet)


def _picked(device: Literal["auto", "cpu", "cuda"]) -> Literal["cpu", "cuda"]:
    from vmr_agent.adapters.device import pick

    found = pick("auto" if device == "cuda" else device)
    if device == "cuda" != found:
        raise MachineError(
            "torch sees no CUDA device: say --device cpu, or install a CUDA build of torch and a "
            "driver"
        )
    return "cuda" if found == "cuda" else "cpu"


def _do(asked: Asked, fresh: bool, as_json: bool, quiet: bool) -> None:
    from vmr_agent.grounding.training.job import prepare

    job = prepare(asked, fresh)
    with learning(asked.epochs, quiet or not job.leads) as board:
        from vmr_agent.grounding.training.trainers import trained

        card = trained(job, board.watch) if board else trained(job)
    if card is not None:
        told = dump({"already": job.done, "card": card.model_dump(mode="json")})
        answer(told if as_json else _line(asked.out, card, job.done), 0)


def _line(out: Path, card: Card, already: bool) -> str:
    from vmr_agent.show import plain

    figures = ", ".join(f"{name} {value:g}" for name, value in card.metrics.items())
    return f"{plain(str(out))}: {card.kind}, {figures}{', trained already' * already}\n"
