"""``vmr doctor``: what is fit on this machine, and what to do about the rest.

Nothing is downloaded and no model is loaded: files are found and their digests compared. Nothing is
sent but one tiny question to the chat endpoint, where the settings name one.
"""

from __future__ import annotations

from collections.abc import Iterator

from vmr_agent.doctor.finding import Finding
from vmr_agent.errors import CallerError, MachineError
from vmr_agent.settings import Settings, from_environment


def examine(settings: Settings | None = None) -> Iterator[Finding]:
    """One finding after the other, for these settings or for those of the environment.

    It raises nothing: settings that are wrong are a finding too, and what hangs on them is left
    out. A run with the settings in force lacks nothing when no finding is ``bad``.
    """
    from vmr_agent.doctor import codecs, device, hub, system

    yield from system.findings()
    try:
        settings = from_environment() if settings is None else settings
    except CallerError as error:
        yield Finding("system", "settings", "bad", "", str(error))
        settings = None
    yield device.torch_found()
    yield from codecs.findings()
    yield hub.cache()
    if settings is not None:
        yield from _asked_for(settings)


def _asked_for(settings: Settings) -> Iterator[Finding]:
    """What depends on the settings."""
    from vmr_agent.doctor import chat, device, disk, hub, models

    yield device.chosen(settings)
    yield from hub.wanted(settings)
    home = disk.home_found(settings)
    yield home
    if home.state == "bad":
        return
    yield disk.room(settings)
    try:
        yield from models.findings(settings)
    except (CallerError, MachineError) as error:
        yield Finding("models", "models", "bad", "", str(error))
    yield chat.asked(settings)
