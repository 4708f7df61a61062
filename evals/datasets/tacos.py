"""TACoS (Regneri et al. 2013) as 2D-TAN splits it, in frames, or Lighthouse's JSON lines.

{"s27-d50.avi": {"timestamps": [[85, 187]], "sentences": ["He …"], "fps": 29.4, "num_frames": 9}}
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evals.datasets.asked import Asked, Row, of_films


def load(path: Path) -> list[Asked]:
    """In the order of the file, in seconds. Raises AnnotationError."""
    return of_films(path, _told)


def _told(film: Any, frames: Any) -> Row:
    rate = film["fps"]
    window = [frame / rate for frame in frames]
    return {"relevant_windows": [window], "duration": film["num_frames"] / rate}
