"""The notebooks: kept as text, paired with what Jupyter opens, and run as a reader would run them.

python -m evals.notebooks        # write notebooks/*.ipynb anew from notebooks/*.py
make prove-notebooks             # run all of them; seconds, cells and sizes go to the record
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "notebooks"
HEAVIEST = 5_000_000
"""Bytes of a notebook with all that it shows: more, and code hosts no longer show it."""
PATIENCE = 600
"""Seconds for a cell: the first one looks at the film."""


def texts() -> list[Path]:
    """Those that people edit, in their order."""
    return sorted(FOLDER.glob("*.py"))


def paired(text: Path) -> str:
    """The notebook that belongs to a text: without outputs, the same bytes every time."""
    book = jupytext.read(text)
    for number, cell in enumerate(book.cells, 1):
        cell["id"] = f"cell-{number}"
    book.metadata.pop("jupytext", None)
    book.metadata["jupytext"] = {"formats": "ipynb,py:percent"}
    return str(nbformat.writes(book)) + "\n"


def notebooks() -> dict[str, object]:
    """Every notebook run in a home that is new; ends the program where one fails."""
    with tempfile.TemporaryDirectory() as home:
        return {text.stem: executed(text, Path(home)) for text in texts()}


def executed(text: Path, home: Path, done: Callable[[Any], None] | None = None) -> dict[str, float]:
    """Seconds, cells, and bytes with its outputs, of one; ``done`` is given the notebook."""
    book = jupytext.read(text)
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = {**os.environ, "VMR_HOME": str(home), "PYTHONPATH": paths}
    where = {"metadata": {"path": str(FOLDER)}}
    client = NotebookClient(book, timeout=PATIENCE, kernel_name="python3", resources=where)
    began = time.monotonic()
    try:
        client.execute(env=env)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        sys.exit(f"evals.notebooks: {text.name} does not run:\n{str(error)[-3000:]}")
    seconds = round(time.monotonic() - began, 1)
    size = len(nbformat.writes(book).encode())
    if size > HEAVIEST:
        sys.exit(f"evals.notebooks: {text.name} has {size} bytes when it has run: show less")
    if done is not None:
        done(book)
    return {"seconds": seconds, "cells": len(book.cells), "bytes": size}


def main() -> None:
    """Write all pairs."""
    for text in texts():
        text.with_suffix(".ipynb").write_text(paired(text), encoding="utf-8")


if __name__ == "__main__":
    main()
