"""ActivityNet-Captions (Krishna et al. 2017): ``val_1.json``, ``val_2.json``, or JSON lines.

{"v_uqiMw7tQ1Cc": {"duration": 55.15, "timestamps": [[0.28, 55.15]], "sentences": ["A …"]}}
"""

from __future__ import annotations

import json
from pathlib import Path

from evals.datasets.asked import (
    NONE,
    AnnotationError,
    Asked,
    asked,
    distinct,
    is_rows,
    rows,
    text,
    wrong,
)


def load(path: Path) -> list[Asked]:
    """In the order of the file; the id is the film's name and the sentence's place in it."""
    if is_rows(path):
        return rows(path)
    try:
        films = json.loads(text(path)).items()
    except NONE as error:
        raise AnnotationError(f"{path} is no JSON of films ({error!r})") from error
    found = []
    for video, told in films:
        try:
            pairs = zip(told["timestamps"], told["sentences"], strict=True)
            for number, (window, sentence) in enumerate(pairs):
                row = {"vid": video, "query": sentence.strip(), "relevant_windows": [window]}
                found.append(asked(f"{video}/{number}", {**row, "duration": told["duration"]}))
        except NONE as error:
            raise wrong(path, video, error) from error
    return distinct(path, found)
