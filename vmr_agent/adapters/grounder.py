"""Places boundaries: the small network of ``vmr_agent.grounding``, from a folder.

What it is given is made by ``grounding.excerpt``, and nowhere else: weights that learned from
something else than that are refused by their card, or they are no good.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from vmr_agent.adapters import weights
from vmr_agent.adapters.device import CPU
from vmr_agent.errors import MachineError, WeightsError
from vmr_agent.protocols import Bounded, GroundReply, GroundRequest
from vmr_agent.types import Span

if TYPE_CHECKING:
    from vmr_agent.grounding.checkpoint import Card
    from vmr_agent.grounding.excerpt import Excerpt, Film, Seconds
    from vmr_agent.grounding.judge import Told
    from vmr_agent.grounding.network import Network

SOURCES = ("rules",)
"""Who makes the candidates that weights must have learned from: the room ``ground`` itself."""
MOST = 20
"""Moments in a reply."""
FAINT = 0.05
"""Chance below which a window is no moment; the very best is told all the same."""
End = Literal["refined", "adjusted"]
"""What is done to the ends of windows: moved to a cut or to where the curve is steep; kept inside
their clips at lengths that can be (FlashMMR)."""
ENDS: tuple[End, ...] = get_args(End)
COARSE = 1.5
"""Ratio of steps from which those of the curves are too long for the weights."""


def shipped(whose: Literal["agent", "detector"] = "agent") -> Path | None:
    """The folder of the weights that come with this package, if it has any.

    Those for the ``agent`` know what its rooms propose, those for any ``detector`` its windows.
    """
    folder = Path(__file__).parents[1] / "grounding" / "weights" / whose
    return folder if (folder / "card.json").is_file() else None


class SmallGrounder:
    """A ``Grounder``. ``SmallGrounder(Path("weights"), "cuda")``.

    Making one is cheap: the first ``ground`` loads the weights, and raises WeightsError if they
    cannot be loaded or were made for something else.
    """

    def __init__(self, folder: Path, device: str = CPU, ends: Sequence[End] = ENDS) -> None:
        self._folder, self._device, self._ends = folder, device, ends
        self._loaded: dict[str, Network] = {}

    @cached_property
    def name(self) -> str:
        """The digest of its files, and what is left out."""
        left_out = "".join(f", not {each}" for each in ENDS if each not in self._ends)
        return f"grounding network {weights.marks(self._folder)}{left_out}"

    def ending(self, *ends: End) -> SmallGrounder:
        """The same, with only this done to the ends of windows: for evaluations."""
        return SmallGrounder(self._folder, self._device, ends)

    def ground(self, request: GroundRequest) -> GroundReply:
        """Moments inside the clips; nothing where there is no curve to say anything."""
        from vmr_agent.grounding.decode import posterior, rank
        from vmr_agent.grounding.excerpt import excerpt

        if not request.clips or not request.channels:
            return GroundReply((), present=0.0)
        film, card = known(request), self._card
        if card.step is not None and request.step > COARSE * card.step:
            raise WeightsError(
                f"{str(self._folder)!r} was trained for steps of {card.step} s, not "
                f"{request.step} s: lower VMR_RETRIEVE__STEP"
            )
        seen = excerpt(film, card.channels, card.step)
        told, lacking = self._judged(seen)
        if not (np.isfinite(told.windows).all() and np.isfinite(told.number).all()):
            raise WeightsError(f"{str(self._folder)!r} gives no numbers: train it again")
        logits = card.sharpness * told.windows[0] + seen.stand[:, None]
        believed = posterior(seen.starts, seen.ends, logits, told.number[0])
        best = rank(believed, MOST, np.random.default_rng(0), apart=True)
        spans = _spans(request, film, seen, seen.seconds(best.windows), self._ends)
        moments = [
            Bounded(Span(start=float(start), end=float(end)), min(1.0, max(0.0, float(chance))))
            for (start, end), chance in zip(spans, best.quality, strict=True)
        ]
        sure = [each for each in moments if each.chance >= FAINT] or moments[:1]
        likely = tuple(float(each) for each in believed.number)
        return GroundReply(tuple(sure), max(0.0, 1 - likely[0]), likely, lacking=lacking)

    def _judged(self, seen: Excerpt) -> tuple[Told, str]:
        """What the network says, and what it had to do without."""
        import torch

        from vmr_agent.grounding.inputs import collate
        from vmr_agent.grounding.judge import judged

        asked = collate([seen.question], self._card.candidates), seen.starts, seen.ends
        try:
            return judged([self._network(self._device)], *asked, self._device), ""
        except torch.OutOfMemoryError as error:
            if self._device == CPU:
                raise MachineError(
                    "no memory is left for the grounding network: lower VMR_RETRIEVE__TOP_K, or "
                    "set VMR_MODELS__GROUNDER=rules"
                ) from error
        self._device = CPU
        return judged([self._network(CPU)], *asked), (
            "no memory is left on the GPU for the grounding network, which went on on the CPU: "
            "lower VMR_RETRIEVE__TOP_K, or set VMR_MODELS__DEVICE=cpu"
        )

    @cached_property
    def _card(self) -> Card:
        """What the weights were made for: something that can be had of films."""
        from vmr_agent.grounding import checkpoint
        from vmr_agent.grounding.excerpt import KINDS

        card = checkpoint.read(self._folder)
        if unknown := sorted(set(card.channels) - set(KINDS)):
            raise WeightsError(
                f"{str(self._folder)!r} was trained for channels {', '.join(unknown)}, which no "
                f"film has: there are {', '.join(KINDS)}"
            )
        return card

    def _network(self, device: str) -> Network:
        """Loaded when it is first wanted on the device."""
        from vmr_agent.grounding import checkpoint

        if device not in self._loaded:
            made, _ = checkpoint.load(self._folder, self._card.channels, SOURCES, device)
            self._loaded[device] = made
        return self._loaded[device]


def known(request: GroundRequest) -> Film:
    """What the network's side needs to know of a request."""
    from vmr_agent.grounding.excerpt import Film

    clips = [(clip.start, clip.end) for clip in request.clips]
    told = [(each.span.start, each.span.end, each.chance) for each in request.candidates]
    return Film(
        rows=request.curves,
        channels=request.channels,
        step=request.step,
        cuts=request.cuts,
        clips=np.array(clips, np.float64).reshape(-1, 2),
        candidates=np.array(told, np.float64).reshape(-1, 3),
    )


def _spans(
    request: GroundRequest, film: Film, seen: Excerpt, windows: Seconds, ends: Sequence[End]
) -> Seconds:
    """(R, 2) seconds: ends as exact as the curves and cuts tell, each inside the clip it is in."""
    from vmr_agent.grounding.adjust import adjusted, refined
    from vmr_agent.grounding.excerpt import odds

    moved = windows
    if "refined" in ends:
        fused = odds(film.rows.max(axis=0))
        moved = refined(windows, fused, film.step, film.cuts, seen.step / 2)
    if "adjusted" not in ends:
        return np.clip(moved, 0, request.duration)
    clips = np.minimum(film.clips, request.duration)
    shared = np.minimum(windows[:, 1:], clips[:, 1]) - np.maximum(windows[:, :1], clips[:, 0])
    return adjusted(moved, film.step, np.inf, clips[shared.argmax(axis=1)])
