"""Verified moments from hour-long video: when it happens, every time, how sure, and why.

    from vmr_agent import VMRAgent
    print(VMRAgent().run("film.mp4", "a cup of coffee"))

Importing this package does no work and loads no model library: everything comes when it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vmr_agent.agent import VMRAgent
    from vmr_agent.errors import VmrError
    from vmr_agent.events import Progress, Visit
    from vmr_agent.report import RunReport
    from vmr_agent.settings import Settings
    from vmr_agent.types import Moment, Span

__version__ = "0.1.0"
__all__ = [
    "Moment",
    "Progress",
    "RunReport",
    "Settings",
    "Span",
    "VMRAgent",
    "Visit",
    "VmrError",
    "__version__",
]

_DOORS = {
    "VMRAgent": "agent",
    "VmrError": "errors",
    "Settings": "settings",
    "Moment": "types",
    "Progress": "events",
    "RunReport": "report",
    "Span": "types",
    "Visit": "events",
}


def __getattr__(name: str) -> Any:
    if name not in _DOORS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_DOORS[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
