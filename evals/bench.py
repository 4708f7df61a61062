"""How fast films are indexed, what that takes, and how fast they answer then.

    python -m evals.bench index --clips DIR --seconds 3600     # builds the film, runs all profiles
    python -m evals.bench memory --clips DIR --hours 1,12      # does a long film take more?
    python -m evals.bench film --clips DIR --seconds 600       # builds it and says where it is
    python -m evals.bench score --predictions P --ground-truth G   # see evals/bench_score.py

Each run is a process of its own, with a home of its own, right after plain PyAV has decoded the
same file. Runs done for this commit are kept, so what was broken off goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from evals import bench_figures as figures
from evals import bench_score
from evals.bench_film import DEMO, Truth, cached
from evals.bench_process import FailedError, Measured, measure
from evals.bench_record import ROOT, Record
from evals.bench_work import COLD, LAST
from evals.playlist import JoinError
from vmr_agent import threads
from vmr_agent.settings import Settings

RESULTS = ROOT / "evals" / "results" / "bench_index.json"
WORK = [sys.executable, "-m", "evals.bench_work"]
UNSET = ("VMR_PROFILE", "PYTHONDONTWRITEBYTECODE")
"""Of the environment: nobody who installs a program has it compiled at every start."""
AS_IT_COMES = "default"
"""The profile of who asks for none."""


class Film(NamedTuple):
    """A built film."""

    path: Path
    truth: Truth

    def about(self) -> dict[str, Any]:
        """What a record says of it."""
        facts = {k: self.truth[k] for k in ("duration", "size", "fps", "seed", "voiced_share")}
        texts = sum(bool(shot["text"]) for shot in self.truth["shots"])
        size = self.path.stat().st_size
        shots = {"shots": len(self.truth["shots"]), "with_text": texts}
        about: dict[str, Any] = {"name": self.path.name, "bytes": size} | facts | shots
        return about


def run(home: Path, profile: str, *part: str) -> tuple[Measured, dict[str, Any]]:
    """One part of the work, measured, and the JSON that it printed."""
    env = {name: value for name, value in os.environ.items() if name not in UNSET}
    env |= {"VMR_HOME": str(home), "PYTHONPATH": str(ROOT), **threads.ONE}  # as vmr has it
    done = measure([*WORK, *part], env | named(profile))
    told: dict[str, Any] = json.loads(done.said.splitlines()[-1])
    return done, told


def named(profile: str) -> dict[str, str]:
    """The environment that asks for a profile."""
    return {} if profile == AS_IT_COMES else {"VMR_PROFILE": profile}


def prepare(ready: Path, profiles: Sequence[str]) -> None:
    """Unpack and learn what is unpacked and learnt once on every machine."""
    ready.mkdir(parents=True, exist_ok=True)
    for profile in profiles:
        run(ready, profile, "index", str(DEMO))


@contextmanager
def new_home(ready: Path) -> Iterator[Path]:
    """A home that is empty but for that."""
    with tempfile.TemporaryDirectory(dir=ready.parent, prefix="home-") as folder:
        home = Path(folder)
        (home / "shelf").mkdir()
        for shared in ("weights", "shelf/encoders"):
            (ready / shared).mkdir(parents=True, exist_ok=True)
            (home / shared).symlink_to((ready / shared).absolute())
        yield home


def once(film: Film, profile: str, ready: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Decode a film, index it, ask questions of it: the figures, and the settings in force."""
    path, seconds = str(film.path.absolute()), film.truth["duration"]
    with new_home(ready) as home:
        plain, _ = run(home, profile, "decode", path)
        done, told = run(home, profile, "index", path)
        cold = [run(home, profile, "first", path, str(n))[0].seconds for n in range(len(COLD))]
        warm = run(home, profile, "later", path)[1]["seconds"]
        found = {
            "decode": figures.work(plain, seconds, plain.seconds),
            "index": figures.work(done, seconds, plain.seconds, told["at"][LAST][1]),
            "rooms": figures.rooms(done, told["busy"], told["at"], seconds, plain.seconds),
            "stored": figures.stored(home, seconds),
            "answers": figures.answers(cold, warm),
        }
    return found, told["settings"]


def index(film: Film, profiles: Sequence[str], runs: int, films: Path, path: Path) -> Record:
    """Every profile so many times, in turn, each run after one that only decodes."""
    width, height = film.truth["size"]
    title = f"index {film.truth['duration']:g} s {width}x{height}"
    record, ready = Record(path, title, film.about()), films / "prepared"
    prepare(ready, profiles)
    for number in range(runs):
        for profile in profiles:
            if not record.has(profile=profile, run=number):
                found, settings = once(film, profile, ready)
                record.entry["settings"][profile] = settings
                record.add({"profile": profile, "run": number, **found})
                _say(f"run {number + 1} of {runs}, {profile}: {found['index']['seconds']:.1f} s")
    return record


