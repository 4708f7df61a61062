"""``vmr serve``: the page in the browser."""

from __future__ import annotations

from typing import Annotated

import typer

from vmr_agent.cli.options import Profile, Set, settings
from vmr_agent.cli.streams import leave, say
from vmr_agent.files import FILMS

Offered = Annotated[
    list[str] | None,
    typer.Argument(metavar="PATH", help="Films to choose from, and folders of them."),
]
Port = Annotated[
    int | None,
    typer.Option(min=1, max=65535, help="TCP port; VMR_SERVE__PORT (7860) where not given."),
]
Host = Annotated[
    str | None, typer.Option(help="Address to listen at; others than this machine need a token.")
]


def serve(
    paths: Offered = None,
    port: Port = None,
    host: Host = None,
    profile: Profile = None,
    set_: Set = None,
) -> None:
    """Serve a page for the browser.

    Choose or upload a film, ask, watch its moments appear, play them, take the answer away.

    Only films in PATH are offered; nothing else on this machine is opened. Ctrl-C ends it.

    Examples:

    vmr serve film.mp4
    vmr serve films --port 8000
    """
    words = {"host": host, "port": port}
    given = [f"serve.{name}={value}" for name, value in words.items() if value is not None]
    chosen = settings(profile, [*(set_ or []), *given])
    from vmr_agent.app import serve as begin
    from vmr_agent.settings import from_environment

    try:
        begin(
            chosen or from_environment(),
            paths or [],
            FILMS,
            lambda at: say(f"open {at} in a browser; Ctrl-C ends"),
        )
    except KeyboardInterrupt:
        say("ended; what was finished is kept")
        leave(130)
    except SystemExit as told:
        leave(int(told.code or 0))
