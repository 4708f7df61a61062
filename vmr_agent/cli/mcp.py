"""``vmr mcp``: films for agents, by the Model Context Protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vmr_agent.cli.options import Profile, Set
from vmr_agent.cli.options import settings as chosen
from vmr_agent.cli.streams import leave, say
from vmr_agent.errors import MachineError, SettingsError

Allow = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FOLDER",
        help="A folder whose films may be opened; may be given again. VMR_MCP__ROOTS otherwise.",
    ),
]
Http = Annotated[
    int | None,
    typer.Option(
        "--http",
        min=1,
        max=65535,
        metavar="PORT",
        help="HTTP on this machine, not stdin and stdout.",
    ),
]


def mcp(allow: Allow = None, http: Http = None, profile: Profile = None, set_: Set = None) -> None:
    """Serve films to agents, by the Model Context Protocol.

    For clients to start, such as desktop assistants and editors: see docs/agents.md. Only films in
    the folders that are named are ever opened.

    Examples:

    vmr mcp --allow films
    vmr mcp --allow films --http 8000
    """
    from vmr_agent.settings import McpSettings, from_environment

    settings = chosen(profile, set_) or from_environment()
    if allow:
        if "" in allow:
            raise SettingsError("--allow names no folder: write . for the one that you are in")
        roots = tuple(Path(folder).absolute() for folder in allow)
        named = McpSettings.model_validate({**settings.mcp.model_dump(), "roots": roots})
        settings = settings.model_copy(update={"mcp": named})
    from vmr_agent.agent import VMRAgent

    try:
        from vmr_agent.mcp.server import serve, server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types"):
            raise
        raise MachineError("vmr mcp needs mcp: pip install 'vmr_agent[mcp]'") from None
    serve(server(VMRAgent(settings), settings), http, say)
    leave(0)
