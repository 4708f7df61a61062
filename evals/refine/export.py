"""Prediction files and labels of QVHighlights' form as questions that ``vmr train`` reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from evals.refine import rows as files
from vmr_agent.grounding.inputs import Floats, Question
from vmr_agent.grounding.training.lines import Line, write


def export(out: Path, predictions: Sequence[Path], ground_truth: Path) -> None:
    """One line for each query; every file is a source, by its name. Raises FileError."""
    names = files.named(predictions)
    asked = files.joined([files.read(path, files.WINDOWS) for path in predictions])
    true = files.moments(asked, files.read(ground_truth, files.TRUTH))
    films = files.videos(asked)
    each = zip(asked, true, films, strict=True)
    write(out, [_line(files.question(r), moments, film, names) for r, moments, film in each])


def _line(question: Question, moments: Floats, film: str, names: Sequence[str]) -> Line:
    steps, given = len(question.curves), zip(names, question.candidates, strict=True)
    true = _windows(moments, steps)
    if len(true) < len(moments):
        raise files.FileError(f"a true window of {film!r} is behind the end of its curve")
    told = {
        "step": files.STEP,
        "curves": {name: _numbers(question.curves[:, n]) for n, name in enumerate(names)},
        "candidates": {name: _windows(found, steps) for name, found in given},
        "moments": true,
        "film": film,
    }
    return Line.model_validate(told)


def _windows(windows: Floats, steps: int) -> tuple[tuple[float, ...], ...]:
    """In seconds, as far as they are in the film."""
    told = np.array(windows, np.float64)
    told[:, :2] = files.STEP * np.clip(told[:, :2], 0, steps)
    return tuple(_numbers(window) for window in told if window[0] < window[1])


def _numbers(values: Floats) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)
