"""``vmr index``: the once-per-video half of many films, what is shelved of them, and forgetting it.

A film that fails does not stop the others; what would fail for all of them does.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from vmr_agent.cli.options import MISUSE, AsJson, Profile, Quiet, Set, settings
from vmr_agent.cli.streams import answer, dump, leave, say, work, write
from vmr_agent.errors import MachineError, SettingsError, VideoNotFoundError, VmrError
from vmr_agent.files import FILMS, is_folder

if TYPE_CHECKING:
    from vmr_agent.agent import VMRAgent
    from vmr_agent.artefacts import Shelved
    from vmr_agent.cli.board import Board
    from vmr_agent.settings import Settings
    from vmr_agent.types import Video

Paths = Annotated[
    list[str] | None,
    typer.Argument(metavar="PATH", help="Films, and folders to be searched for films."),
]
Jobs = Annotated[int, typer.Option(min=1, help="Films at work at once.")]
Status = Annotated[bool, typer.Option("--status", help="Say what is shelved, and end.")]
Forget = Annotated[
    bool,
    typer.Option("--forget", help="Drop films from the shelf (paths, addresses, fingerprints)."),
]


class Outcome(NamedTuple):
    """What became of one film."""

    path: str
    video: Video | None
    """As decoding found it; None after an error."""
    already: bool
    """Whether all of it was shelved before."""
    seconds: float
    error: VmrError | None

    def line(self) -> str:
        """For people; only without an error."""
        from vmr_agent.show import plain

        assert self.video is not None
        what = f"{self.video.duration:.1f} s, {self.video.coverage:.0%} decoded"
        return f"{plain(self.video.path)}: {what}{', shelved already' * self.already}\n"

    def record(self) -> dict[str, Any]:
        """For programs."""
        told: dict[str, Any] = {"path": self.path, "seconds": round(self.seconds, 3)}
        if self.error is not None:
            return {**told, "error": str(self.error), "exit_code": self.error.exit_code}
        assert self.video is not None
        return {**told, "already": self.already, "video": self.video.model_dump(mode="json")}


def index(
    context: typer.Context,
    paths: Paths = None,
    profile: Profile = None,
    set_: Set = None,
    jobs: Jobs = 1,
    status: Status = False,
    forget: Forget = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Do the once-per-video half ahead of time.

    Films in folders are found by their names, in folders below too; hidden ones are left out.
    Stopped and run again, it goes on where it was.

    Examples:

    vmr index film.mp4
    vmr index films/ more.mkv --profile lean --jobs 2
    vmr index --status
    vmr index --forget old.mp4
    """
    if status and (forget or paths):
        raise MISUSE("--status stands alone", context)
    if status:
        _status(profile, set_, as_json)
    if not paths:
        raise MISUSE("Missing argument 'PATH'", context)
    if forget:
        _forget(paths, settings(profile, set_), as_json)
    asked = settings(profile, set_)
    films = list(dict.fromkeys(film for path in paths for film in _films(path)))
    with work(quiet, len(films)) as board:
        from vmr_agent.agent import VMRAgent

        agent = VMRAgent(asked, progress=board.watch if board else None)
        outcomes = [_told(each, board, as_json) for each in _outcomes(agent, films, jobs)]
    if len(films) > 1 and not quiet:
        say(_summary(outcomes))
    leave(max(each.error.exit_code if each.error else 0 for each in outcomes))


def _films(named: str) -> Iterator[str]:
    """The film; or those in the folder, sorted; or the folder itself if there is none."""
    from vmr_agent.fetch import is_url

    path = Path(named).absolute()
    if not named or is_url(named):
        yield named
        return
    if not is_folder(path):
        yield str(path)
        return
    found = []
    for folder, inner, names in os.walk(path):
        inner[:] = [name for name in inner if not name.startswith(".")]
        seen = [Path(folder, name) for name in names if not name.startswith(".")]
        found += [film for film in seen if film.suffix.lower() in FILMS]
    yield from map(str, sorted(found) or [path])


def _outcomes(agent: VMRAgent, films: Sequence[str], jobs: int) -> Iterator[Outcome]:
    """Film by film as they are done. Raises what would fail for all of them."""
    pool = ThreadPoolExecutor(jobs)
    for future in as_completed([pool.submit(_one, agent, film) for film in films]):
        yield future.result()


def _one(agent: VMRAgent, film: str) -> Outcome:
    began = time.monotonic()
    try:
        if is_folder(Path(film)):
            raise VideoNotFoundError(f"{film!r}: there is no film in this folder")
        already = agent.ready(film)
        video = agent.index(film)
    except (MachineError, SettingsError):
        raise
    except VmrError as error:
        return Outcome(film, None, False, time.monotonic() - began, error)
    return Outcome(film, video, already, time.monotonic() - began, None)


def _told(outcome: Outcome, board: Board | None, as_json: bool) -> Outcome:
    with ExitStack() as stack:
        if board is not None:
            stack.enter_context(board.aside())
            board.over(outcome.video.path if outcome.video else outcome.path)
        if as_json:
            write(dump(outcome.record(), indent=None))
        elif outcome.error is None:
            write(outcome.line())
        if outcome.error is not None:
            say(str(outcome.error))
    return outcome


def _summary(outcomes: Sequence[Outcome]) -> str:
    failed = sum(each.error is not None for each in outcomes)
    already = sum(each.already for each in outcomes)
    rest = [(failed, "failed"), (already, "shelved already")]
    notes = "".join(f", {count} {what}" for count, what in rest if count)
    return f"{len(outcomes) - failed - already} of {len(outcomes)} films indexed{notes}"


def _status(profile: str | None, words: list[str] | None, as_json: bool) -> None:
    """What is shelved, and which profiles would find their work done."""
    with work(quiet=True):
        from vmr_agent.agent import VMRAgent
        from vmr_agent.settings import PROFILES
        from vmr_agent.show import inventory

        shelved = VMRAgent(settings(profile, words)).shelved()
        ready: dict[str, list[str]] = {film.fingerprint: [] for film in shelved}
        for name in PROFILES:
            for film in VMRAgent(settings(name, words)).shelved():
                ready[film.fingerprint] += [name] if film.ready else []
    if as_json:
        answer(dump([_record(film, ready[film.fingerprint]) for film in shelved]), 0)
    answer(inventory(shelved, ready), 0)


def _record(film: Shelved, profiles: list[str]) -> dict[str, Any]:
    total = sum(film.sizes.values())
    return {**film.model_dump(mode="json"), "profiles": profiles, "bytes": total}


def _forget(films: Sequence[str], asked: Settings | None, as_json: bool) -> None:
    """Drop what is shelved of films; the films themselves stay where they are."""
    with work(quiet=True):
        from vmr_agent.agent import VMRAgent
        from vmr_agent.show import dropped

        agent = VMRAgent(asked)
        found = [(film, agent.forget(film)) for film in films]
    for film, known in found:
        if known is None:
            say(f"{film!r}: nothing of it is shelved; see vmr index --status")
    gone = [known for _, known in found if known is not None]
    told = [_record(known, []) for known in gone]
    text = dump(told) if as_json else "".join(map(dropped, gone))
    answer(text, 0 if len(gone) == len(films) else 1)
