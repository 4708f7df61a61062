"""``vmr find``: every moment of a film that a question describes."""

from __future__ import annotations

from typing import Annotated

import typer

from vmr_agent.cli.options import AsJson, Film, Profile, Question, Quiet, Set, settings
from vmr_agent.cli.streams import answer, dump, say, work


def find(
    film: Film,
    query: Question,
    profile: Profile = None,
    set_: Set = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    cost: Annotated[bool, typer.Option("--cost", help="Say what chat models were asked.")] = False,
) -> None:
    """Find every moment of FILM that QUERY describes.

    The film is looked at the first time it is asked about; later questions take a second.

    Examples:

    vmr find film.mp4 "a cup of coffee"
    vmr find film.mp4 "a cup of coffee" --json > report.json
    vmr find film.mp4 "a cup of coffee" --profile lean --set verify.accept=0.6
    """
    with work(quiet) as board:
        from vmr_agent.agent import VMRAgent
        from vmr_agent.show import bill, page

        watch = board.watch if board else None
        report = VMRAgent(settings(profile, set_), progress=watch).run(film, query)
    if cost:
        say(f"{report.models['chat']}: {bill(report.cost)}")
    text = dump(report.model_dump(mode="json")) if as_json else page(report)
    answer(text, 0 if report.moments else 1)
