"""``python -m evals.refine``: another system's windows, refined by the grounding network.

    python -m evals.refine --predictions P.jsonl --ground-truth GT.jsonl --folds 5 --table
    python -m evals.refine --train-on A.jsonl --ground-truth GT.jsonl --predict B.jsonl --out C
    python -m evals.refine --predictions P.jsonl --ground-truth GT.jsonl --export FOR_TRAIN.jsonl

``--predictions`` may be given more than once: all files about the same queries are used together.
With ``--gate`` there are two, the first made without sound: a gate says for each query what the
second one counts (IMG), or ``--gate 0.5`` what it counts for all.
Folds are made of source videos, so that no query is answered by a network that saw its video.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from evals.refine import rows as files
from evals.refine.agreement import agreement, concatenated
from evals.refine.export import export
from evals.refine.learn import Answers, Plan, answers, crossed, folds, learn
from evals.refine.table import figures, lines
from vmr_agent import threads
from vmr_agent.adapters.grounder import shipped

NOTHING = "nothing"
Asked = list[tuple[files.Row, ...]]


def refined(args: argparse.Namespace) -> tuple[Asked, Answers]:
    """What was asked, and what is answered."""
    plan = Plan(
        course=Plan().course._replace(epochs=args.epochs, rate=args.rate),
        members=args.members,
        gated=args.gate is not None,
        held=_held(args.gate),
        begin=None if args.begin == NOTHING else shipped() if not args.begin else Path(args.begin),
    )
    truth = files.read(args.ground_truth, files.TRUTH)
    if args.train_on:
        known = files.joined([files.read(path, files.WINDOWS) for path in args.train_on])
        asked = files.joined([files.read(path, files.WINDOWS) for path in args.predict])
        networks = learn(
            [files.question(each) for each in known], files.moments(known, truth), plan, args.seed
        )
        return asked, answers(networks, [files.question(e) for e in asked], plan, args.seed)
    asked = files.joined([files.read(path, files.WINDOWS) for path in args.predictions])
    held_out = folds(files.videos(asked), args.folds, args.seed)
    true, questions = files.moments(asked, truth), [files.question(each) for each in asked]
    return asked, crossed(questions, true, held_out, plan, args.seed, args.workers)


def _held(gate: str | None) -> float | None:
    return None if gate in (None, "learned") else float(gate)


def _told(asked: Asked, found: Answers) -> list[files.Row]:
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
    add("--gate", nargs="?", const="learned", help="weigh two files, without and with sound")
    add("--folds", type=int, default=5)
    add("--train-on", type=Path, action="append", help="learn from this file …")
    add("--predict", type=Path, action="append", help="… and refine this one")
    add("--out", type=Path, help="for the refined submission")
    add("--export", type=Path, help="write --predictions as questions for `vmr train`, and end")
    add("--table", action="store_true", help="print figures beside those of the files given")
    add("--seed", type=int, default=0)
    add("--members", type=int, default=Plan().members, help="networks that are averaged")
    add("--epochs", type=int, default=Plan().course.epochs)
    add("--rate", type=float, default=Plan().course.rate, help="of learning, at its highest")
    add("--begin", help=f"folder of the network to go on from, or {NOTHING}; default: the shipped")
    add("--workers", type=int, default=os.cpu_count() or 1, help="folds learnt at once")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line asks."""
    parser = _parser()
    args = parser.parse_args(argv)
    if bool(args.predictions) == bool(args.train_on) or bool(args.train_on) != bool(args.predict):
        parser.error("give --predictions, or --train-on and --predict")
    if not (args.out or args.table or args.export):
        parser.error("give --out, --table or both: nothing would be kept")
    if args.export and not args.predictions:
        parser.error("--export writes what is in --predictions")
    if args.gate is not None and len(args.predictions or args.train_on) != 2:
        parser.error("--gate weighs two files: the first made without sound, the second with it")
    os.environ.update(threads.ONE)  # of the processes that learn
    try:
        if args.export:
            export(args.export, args.predictions, args.ground_truth)
            return 0
        asked, found = refined(args)
        submission = _told(asked, found)
        if args.out:
            files.write(args.out, submission)
        if args.table:
            print(_table(args, asked, submission))
            if args.gate is not None:
                print(agreement(found.importance, asked, files.read(args.ground_truth)))
    except (files.FileError, OSError) as error:
        print(f"refine: {error}", file=sys.stderr)
        return 2
    return 0


def _table(args: argparse.Namespace, asked: Asked, submission: list[files.Row]) -> str:
    truth = files.read(args.ground_truth)
    runs = [(path.stem, files.read(path)) for path in args.predictions or args.predict]
    if len(runs) > 1:
        runs.append(("best ten of all", concatenated(asked)))
    runs.append(("refined", submission))
    return lines([(name, figures(rows, truth)) for name, rows in runs])


if __name__ == "__main__":
    raise SystemExit(main())
