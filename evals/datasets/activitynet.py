"""ActivityNet-Captions (Krishna et al. 2017): ``val_1.json``, ``val_2.json``, or JSON lines.

{"v_uqiMw7tQ1Cc": {"duration": 55.15, "timestamps": [[0.28, 55.15]], "sentences": ["A …"]}}
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evals.datasets.asked import Asked, Row, of_films


def load(path: Path) -> list[Asked]:
    """In the order of the file. Raises AnnotationError."""
    return of_films(path, _told)


def _told(film: Any, seconds: Any) -> Row:
    return {"relevant_windows": [seconds], "duration": film["duration"]}
