"""What an issue asks to be shown and is too slow for every test run.

    make prove                       # all parts; those already done for this commit are kept
    VMR_CLIPS=../clips make prove    # the real clips too
    make prove-speed                 # one part

The record, with commit and figures, is ``evals/results/prove.json``.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from evals.ask import Question, answer_all, load
from evals.join import join

HERE = Path(__file__).parent
RECORD = HERE / "results" / "prove.json"
DEMO = HERE / "demo" / "demo_film.mp4"
RUNS = 5
Figures = dict[str, object]


def demo() -> Figures:
    """The demo film's questions."""
    return _ask(DEMO, list(load(DEMO.with_suffix(".json"), first=False)))


def clips() -> Figures:
    """The real clips joined in the order of their list, and twelve absent things."""
    folder = _clips()
    if folder is None:
        return {"not run": "set VMR_CLIPS to a folder with a clips.json"}
    return _ask(*_joined(folder, {}))


def speech() -> Figures:
    """The same with every sound-only clip laid under a picture clip, one after the other."""
    folder = _clips()
    if folder is None:
        return {"not run": "set VMR_CLIPS to a folder with a clips.json"}
    listed = json.loads((folder / "clips.json").read_text(encoding="utf-8"))
    alone = [c["file"] for c in listed if any(q.endswith("(spoken)") for q in c["queries"])]
    silent = [c["file"] for c in listed if c["file"] not in alone and not c.get("audio", True)]
    return _ask(*_joined(folder, dict(zip(alone, silent, strict=False))))


def speed() -> Figures:
    """Seconds, medians of five: import, the first question in a new process, and a later one."""
    first = "from vmr_agent import VMRAgent; a = VMRAgent(); a.run({film!r}, 'a cup of coffee')"
    later = "import time; t = time.monotonic(); a.run({film!r}, 'a rocket'); u = time.monotonic()"
    shelved = first.format(film=str(DEMO))
    _timed(shelved)
    again = f"{shelved}; {later.format(film=str(DEMO))}; print(u - t)"
    return {
        "import vmr_agent": _median(lambda: _timed("import vmr_agent") - _timed("pass")),
        "new process, film shelved": _median(lambda: _timed(shelved)),
        "later question, same process": _median(lambda: float(_printed(again))),
    }


PARTS: dict[str, Callable[[], Figures]] = {p.__name__: p for p in (demo, clips, speech, speed)}


def _ask(film: Path, questions: list[Question]) -> Figures:
    answers = answer_all(film, questions)
    present = [a for a in answers if a.question.moments]
    absent = [a for a in answers if not a.question.moments]
    return {
        "found": f"{sum(a.right for a in present)} of {len(present)}",
        "refused": f"{sum(a.right for a in absent)} of {len(absent)}",
        "wrong": [a.question.query for a in answers if not a.right],
    }


def _joined(folder: Path, under: dict[str, str]) -> tuple[Path, list[Question]]:
    """A joined film, one question for each clip in it, and the absent things."""
    film = Path(os.environ.get("VMR_HOME", ".vmr")) / f"prove-{len(under)}.mp4"
    film.parent.mkdir(parents=True, exist_ok=True)
    truth = join(folder, film, under=under)
    film.with_suffix(".json").write_text(json.dumps(truth), encoding="utf-8")
    questions = [q for q in load(film.with_suffix(".json"), first=True) if q.moments]
    lines = (HERE / "queries" / "absent.txt").read_text(encoding="utf-8").splitlines()
    return film, questions + [Question(line, ()) for line in lines if line]


def _clips() -> Path | None:
    folder = os.environ.get("VMR_CLIPS")
    return Path(folder) if folder else None


def _printed(code: str) -> str:
    run = [sys.executable, "-c", code]
    return subprocess.run(run, check=True, capture_output=True, text=True).stdout


def _timed(code: str) -> float:
    began = time.monotonic()
    _printed(code)
    return time.monotonic() - began


def _median(measure: Callable[[], float]) -> float:
    return round(statistics.median(measure() for _ in range(RUNS)), 3)


def _commit() -> str:
    def git(*words: str) -> str:
        run = ["git", *words]
        return subprocess.run(run, check=True, capture_output=True, text=True, cwd=HERE).stdout

    changed = git("status", "--porcelain", "--", ".", ":!results")
    return git("rev-parse", "--short", "HEAD").strip() + ("+changes" if changed else "")


def main() -> None:
    """Run the parts named, or all."""
    wanted = sys.argv[1:] or list(PARTS)
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        sys.exit(f"evals.prove: no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    for name in wanted:
        known = record.get(name, {})
        if known.get("commit") != _commit() or "not run" in known.get("figures", {}):
            record[name] = {"commit": _commit(), "figures": PARTS[name]()}
            RECORD.parent.mkdir(exist_ok=True)
            RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        sys.stdout.write(f"{name} ({record[name]['commit']}): {record[name]['figures']}\n")


if __name__ == "__main__":
    main()
