"""The front half's work, piece by piece: every reel and every block goes through the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from vmr_agent import tools
from vmr_agent.artefacts import Glances, Sounds, Speech, Take, Vectors
from vmr_agent.errors import VideoUnreadableError
from vmr_agent.memory import give_back
from vmr_agent.playback import Alive, Block, Reel, reels, sound
from vmr_agent.state import State
from vmr_agent.toolbox import WHOLE, Made, Toolbox
from vmr_agent.types import Record

R = TypeVar("R", bound=Record)
P = TypeVar("P", bound=Record)
PIECES: dict[str, type[Record]] = {
    "footage": Take,
    "vectors": Vectors,
    "screen": Glances,
    "sounds": Sounds,
    "speech": Speech,
}
"""What a piece of each stage is, as ``WHOLE`` says of what is joined from them."""


def note(
    box: Toolbox, state: State, stage: str, number: int, kind: type[R], make: Callable[[], Made[R]]
) -> None:
    """Make one piece of a stage, unless it is in the journal or the whole is shelved."""
    name = box.name(state, stage)
    if not box.shelf.has(name, WHOLE[stage]):
        box.shelf.once(name, number, kind, make)
        give_back()


def gather(
    box: Toolbox,
    state: State,
    stage: str,
    piece: type[P],
    whole: type[R],
    join: Callable[[Iterator[Made[P]]], Made[R]],
) -> str:
    """The name of a stage's artefact, joined from its pieces unless shelved."""
    name = box.name(state, stage)
    box.shelf.keep(name, whole, lambda: join(box.shelf.pieces(name, piece)))
    if stage != "footage":  # its pieces are the strip
        box.shelf.sweep(name)
    return name


def next_reel(box: Toolbox, state: State) -> int | None:
    """The reel to be worked on; None when all is shelved."""
    lacking = box.lacking(state, "footage", "vectors", "screen")
    if not lacking:
        return None
    if state.reel >= 0:
        return state.reel + 1
    done = _noted(box, state, *lacking, "footage")
    strip = box.name(state, "footage")
    ended = done and box.shelf.piece(strip, done - 1, Take)[0].ending is not None
    return done - 1 if ended else done


def reel(box: Toolbox, state: State, number: int) -> Reel:
    """A reel of the film, decoded, with those of its key frames that are worth keeping."""

    def roll(first: int, alive: Alive) -> Iterator[Reel]:
        if not state.video.has_picture:
            return iter([Reel(0, ending={"duration": 0.0, "promise": 0.0})])
        found = reels(Path(state.video.path), box.detector, box.settings, first, alive)
        return (tools.keyed(each, box.settings.strip.key_every) for each in found)

    found = box.showing.reel(number, roll)
    _unchanged(box, state)
    return found


def next_block(box: Toolbox, state: State) -> int | None:
    """The block of sound to be worked on; None when all is shelved."""
    lacking = box.lacking(state, "sounds", "speech")
    if not lacking:
        return None
    if state.block >= 0:
        return state.block + 1
    return _noted(box, state, *lacking)


def _noted(box: Toolbox, state: State, *stages: str) -> int:
    """How many pieces are done at all of the stages: a damaged one is not, and is made again."""
    return box.shelf.noted({box.name(state, stage): PIECES[stage] for stage in stages})


def block(box: Toolbox, state: State, number: int) -> Block | None:
    """A block of sound; None behind the last."""
    chunk, limits = box.settings.transcribe.chunk, box.settings.video

    def play(first: int, alive: Alive) -> Iterator[Block]:
        if not state.video.has_audio:
            return iter(())
        blocks = sound(Path(state.video.path), limits, chunk, first * chunk, alive)
        return (each._replace(voice=box.voice.hear(each.samples)) for each in blocks)

    found = box.showing.block(number, play)
    _unchanged(box, state)
    return found


def _unchanged(box: Toolbox, state: State) -> None:
    """Nothing is noted about a film that became another one on the way."""
    path = Path(state.video.path)
    if box.shelf.fingerprint(path) != state.video.fingerprint:
        raise VideoUnreadableError(f"{str(path)!r} changed while it was read: run it again")


def unheard(box: Toolbox, state: State, number: int) -> Block:
    """The sound from where the transcript ends to the end of the block."""
    block_ = block(box, state, number)
    assert block_ is not None, "transcribe is visited only with a block on the table"
    if number == 0:
        return block_
    since = box.shelf.piece(box.name(state, "speech"), number - 1, Speech)[0].heard
    return box.showing.since(since)._replace(last=block_.last)
