"""Charades-STA (Gao et al. 2017) and Charades-AudioMatter (IMG): text, or Lighthouse's JSON lines.

    3MSZA 24.3 30.4##person turn a light on.

A line of text has no duration, and windows as annotated: some end after the film does.
"""

from __future__ import annotations

from pathlib import Path

from evals.datasets.asked import Asked, asked, distinct, is_rows, lines, rows, wrong


def load(path: Path) -> list[Asked]:
    """In the order of the file; the id is the film's name and the line's number."""
    if is_rows(path):
        return rows(path)
    found = []
    for number, line in lines(path):
        try:
            place, query = line.split("##", 1)
            video, start, end = place.split()
            window = [float(start), float(end)]
            row = {"vid": video, "query": query.strip(), "relevant_windows": [window]}
            found.append(asked(f"{video}/{number}", row))
        except ValueError as error:
            raise wrong(path, f"line {number}", error) from error
    return distinct(path, found)
