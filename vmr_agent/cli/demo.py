"""``vmr demo``: the film that comes with the package, asked all that is known about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vmr_agent.cli.options import AsJson, Profile, Quiet, Set, settings
from vmr_agent.cli.streams import answer, dump, work
from vmr_agent.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vmr_agent.demo import Answer

WIDE = 150
"""Columns of the table where no terminal says how wide it is."""


def demo(
    profile: Profile = None, set_: Set = None, as_json: AsJson = False, quiet: Quiet = False
) -> None:
    """Ask the film that comes with this, truth beside answer.

    Two minutes of photographs with a narrator, of which every moment is known. Exit code 0 when all
    answers are right, 1 when one is not.

    Examples:

    vmr demo
    vmr demo --json
    vmr demo --set verify.accept=0.5
    """
    with work(quiet) as board:
        from vmr_agent.agent import VMRAgent
        from vmr_agent.demo import answers, demo_film, load

        film = demo_film()
        if not film.is_file():
            raise MachineError(f"{film} is not there: install vmr_agent again, or clone it anew")
        agent = VMRAgent(settings(profile, set_), progress=board.watch if board else None)
        found = list(answers(agent, film, load(film.with_suffix(".json"))))
    right = sum(each.right for each in found)
    told = {"film": str(film), "asked": len(found), "right": right}
    told |= {"answers": [each.record() for each in found]}
    answer(dump(told) if as_json else _page(found), 0 if right == len(found) else 1)


def _page(found: Sequence[Answer]) -> str:
    from rich.console import Console

    from vmr_agent.demo import table, tally

    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDE)
    with console.capture() as held:
        console.print(table(found))
        console.print(tally(found))
    return held.get()
