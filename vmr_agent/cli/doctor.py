"""``vmr doctor``: what is fit on this machine, and what to do about the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vmr_agent.cli.options import AsJson, Profile, Quiet, Set, settings
from vmr_agent.cli.streams import answer, dump, work, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vmr_agent.doctor.finding import Finding

UNFIT = 3


def doctor(
    profile: Profile = None, set_: Set = None, as_json: AsJson = False, quiet: Quiet = False
) -> None:
    """Check this machine, and say what to do about it.

    Python and packages, extras, torch and its device, codecs, weights and their digests, the model
    hub's cache, the disk; and the chat endpoint, which is asked one tiny question if one is set.
    A cross keeps something from working (exit code 3), a dot is not there and not needed. With
    --quiet only those with a cross are told.

    Examples:

    vmr doctor
    vmr doctor --json
    vmr doctor --quiet --set models.whisper=packaged-tiny
    """
    found = []
    with work(quiet=True):
        for each in _findings(profile, set_):
            found.append(each)
            if not as_json and not (quiet and each.state != "bad"):
                write(f"{_line(each)}\n")
    healthy = all(each.state != "bad" for each in found)
    told = {"healthy": healthy, "findings": [each.record() for each in found]}
    answer(dump(told) if as_json else "", 0 if healthy else UNFIT)


def _findings(profile: str | None, set_: list[str] | None) -> Iterator[Finding]:
    from vmr_agent.doctor import examine

    asked = settings(profile, set_)
    yield from examine(asked)


def _line(finding: Finding) -> str:
    from vmr_agent.show import plain

    return plain(finding.line())
