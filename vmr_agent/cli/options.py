"""Arguments and options that several commands have: the same word, meaning and help everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

if TYPE_CHECKING:
    from vmr_agent.settings import Settings

MISUSE = cast(type[typer.BadParameter], typer.BadParameter.__bases__[0])  # not exported itself

Film = Annotated[str, typer.Argument(metavar="FILM", help="A video or sound file.")]
Question = Annotated[
    str, typer.Argument(metavar="QUERY", help='What to look for: "a cup of coffee".')
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
Profile = Annotated[
    Literal["full", "balanced", "lean"] | None,
    typer.Option(help="How closely films are looked at; VMR_PROFILE where not given."),
]
Limit = Annotated[int, typer.Option(min=1, help="How many at most.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there already.")]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="PATH", help="Where what is made goes.")]


def _names(begun: str) -> list[str]:
    from vmr_agent.chosen import names

    return [f"{name}=" for name in names() if name.startswith(begun)]


Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="SETTING=VALUE",
        autocompletion=_names,
        help="A setting for this call, such as retrieve.top_k=50; as often as you like.",
    ),
]


def settings(profile: str | None, words: list[str] | None) -> Settings | None:
    """Those of the environment, changed by ``--profile`` and ``--set``; None where neither is.

    Raises SettingsError in one line.
    """
    if profile is None and not words:
        return None
    from vmr_agent.chosen import chosen

    if profile and any(word.startswith("profile=") for word in words or ()):
        raise MISUSE("--profile and --set profile=… go together no better than two profiles")
    return chosen([*([f"profile={profile}"] if profile else []), *(words or [])])
