"""What an issue asks to be shown and is too slow for every test run.

    make prove                       # all parts; those already done for this commit are kept
    VMR_CLIPS=../clips make prove    # the real clips too
    make prove-speed                 # one part

The record, with commit and figures, is ``evals/results/prove.json``; a part whose proof fails ends
it with exit code 1, and what was proved before that is kept.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from evals import bench
from evals.ask import Question, answer_all, load
from evals.bench_film import cached
from evals.bench_record import commit, machine
from evals.join import join
from evals.kills import kills as killed
from evals.kills import well
from evals.mutants import mutants as mutated
from evals.notebooks import notebooks
from evals.toys import toys
from evals.toys import well as toys_well
from evals.wheel import well as wheel_well
from evals.wheel import wheel as built
from evals.wire import well as went_well
from evals.wire import wire
from vmr_agent.settings import PROFILES, Settings

HERE = Path(__file__).parent
RECORD = HERE / "results" / "prove.json"
DEMO = HERE / "demo" / "demo_film.mp4"
RUNS = 5
CLIPLESS: dict[str, object] = {"not run": "set VMR_CLIPS to a folder with a clips.json"}
STRETCH = 600.0
"""Seconds of the film that is indexed for the record: an hour takes an hour of benchmarks."""
Figures = dict[str, object]


def demo() -> Figures:
    """The demo film's questions."""
    return _ask(DEMO, list(load(DEMO.with_suffix(".json"), first=False)))


def clips() -> Figures:
    """The real clips joined in the order of their list, and twelve absent things."""
    folder = _clips()
    return _ask(*_joined(folder, {})) if folder else CLIPLESS


def speech() -> Figures:
    """The same with every sound-only clip laid under a picture clip, one after the other."""
    folder = _clips()
    if folder is None:
        return CLIPLESS
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
        "later question, same process": _median(lambda: float(_printed("-c", again))),
    }


def slow() -> Figures:
    """The tests that ``make test`` leaves out."""
    side_by_side = ("-n", "auto", "--maxprocesses", "4", "--dist", "loadfile")
    return _tested("-m", "slow", *side_by_side)


def kills() -> Figures:
    """Indexing killed at twenty random instants ends as if it had been left in peace."""
    found = killed()
    return _held(well(found), found)


def mutants() -> Figures:
    """A thousand damaged films: none crashes or hangs us, or breaks out of our own errors."""
    found = mutated()
    return _held(not found["wrong"], found)


def chat() -> Figures:
    """The whole agent through a real chat server on this machine."""
    found = wire()
    return _held(went_well(found), found)


def shots() -> Figures:
    """Cuts, fades and dissolves of made films, for each detector: ``results/shots.json``."""
    folder = _clips()
    return _table("evals.shots", *(("--clips", str(folder)) if folder else ()))


def compression() -> Figures:
    """Quality against bytes for each way to store vectors: ``results/compression.json``."""
    folder = _clips()
    return _table("evals.compression", str(folder)) if folder else CLIPLESS


def training() -> Figures:
    """Toys trained by the command line, twice: seconds, and whether they are the same bytes."""
    found = toys()
    return _held(toys_well(found), found)


def index() -> Figures:
    """Ten minutes of film under each profile: ``results/bench_index.json``."""
    folder = _clips()
    if folder is None:
        return CLIPLESS
    films = Path(os.environ.get("VMR_HOME", ".vmr")) / "bench"
    film = bench.Film(*cached(folder, films, STRETCH, (1280, 720), 25, 0))
    record = bench.index(film, list(PROFILES), 1, films, bench.RESULTS)
    bench.report(record)
    summary = record.entry["summary"]
    wanted = ("index.times_real", "index.pss_mb", "answers.later_p50")
    return {p: {k: v["median"] for k, v in s.items() if k in wanted} for p, s in summary.items()}


def needle() -> Figures:
    """Three minutes of needle film, the agent beside what one would write in an afternoon."""
    folder = _clips()
    if folder is None:
        return CLIPLESS
    film = Path(os.environ.get("VMR_HOME", ".vmr")) / "prove-needle.mp4"
    film.parent.mkdir(parents=True, exist_ok=True)
    words = ("--clips", str(folder), "--minutes", "3", "--seed", "7", "--out", str(film))
    _printed("-m", "evals.needle", "build", *words)
    with tempfile.TemporaryDirectory() as out:
        told = _printed("-m", "evals.needle", "run", str(film), "--out", out)
        figures = json.loads((Path(out) / "figures.json").read_text(encoding="utf-8"))
    return {"table": told.splitlines(), "rooms": figures["rooms"]}


def wheel() -> Figures:
    """The package built, installed in a clean environment outside the checkout, and used there."""
    found = built()
    return _held(wheel_well(found), found)


def docs() -> Figures:
    """Every block of README and docs that can be run here, those that take long too."""
    return _tested("tests/docs", "-m", "slow or not slow")


def browser() -> Figures:
    """The page of ``vmr serve``, and reports as pages, in the distribution's Chromium."""
    return _tested("tests/app", "tests/test_display_browser.py", "-m", "slow or not slow")


def parity() -> Figures:
    """Official figures of the reference files, where ``VMR_REFERENCE`` says they are."""
    if "VMR_REFERENCE" not in os.environ:
        return {"not run": "set VMR_REFERENCE to a folder with annotations and predictions"}
    return _tested("tests/metrics")


PARTS: dict[str, Callable[[], Figures]] = {
    part.__name__: part
    for part in (
        demo,
        clips,
        speech,
        speed,
        slow,
        kills,
        mutants,
        chat,
        shots,
        compression,
        training,
        needle,
        wheel,
        docs,
        notebooks,
        browser,
        parity,
        index,
    )
}


def _held(well: bool, found: Figures) -> Figures:
    if not well:
        sys.exit(f"evals.prove: it does not hold: {found}")
    return found


def _tested(*words: str) -> Figures:
    return {"closing line": _printed("-m", "pytest", *words).splitlines()[-1]}


def _table(module: str, *words: str) -> Figures:
    return {"table": _printed("-m", module, *words).splitlines()}


def _ask(film: Path, questions: list[Question]) -> Figures:
    answers = answer_all(film, questions, Settings())
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


def _printed(*words: str) -> str:
    done = subprocess.run([sys.executable, *words], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(
            f"evals.prove: {' '.join(words)} failed ({done.returncode})\n{done.stdout[-5000:]}"
        )
    return done.stdout


def _timed(code: str) -> float:
    began = time.monotonic()
    _printed("-c", code)
    return time.monotonic() - began


def _median(measure: Callable[[], float]) -> float:
    return round(statistics.median(measure() for _ in range(RUNS)), 3)


def main() -> None:
    """Run the parts named, or all."""
    wanted = sys.argv[1:] or list(PARTS)
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        sys.exit(f"evals.prove: no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    for name in wanted:
        known = record.get(name, {})
        if known.get("commit") != commit() or "not run" in known.get("figures", {}):
            began = time.monotonic()
            figures = PARTS[name]()
            seconds = round(time.monotonic() - began)
            where = {"commit": commit(), "machine": machine(), "seconds": seconds}
            record[name] = {**where, "figures": figures}
            RECORD.parent.mkdir(exist_ok=True)
            RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        sys.stdout.write(f"{name} ({record[name]['commit']}): {record[name]['figures']}\n")


if __name__ == "__main__":
    main()
