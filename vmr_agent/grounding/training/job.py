"""What is to be trained, from what, and where: all that can be wrong with it is told here.

Nothing here needs torch. ``trainers`` does the rest.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from vmr_agent import __version__
from vmr_agent.errors import TrainingError
from vmr_agent.grounding.inputs import FORM
from vmr_agent.grounding.training.data import SIMULATED, Data, Simulate, from_file, simulated
from vmr_agent.grounding.training.place import Place
from vmr_agent.grounding.training.simulate import simulate, simulate_look, simulate_sound

if TYPE_CHECKING:
    from vmr_agent.grounding.checkpoint import Kind


PAIRS: dict[Kind, tuple[str, str]] = {
    "audio-gate": ("--without-sound", "--with-sound"),
    "selector": ("--free", "--dear"),
}
"""Options by which two curves of a file are named, for those who tell them apart."""
_STANDING = (("RANK", "0"), ("WORLD_SIZE", "1"))
"""What torchrun says of a process, and what holds for one alone."""


class Asked(NamedTuple):
    """What ``vmr train`` was asked for."""

    trainer: Kind
    """See ``READERS`` and ``trainers.TRAINERS``."""
    data: str
    """``simulated``, ``simulated:N``, or a file in the form of ``lines``."""
    out: Path
    """Folder for the network."""
    licence: str | None
    """Of a file: weights are under that of what they learned from."""
    two: tuple[str, str] | None
    """Names in a file, see ``PAIRS``."""
    seed: int
    epochs: int
    batch: int
    """Questions that one step looks at, on all processes together."""
    rate: float
    """Of learning, at its highest."""
    held_out: float
    """Share of the questions that nothing is learned from."""
    device: Literal["cpu", "cuda"]


class Job(NamedTuple):
    """Ready to be done."""

    asked: Asked
    known: Data
    """To learn from."""
    held_out: Data
    place: Place
    done: bool
    """Whether it was done before."""
    rank: int
    """Of this process among those that ``torchrun`` started; the first one writes."""
    size: int
    """How many these are."""

    @property
    def leads(self) -> bool:
        """Whether this process is the first one."""
        return self.rank == 0


def _standing(name: str, alone: str) -> int:
    told = os.environ.get(name) or alone
    if not (told.isascii() and told.isdigit()):
        raise TrainingError(f"{name} is {told!r}: leave it to torchrun, which sets it, or unset it")
    return int(told)


def prepare(asked: Asked, fresh: bool = False) -> Job:
    """Read the data, and begin in the folder or find what was begun there.

    ``fresh`` begins anew. Raises TrainingError for what cannot be learned as asked, and
    MachineError where nothing can be written.
    """
    rank, size = (_standing(name, alone) for name, alone in _STANDING)
    known, held_out = READERS[asked.trainer](asked).split(asked.held_out, asked.seed)
    recipe = {
        # What other code began, this code cannot go on with to the same end.
        "version": __version__,
        "form": FORM,
        "trainer": asked.trainer,
        "data": known.about,
        "channels": list(known.channels),
        "sources": list(known.sources),
        "licence": known.licence,
        "held out": asked.held_out,
        "seed": asked.seed,
        "epochs": asked.epochs,
        "batch": asked.batch,
        "rate": asked.rate,
        "device": asked.device,
        "processes": size,
    }
    place = Place(asked.out, recipe)
    done = rank == 0 and place.begin(fresh)
    return Job(asked, known, held_out, place, done, rank, size)


def _ground(asked: Asked) -> Data:
    made = _simulated(asked, simulate, ("fused",), ("retrieval",))
    return made or from_file(Path(asked.data), _licence(asked))


def _audio_gate(asked: Asked) -> Data:
    both = ("without sound", "with sound")
    made = _simulated(asked, simulate_sound, both, both)
    if made:
        return made
    two = _two(asked, "sound is weighed between two sources of the file")
    return from_file(Path(asked.data), _licence(asked)).of(two, two)


def _selector(asked: Asked) -> Data:
    """The dear curve is the last one; candidates are those of the free one."""
    made = _simulated(asked, simulate_look, ("free", "dear"), ("free",))
    if made:
        return made
    two = _two(asked, "looks are chosen by a free curve of the file, and go to a dear one")
    return from_file(Path(asked.data), _licence(asked)).of(two, two[:1])


READERS: dict[Kind, Callable[[Asked], Data]] = {
    "ground": _ground,
    "audio-gate": _audio_gate,
    "selector": _selector,
}
"""What each trainer learns from. They raise TrainingError."""


def _simulated(
    asked: Asked, made: Simulate, channels: tuple[str, ...], sources: tuple[str, ...]
) -> Data | None:
    """None if a file is meant."""
    if asked.data.partition(":")[0] != SIMULATED:
        return None
    if asked.licence is not None:
        raise TrainingError("what is simulated is ours: leave out --licence")
    if asked.two is not None:
        named = ", ".join(PAIRS[asked.trainer])
        raise TrainingError(f"what is simulated has names: leave out {named}")
    return simulated(asked.data, asked.seed, made, channels, sources)


def _two(asked: Asked, why: str) -> tuple[str, str]:
    """Names of two curves. Raises TrainingError if there are none, or one twice."""
    one, other = PAIRS[asked.trainer]
    if asked.two is None:
        raise TrainingError(f"{why}: name them with {one} and {other}")
    if asked.two[0] == asked.two[1]:
        raise TrainingError(f"{one} and {other} are both {asked.two[0]!r}: name two curves")
    return asked.two


def _licence(asked: Asked) -> str:
    if not (asked.licence or "").strip():
        raise TrainingError(
            "weights are under the licence of what they learned from: give that of the file, "
            "--licence NAME"
        )
    return str(asked.licence)
