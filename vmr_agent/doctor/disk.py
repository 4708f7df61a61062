"""Where everything is kept, and whether there is room for more."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from vmr_agent.doctor.finding import Finding, size
from vmr_agent.files import below, is_file, is_folder, there
from vmr_agent.settings import Settings
from vmr_agent.toolbox import home

HOUR = {"full": 46_000_000, "balanced": 29_000_000, "lean": 13_000_000}
"""Bytes that an hour of 720p takes, pictures included (docs/performance.md)."""
UNPACKED = 150_000_000
"""Bytes of Whisper base, which is joined from its two wheels once."""
SPARE = 64_000_000
"""Bytes of the disk that the index leaves free."""


def home_found(settings: Settings) -> Finding:
    """Whether it can be written to: tried there, or above it where it is not there yet."""
    path = home(settings)
    figures = {"path": str(path)}
    try:
        tempfile.TemporaryFile(dir=_nearest(path)).close()
    except OSError as error:
        told = f"{path} cannot be written to ({error.strerror})"
        cure = "set VMR_HOME to a folder that can"
        return Finding("disk", "home", "bad", told, cure, figures)
    used = sum(seen.st_size for _, seen in there(below(path)))
    told = f"{path}, {size(used)} used"
    return Finding("disk", "home", "good", told, None, {**figures, "used": used})


def room(settings: Settings) -> Finding:
    """Whether an hour of film fits."""
    path = home(settings)
    free = shutil.disk_usage(_nearest(path)).free
    unpacked = 0 if (path / "weights").is_dir() else UNPACKED
    hour = HOUR[settings.profile]
    need = hour + unpacked + SPARE
    figures = {"free": free, "hour": hour, "needed": need}
    told = f"{size(free)} free, an hour of film takes {size(hour)}"
    if free >= need:
        return Finding("disk", "disk", "good", told, None, figures)
    cure = "set VMR_HOME to a larger disk, or drop films with vmr index --forget"
    return Finding("disk", "disk", "bad", f"{told}, {size(need)} are needed", cure, figures)


def _nearest(path: Path) -> Path:
    """The path, or what is above it that there is."""
    return next(each for each in (path, *path.parents) if is_folder(each) or is_file(each))