def memory(
    films: Sequence[Film], profile: str, runs: int, folder: Path, path: Path
) -> dict[float, float]:
    """The most memory that indexing took for films of several lengths; medians by their hours."""
    about = {"profile": profile, "films": [film.about() for film in films]}
    record, ready = Record(path, f"memory, {profile}", about), folder / "prepared"
    prepare(ready, [profile])
    for number in range(runs):
        for film in films:
            hours = round(film.truth["duration"] / figures.HOUR, 4)
            if not record.has(hours=hours, run=number):
                file, seconds = str(film.path.absolute()), film.truth["duration"]
                with new_home(ready) as home:
                    plain, _ = run(home, profile, "decode", file)
                    done, told = run(home, profile, "index", file)
                found = figures.work(done, seconds, plain.seconds, told["at"][LAST][1])
                record.add({"hours": hours, "run": number, "index": found})
                _say(f"{hours:g} h: {found['rss_mb']:.0f} MB, {found['seconds']:.0f} s")
    lengths = sorted({run["hours"] for run in record.runs})
    peaks = {h: [r for r in record.runs if r["hours"] == h] for h in lengths}
    return {h: figures.summary(r)["index.rss_mb"].median for h, r in peaks.items()}


def report(record: Record) -> None:
    """Print the figures of every profile, medians with their spread, and note them."""
    about = record.about
    fully = about["duration"] >= figures.HOUR and about["size"] == [1280, 720]
    print(f"{record.title}, commit {record.entry['commit']}, {record.entry['machine']}")
    print(
        f"spoken in {about['voiced_share']:.1%}, {about['shots']} shots, {about['bytes']} bytes\n"
    )
    for profile in dict.fromkeys(run["profile"] for run in record.runs):
        runs = [run for run in record.runs if run["profile"] == profile]
        found = figures.summary(runs)
        print(figures.table(f"{profile}, {len(runs)} runs", found))
        print("\n".join(figures.verdicts(profile, found) if fully else ()))
        record.entry.setdefault("summary", {})[profile] = {k: v._asdict() for k, v in found.items()}
    record.save()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _film(args: argparse.Namespace, seconds: float) -> Film:
    return Film(*cached(args.clips, args.films, seconds, args.size, args.fps, args.seed))


def _profile(name: str) -> str:
    try:
        Settings.model_validate({} if name == AS_IT_COMES else {"profile": name})
    except ValidationError as error:
        raise argparse.ArgumentTypeError(f"there is no profile {name!r} here") from error
    return name


def _profiles(text: str) -> list[str]:
    return [_profile(name) for name in text.split(",")]


def _size(text: str) -> tuple[int, int]:
    wide, _, high = text.partition("x")
    return int(wide), int(high)


def _hours(text: str) -> list[float]:
    return [float(each) for each in text.split(",")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evals.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parts = parser.add_subparsers(dest="part", required=True)
    film, index, memory = (_part(parts.add_parser(name)) for name in ("film", "index", "memory"))
    for part in (film, index):
        part.add_argument("--seconds", type=float, default=figures.HOUR)
    for part in (index, memory):
        part.add_argument("--json", type=Path, default=RESULTS, help="for what is found")
        part.add_argument("--runs", type=int, default=3)
    index.add_argument(
        "--profiles", type=_profiles, default="full,balanced,lean", help="'default' is none of them"
    )
    memory.add_argument("--profile", type=_profile, default="lean")
    memory.add_argument("--hours", type=_hours, default="1,12")
    memory.set_defaults(size=(320, 180), fps=12, runs=1)
    scoring = parts.add_parser("score")
    scoring.add_argument("--predictions", type=Path, required=True)
    scoring.add_argument("--ground-truth", type=Path, required=True)
    scoring.add_argument("--official", type=Path, help="a checkout of moment_detr, to be timed too")
    scoring.add_argument("--json", type=Path, default=bench_score.RESULTS, help="for what is found")
    scoring.add_argument("--runs", type=int, default=5)
    return parser


def _part(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    home = Path(os.environ.get("VMR_HOME", ".vmr"))
    add = parser.add_argument
    add("--clips", type=Path, required=True, help="a folder with clips.json and the clips")
    add("--films", type=Path, default=home / "bench", help="a folder for what is built")
    add("--size", type=_size, default=(1280, 720), metavar="WIDTHxHEIGHT")
    add("--fps", type=float, default=25, help="pictures per second")
    add("--seed", type=int, default=0, help="another one makes another film")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line asks."""
    args = _parser().parse_args(argv)
    # As Ctrl-C does: what is being measured has to be ended as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if args.part == "score":
            files = bench_score.Files(args.predictions, args.ground_truth)
            print(bench_score.table(bench_score.score(files, args.official, args.runs, args.json)))
            return 0
        if args.part == "memory":
            films = [_film(args, hours * figures.HOUR) for hours in args.hours]
            print(figures.growth(memory(films, args.profile, args.runs, args.films, args.json)))
            return 0
        film = _film(args, args.seconds)
        if args.part == "film":
            print(film.path)
        else:
            report(index(film, args.profiles, args.runs, args.films, args.json))
    except (JoinError, FailedError, OSError) as error:
        _say(f"bench: {error}")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
