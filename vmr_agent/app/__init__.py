"""``vmr serve``: the page in the browser. Gradio draws it, in ``page`` alone; FastAPI carries it.

from vmr_agent.app import serve
serve(settings, ["films"], {".mp4"}, print)        # http://127.0.0.1:7860, until Ctrl-C

films     what may be chosen: keys for files, and nothing else is ever opened
answers   what was answered, kept for a while: exports are made from it
work      a run in a thread of its own, which can be broken off
follow    what is to be seen of a run, event by event
timeline  the drawing · cards  the words · page  the page · site  addresses · porter  the door
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec

from vmr_agent.errors import MachineError
from vmr_agent.settings import Settings

NEEDED = ("gradio", "fastapi", "uvicorn")


def serve(
    settings: Settings, paths: Sequence[str], endings: Iterable[str], ready: Callable[[str], None]
) -> None:
    """Serve the page until somebody ends it; ``ready`` is told the address once it answers.

    ``paths`` are films, and folders that are searched for files with these ``endings``. Raises
    CallerError where the call cannot work, a taken port among it, MachineError without gradio.
    """
    missing = [package for package in NEEDED if find_spec(package) is None]
    if missing:
        raise MachineError(f"the page needs {missing[0]}: pip install 'vmr_agent[app]'")
    _alone()
    from vmr_agent.app.site import run

    run(settings, paths, endings, ready)


def _alone() -> None:
    """Gradio does as we say, whatever the environment says: no telemetry, no link to share."""
    for name in [name for name in os.environ if name.startswith("GRADIO_")]:
        del os.environ[name]
    os.environ |= {
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
    }
    # What it uses of its own dependencies though it should not is no news for whoever asks a film.
    warnings.filterwarnings("ignore", module="gradio")
