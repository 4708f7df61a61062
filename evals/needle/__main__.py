"""``python -m evals.needle``: films whose every answer is known, and how well it is found.

python -m evals.needle build --clips DIR --minutes 10 --seed 7 --out film.mp4
python -m evals.needle fit other.mp4 --out tastes.json
python -m evals.needle run film.mp4 --baselines tastes.json --out FOLDER
python -m evals.needle gather film.mp4 --out rounds.jsonl
python -m evals.needle score rounds.jsonl
python -m evals.needle looks rounds.jsonl --selector FOLDER --out looks.json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from pydantic import ValidationError

from evals.bench_record import commit, machine
from evals.chosen import chosen
from evals.columns import lines
from evals.join import rate, size, write
from evals.needle import alarms, fit, met
from evals.needle.compare import compared
from evals.needle.compare import lines as compare_lines
from evals.needle.film import FORM, build
from evals.needle.gather import Round, gather, given, read, save
from evals.needle.questions import asked, subject
from evals.needle.replay import replayed
from evals.needle.run import run
from evals.needle.score import by_kind
from evals.playlist import JoinError
from evals.reporting.record import plain
from evals.run import STOPPED, Asking
from evals.run_options import share, some
from vmr_agent import Settings, VmrError
from vmr_agent.adapters.grounder import SmallGrounder
from vmr_agent.toolbox import build_toolbox


def _build(args: argparse.Namespace) -> None:
    form = replace(FORM, width=args.size[0], height=args.size[1], fps=args.fps)
    most = None if args.absent < 0 else args.absent
    truth = build(args.clips, args.out, args.minutes, seed=args.seed, absent=most, form=form)
    kinds = Counter(query["kind"] for query in truth["queries"])
    told = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
    print(f"{args.out}: {truth['duration']:.1f} s, {len(truth['clips'])} pieces; queries: {told}")


def _fit(args: argparse.Namespace) -> None:
    tastes = fit.fit(args.films, chosen(args.set))
    fit.save(args.out, tastes)
    for name, taste in tastes.items():
        print(f"{name}: {taste}")


def _run(args: argparse.Namespace) -> None:
    tastes = {} if args.alone else fit.load(args.baselines)
    settings = chosen(args.set, args.without)
    ask = {"words": ["evals.needle", *sys.argv[1:]], "again": args.again}
    how = Asking(args.jobs, args.fail_on_error)
    answers = run(args.films, settings, args.out, tastes, how=how, **ask)
    told = compared(answers, [subject(each) for each in asked(args.films)])
    films = [film.stem for film in args.films]
    about = {"films": films, "set": args.set, "without": args.without}
    _keep(args.out / "figures.json", {**about, **told})
    print(compare_lines(told))


def _gather(args: argparse.Namespace) -> None:
    rounds, arrays = gather(args.films, build_toolbox(chosen(args.set)), _tell)
    save(args.out, rounds, arrays)
    print(lines(by_kind(given(rounds))))


def _score(args: argparse.Namespace) -> None:
    settings = chosen(args.set)
    rounds = [each for path in args.rounds for each in _reread(path, args.grounder, settings)]
    told = by_kind(given(rounds))
    if args.out:
        films = sorted({each.film for each in rounds})
        grounder = SmallGrounder(args.grounder).name if args.grounder else "as gathered"
        _keep(args.out, {"films": films, "grounder": grounder, "set": args.set, "figures": told})
    print(lines(told))


def _reread(path: Path, weights: Path | None, settings: Settings) -> list[Round]:
    """What was gathered, or what these weights make of it."""
    rounds = read(path)
    if weights is None:
        return rounds
    with np.load(path.with_suffix(".npz")) as arrays:
        grounder = SmallGrounder(weights)
        return replayed(rounds, {**arrays}, grounder, settings.verify)


def _alarms(args: argparse.Namespace) -> None:
    rates = args.rate or [0.05, 0.1]
    told = alarms.realised(args.films, build_toolbox(chosen(args.set)), rates, _tell)
    _keep(args.out, {"set": args.set, "realised": [each._asdict() for each in told]})
    print(alarms.lines(told))


def _looks(args: argparse.Namespace) -> None:
    found = met.compared(args.rounds, args.selector, chosen(args.set), args.seed)
    _keep(args.out, found)
    print(met.lines(found))


def _keep(path: Path, made: dict[str, Any]) -> None:
    """What was measured, and where; null where there was nothing to measure."""
    whole = {"commit": commit(), "machine": machine(), **made}
    write(path, json.dumps(plain(whole), indent=1, allow_nan=False) + "\n")


def _tell(news: str) -> None:
    print(news, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m evals.needle", description=__doc__, formatter_class=form
    )
    tasks = parser.add_subparsers(required=True)
    task = tasks.add_parser("build", help="join a film, and write the truth beside it")
    task.set_defaults(do=_build)
    add = task.add_argument
    add("--clips", type=Path, required=True, help="a folder with clips.json and what it lists")
    add("--minutes", type=float, required=True)
    add("--seed", type=int, default=0)
    add("--out", type=Path, required=True, metavar="FILM.mp4")
    add("--absent", type=int, default=100, help="queries about nothing; -1 for all there are")
    add("--size", type=size, default=(640, 360), metavar="WIDTHxHEIGHT")
    add("--fps", type=rate, default=Fraction(25), help="pictures per second")
    _asking(tasks)
    task = tasks.add_parser("score", help="what was answered in gathered rounds, or would be")
    task.set_defaults(do=_score)
    add = task.add_argument
    add("rounds", type=Path, nargs="+", metavar="ROUNDS.jsonl")
    add("--grounder", type=Path, metavar="FOLDER", help="weights to be tried on them")
    add("--out", type=Path, help="keep the figures")
    add("--set", action="append", default=[], metavar="SETTING=VALUE")
    task = tasks.add_parser("looks", help="where the dear look goes: by hand, by a selector, …")
    task.set_defaults(do=_looks)
    add = task.add_argument
    add("rounds", type=Path, nargs="+", metavar="ROUNDS.jsonl")
    add("--selector", type=Path, required=True, metavar="FOLDER", help="see evals.needle.looks")
    add("--seed", type=int, default=0, help="of what a look says, and of chance")
    add("--set", action="append", default=[], metavar="SETTING=VALUE")
    add("--out", type=Path, required=True, metavar="OUT")
    return parser


def _asking(tasks: Any) -> None:
    """The tasks that ask films."""
    for name, do, told in (
        ("run", _run, "ask the agent everything, and baselines beside it"),
        ("fit", _fit, "choose what the baselines would have to choose, on other films"),
        ("gather", _gather, "keep what ground is given and makes of it, for work offline"),
        ("alarms", _alarms, "how many queries about nothing find something at a rate asked for"),
    ):
        task = tasks.add_parser(name, help=told)
        task.set_defaults(do=do)
        add = task.add_argument
        add("films", type=Path, nargs="+", metavar="FILM.mp4")
        add("--set", action="append", default=[], metavar="SETTING=VALUE")
        add("--out", type=Path, required=True, metavar="OUT")
        if do is _run:
            chosen_by = "what fit has chosen; without it what it chose for us"
            add("--baselines", type=Path, default=fit.OURS, metavar="TASTES.json", help=chosen_by)
            add("--alone", action="store_true", help="without baselines")
            add("--without", action="append", default=[], metavar="ROOM")
            add("--jobs", type=some, default=1, metavar="N", help="processes side by side")
            add("--fail-on-error", type=share, default=0.05, metavar="SHARE")
            add("--again", action="store_true", help="throw away what the folder holds")
        if do is _alarms:
            add("--rate", type=float, action="append", help="of false alarms; again for more")


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line asks."""
    args = _parser().parse_args(argv)
    try:
        args.do(args)
    except ValidationError as error:
        first = error.errors()[0]
        said = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except KeyboardInterrupt:
        print("needle: stopped", file=sys.stderr)
        return STOPPED
    except (JoinError, VmrError, OSError, av.FFmpegError) as error:
        print(f"needle: {' '.join(str(error).split())}", file=sys.stderr)
        return getattr(error, "exit_code", 2)
    else:
        return 0
    print(f"needle: {said}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
