"""TACoS (Regneri et al. 2013) as 2D-TAN splits it, in frames, or Lighthouse's JSON lines.

{"s27-d50.avi": {"timestamps": [[85, 187]], "sentences": ["He …"], "fps": 29.4, "num_frames": 9}}
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
    """In the order of the file, in seconds; the id is the film's name and the sentence's place."""
    if is_rows(path):
        return rows(path)
    try:
        films = json.loads(text(path)).items()
    except NONE as error:
        raise AnnotationError(f"{path} is no JSON of films ({error!r})") from error
    found = []
    for video, told in films:
        try:
            rate, pairs = told["fps"], zip(told["timestamps"], told["sentences"], strict=True)
            for number, (frames, sentence) in enumerate(pairs):
                window = [frame / rate for frame in frames]
                row = {"vid": video, "query": sentence.strip(), "relevant_windows": [window]}
                row["duration"] = told["num_frames"] / rate
                found.append(asked(f"{video}/{number}", row))
        except (*NONE, ZeroDivisionError) as error:
            raise wrong(path, video, error) from error
    return distinct(path, found)
