"""``python -m evals.refine``: another system's windows, refined by the grounding network.

    python -m evals.refine --predictions P.jsonl --ground-truth GT.jsonl --folds 5 --table
    python -m evals.refine --train-on A.jsonl --ground-truth GT.jsonl --predict B.jsonl --out C
    python -m evals.refine --selector FREE.jsonl LOOK.jsonl --budget 0.2 --ground-truth GT.jsonl

``--predictions`` may be given more than once: all files about the same queries are used together.
Folds are made of source videos, so that no query is answered by a network that saw its video.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from evals.refine import rows as files
from evals.refine import selector
from evals.refine.learn import Answers, Plan, answers, crossed, folds, learn
from evals.refine.table import figures, lines
from vmr_agent import threads


def refined(args: argparse.Namespace) -> list[files.Row]:
    """The submission that is asked for."""
    plan = _plan(args)
    truth = files.read(args.ground_truth, files.TRUTH)
    if args.train_on:
        known = files.joined([files.read(path, files.WINDOWS) for path in args.train_on])
        asked = files.joined([files.read(path, files.WINDOWS) for path in args.predict])
        networks = learn(
            [files.question(each) for each in known], files.moments(known, truth), plan, args.seed
        )
        return _told(asked, answers(networks, [files.question(e) for e in asked], plan, args.seed))
    asked = files.joined([files.read(path, files.WINDOWS) for path in args.predictions])
    held_out = folds(files.videos(asked), args.folds, args.seed)
    true, questions = files.moments(asked, truth), [files.question(each) for each in asked]
    return _told(asked, crossed(questions, true, held_out, plan, args.seed, args.workers))


def _plan(args: argparse.Namespace) -> Plan:
    plan = Plan(members=args.members)
    return plan._replace(course=plan.course._replace(epochs=args.epochs))


def selected(args: argparse.Namespace) -> None:
    """Do what ``--selector`` asks."""
    truth = files.read(args.ground_truth, files.TRUTH)
    given = [files.read(path, files.WINDOWS) for path in args.selector]
    asked = files.joined(given)
    films, true = [selector.film(each) for each in asked], files.moments(asked, truth)
    held_out = folds(files.videos(asked), args.folds, args.seed)
    terms = selector.Terms(args.budget, bool(args.table), _plan(args), args.seed)
    answered = selector.crossed(films, true, held_out, terms, args.workers)
    found = {way: _told(asked, each) for way, each in answered.items()}
    if args.out:
        files.write(args.out, found[selector.SELECTOR])
    if args.table:
        names = (path.stem for path in args.selector)
        runs = dict(zip(names, given, strict=True)) | found
        print(lines(selector.kept({name: figures(rows, truth) for name, rows in runs.items()})))


def _told(asked: Sequence[tuple[files.Row, ...]], found: Answers) -> list[files.Row]:
    each = zip(asked, found.windows, found.quality, strict=True)
    return [files.answer(rows[0], windows, quality) for rows, windows, quality in each]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evals.refine",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--predictions", type=Path, action="append", help="a submission file; again for more")
    add("--ground-truth", type=Path, required=True)
    add("--folds", type=int, default=5)
    add("--train-on", type=Path, action="append", help="learn from this file …")
    add("--predict", type=Path, action="append", help="… and refine this one")
    add("--selector", type=Path, nargs=2, metavar=("FREE", "LOOK"), help="choose where to look")
    add("--budget", type=float, default=0.2, help="share of LOOK's steps that may be seen")
    add("--out", type=Path, help="for the refined submission")
    add("--table", action="store_true", help="print figures beside those of the files given")
    add("--seed", type=int, default=0)
    add("--members", type=int, default=Plan().members, help="networks that are averaged")
    add("--epochs", type=int, default=Plan().course.epochs)
    add("--workers", type=int, default=os.cpu_count() or 1, help="folds learnt at once")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line asks."""
    parser = _parser()
    args = parser.parse_args(argv)
    ways = [bool(each) for each in (args.predictions, args.train_on, args.selector)]
    if sum(ways) != 1 or bool(args.train_on) != bool(args.predict):
        parser.error("give --predictions, or --train-on and --predict, or --selector")
    if args.selector and (args.members != 1 or not 0 <= args.budget <= 1):
        parser.error("--selector is one network, and its --budget a share from 0 to 1")
    if not (args.out or args.table):
        parser.error("give --out, --table or both: nothing would be kept")
    os.environ.update(threads.ONE)  # of the processes that learn
    try:
        if args.selector:
            selected(args)
            return 0
        submission = refined(args)
        if args.out:
            files.write(args.out, submission)
        if args.table:
            print(_table(args, submission))
    except (files.FileError, OSError) as error:
        print(f"refine: {error}", file=sys.stderr)
        return 2
    return 0


def _table(args: argparse.Namespace, submission: list[files.Row]) -> str:
    truth = files.read(args.ground_truth)
    given = [(path.stem, files.read(path)) for path in args.predictions or args.predict]
    return lines([(name, figures(rows, truth)) for name, rows in [*given, ("refined", submission)]])


if __name__ == "__main__":
    raise SystemExit(main())
