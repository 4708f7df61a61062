"""Settings about those outside: agents that call (MCP), and whoever watches a run (tracing)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from vmr_agent.limits import Group


class McpSettings(Group):
    """What agents may have through ``vmr mcp``."""

    roots: tuple[Path, ...] = ()
    """Folders whose films may be opened, with those below; nothing else ever is. None by default:
    clients start servers in whatever folder they are in, which may be the root of the disk."""
    frames: int = Field(default=8, ge=1, le=64)
    """Pictures in one answer at most: each costs the model that reads it some hundred tokens."""
    width: int = Field(default=1024, ge=64, le=4096)
    """Pixels of a picture at most: models shrink what is wider."""
    picture_bytes: int = Field(default=2_000_000, ge=100_000)
    """Bytes of all pictures in one answer, before base64 makes a third more of them: clients refuse
    messages of many megabytes."""
    listed: int = Field(default=200, ge=1)
    """Films in one list, for a model has to read it."""
    calls: int = Field(default=4, ge=1)
    """Calls at work at once; others wait. Each may hold a film's frames in memory."""

    @field_validator("roots", mode="before")
    @classmethod
    def _named(cls, roots: Any) -> Any:
        if isinstance(roots, list | tuple) and "" in roots:
            raise ValueError("an empty name is no folder: write . for the one that you are in")
        return roots


class TraceSettings(Group):
    """What OpenTelemetry spans tell, where a tracer provider is set (docs/tracing.md)."""

    rooms: bool = True
    """Whether every visit to a room has a span, besides that of the whole run."""
    content: bool = False
    """Whether questions are told, in the words they were asked in; films' words and paths never."""
