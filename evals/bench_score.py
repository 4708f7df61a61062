"""How long scoring takes: ``vmr score``, and an official script beside it.

    python -m evals.bench score --predictions P.jsonl --ground-truth GT.jsonl --official FOLDER

FOLDER is a checkout of moment_detr, with its ``standalone_eval/eval.py``. The two take turns, a
process each, started anew every time; what they say has to be the same.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from evals.bench_process import FailedError, Measured, measure
from evals.bench_record import ROOT, Record

RESULTS = ROOT / "evals" / "results" / "bench_score.json"
OURS, THEIRS = "vmr score", "official"
# Its package is found from its own folder, whatever is installed.
THEIR_WORK = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from standalone_eval import eval; "
    "eval.eval_main()"
)
SCRIPT = Path("standalone_eval") / "eval.py"


class Files(NamedTuple):
    """What is scored."""

    predictions: Path
    truth: Path


def ours(files: Files) -> tuple[Measured, dict[str, Any]]:
    """One run of ``vmr score``, and the official figures that it prints."""
    named = ["--dataset", "qvhighlights", "--ground-truth", str(files.truth), "--json"]
    done = measure([sys.executable, "-m", "vmr_agent", "score", str(files.predictions), *named])
    told: dict[str, Any] = json.loads(done.said)["official"]
    return done, told


def theirs(files: Files, folder: Path) -> tuple[Measured, dict[str, Any]]:
    """One run of the official script, and what it writes."""
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "figures.json"
        paths = ["--submission_path", str(files.predictions), "--gt_path", str(files.truth)]
        work = [sys.executable, "-c", THEIR_WORK, str(folder)]
        done = measure([*work, *paths, "--save_path", str(out), "--not_verbose"])
        told: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return done, told


def score(files: Files, folder: Path | None, runs: int, path: Path) -> Record:
    """So many runs of each, in turn. Raises FailedError where they do not say the same."""
    about = {each.name: _digest(each) for each in files}
    if folder is not None:
        if not (folder / SCRIPT).is_file():
            raise FailedError(f"{folder} has no {SCRIPT}")
        about["official"] = _digest(folder / SCRIPT)
    queries = sum(bool(line.strip()) for line in files.truth.read_bytes().split(b"\n"))
    record = Record(path, f"score {queries} queries", about)
    for number in range(runs):
        told = []
        for who in (OURS, THEIRS) if folder else (OURS,):
            done, figures = theirs(files, folder) if folder and who == THEIRS else ours(files)
            told.append(figures)
            record.add({"who": who, "run": number, **_took(done)})
        if any(figures != told[0] for figures in told):
            raise FailedError("vmr score and the official script do not say the same")
    record.entry["summary"] = summary(record.runs)
    record.save()
    return record


def summary(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Medians of each, and how many times as long the official script takes."""
    found: dict[str, Any] = {}
    for who in dict.fromkeys(run["who"] for run in runs):
        mine = [run for run in runs if run["who"] == who]
        found[who] = {
            name: statistics.median(run[name] for run in mine) for name in ("seconds", "cpu")
        }
    if THEIRS in found:
        found["times"] = {n: round(found[THEIRS][n] / found[OURS][n], 1) for n in found[OURS]}
    return found


def table(record: Record) -> str:
    """Lines for people."""
    told = record.entry["summary"]
    lines = [f"{record.title}, commit {record.entry['commit']}, {record.entry['machine']['cpu']}"]
    for who, took in told.items():
        unit = "" if who == "times" else " s"
        lines.append(f"{who:10}{took['seconds']:8.2f}{unit:2} {took['cpu']:8.2f}{unit} of CPU")
    return "\n".join(lines)


def _took(done: Measured) -> dict[str, float]:
    return {"seconds": done.seconds, "cpu": done.cpu, "rss_mb": done.peak_rss / 1e6}


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
