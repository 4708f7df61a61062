"""Where the pages' commands are run: a folder with the films and files that they speak of."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.util._once import Once

from vmr_agent import VMRAgent

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests" / "evals"))  # run files are made there
import evals_runs  # noqa: E402

FILMS = ("film.mp4", "films/one.mp4")
OTHERS = ("talk.mp4", "more.mkv")
"""Of which no page says what comes back: the colour film, at which is soon looked."""
HOME = "vmr-home"


@pytest.fixture(scope="session")
def shelved(demo_agent: VMRAgent, demo_film: Path, new_home: Path) -> Path:
    """A home in which the demo film has been looked at."""
    demo_agent.index(demo_film)
    return new_home


@pytest.fixture
def workplace(
    shelved: Path,
    demo_film: Path,
    colours: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A folder of its own for a page, and a home beside the films in it."""
    for each in (*FILMS, *OTHERS):
        path = tmp_path / each
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(demo_film if each in FILMS else colours)
    home = tmp_path / HOME
    home.mkdir()
    (home / "weights").symlink_to((shelved / "weights").resolve())
    for part in ("shelf", "prints"):
        shutil.copytree(shelved / part, home / part)
    (tmp_path / "film.json").symlink_to(demo_film.with_suffix(".json"))
    predictions(tmp_path)
    for number, each in enumerate("ABC"):
        evals_runs.write(tmp_path / f"{each}.jsonl", evals_runs.samples(20, seed=number))
    programs(tmp_path / "bin")
    # A page may set a provider, which is for once and for all: other tests have none.
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VMR_HOME", HOME)
    return tmp_path


def programs(folder: Path) -> None:
    """``vmr`` and ``python`` are what these tests run in."""
    folder.mkdir()
    for called, words in {"vmr": " -m vmr_agent", "python": ""}.items():
        path = folder / called
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}"{words} "$@"\n', encoding="utf-8")
        path.chmod(0o755)


def predictions(folder: Path) -> None:
    """Two made-up submissions and truths, in the benchmarks' own forms."""
    truth, mine, theirs, charades = [], [], [], []
    for number in range(1, 5):
        asked = {"qid": number, "query": f"thing {number}", "vid": f"film{number // 3}"}
        start = 10 * number
        true = {"duration": 150, "relevant_windows": [[start, start + 20]]}
        marks = {"relevant_clip_ids": [start // 2], "saliency_scores": [[3, 4, 4]]}
        truth.append({**asked, **true, **marks})
        guess = [[start + number, start + 20, 0.9], [100, 120, 0.4]]
        mine.append({**asked, "pred_relevant_windows": guess, "pred_saliency_scores": [0.1] * 75})
        theirs.append({**asked, "pred_relevant_windows": guess[1:]})
        charades.append(f"{asked['vid']} {start:.1f} {start + 20:.1f}##{asked['query']}")
    for called, rows in {
        "highlight_val_release.jsonl": truth,
        "test.jsonl": truth,
        "gt.jsonl": truth,
        "mine.jsonl": mine,
        "theirs.jsonl": theirs,
    }.items():
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / called).write_text(text, encoding="utf-8")
    (folder / "charades_sta_test.txt").write_text("\n".join(charades) + "\n", encoding="utf-8")
