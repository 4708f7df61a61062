"""``python -m evals.refine``: another system's windows, refined by the grounding network.

    python -m evals.refine --predictions P.jsonl --ground-truth GT.jsonl --folds 5 --table
    python -m evals.refine --train-on A.jsonl --ground-truth GT.jsonl --predict B.jsonl --out C
    python -m evals.refine --selector FREE.jsonl LOOK.jsonl --budget 0.2 --ground-truth GT.jsonl
    python -m evals.refine --predictions P.jsonl --ground-truth GT.jsonl --export FOR_TRAIN.jsonl

``--predictions`` may be given more than once: all files about the same queries are used together.
With ``--gate`` there are two, the first made without sound: a gate says for each query what the
second one counts (IMG), or ``--gate 0.5`` what it counts for all. With ``--selector`` the second
file's curve is seen only where it is looked for. ``--epochs 0`` learns nothing and answers with the
network that it would go on from. Folds are made of source videos, so that no query is answered by a
network that saw its video; where what is learned from and what is asked share none, there is one.
Every answer has ten windows, fewer for a film of less than four steps; ``--rerank`` keeps what is
given.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from math import inf
from pathlib import Path

from evals.refine import rows as files
from evals.refine import tasks
from evals.refine.export import export
from evals.refine.learn import Plan
from evals.refine.rerank import RERANKERS
from vmr_agent import VmrError, threads

USUAL = Plan()


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
    add("--gate", nargs="?", const="learned", help="weigh two files, without and with sound")
    add("--selector", type=Path, nargs=2, metavar=("FREE", "LOOK"), help="choose where to look")
    add("--budget", type=float, default=0.2, help="share of LOOK's steps that may be seen")
    add("--rerank", choices=sorted(RERANKERS), help="somebody else's way, to compare with")
    add("--out", type=Path, help="for the refined submission")
    add("--export", type=Path, help="write --predictions as questions for `vmr train`, and end")
    add("--table", action="store_true", help="print figures beside those of the files given")
    add("--seed", type=int, default=0)
    add("--members", type=int, default=USUAL.members, help="networks that are averaged")
    add("--epochs", type=int, default=USUAL.course.epochs)
    add("--rate", type=float, help="of learning, at its highest")
    sharper = "what logits over windows are multiplied by; less where less is to be believed"
    add("--sharpness", type=float, default=USUAL.sharpness, help=sharper)
    begin = f"folder of the network to go on from, or {tasks.NOTHING}; else what is shipped"
    add("--begin", help=begin)
    add("--workers", type=int, default=os.cpu_count() or 1, help="folds learnt at once")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line asks."""
    parser = _parser()
    args = parser.parse_args(argv)
    if fault := _fault(args):
        parser.error(fault)
    os.environ.update(threads.ONE)  # of the processes that learn
    try:
        if args.export:
            export(args.export, args.predictions, args.ground_truth)
        elif args.selector:
            tasks.select(args)
        else:
            tasks.refine(args)
    except (files.FileError, VmrError, ArithmeticError, OSError) as error:
        print(f"refine: {error}", file=sys.stderr)
        return 2
    return 0


def _fault(args: argparse.Namespace) -> str | None:
    """What is wrong with what is asked."""
    ways = [bool(each) for each in (args.predictions, args.train_on, args.selector)]
    if sum(ways) != 1 or bool(args.train_on) != bool(args.predict):
        return "give --predictions, or --train-on and --predict, or --selector"
    if args.train_on and len(args.train_on) != len(args.predict):
        return "--train-on and --predict are given equally often"
    if not (args.out or args.table or args.export):
        return "give --out, --table or both: nothing would be kept"
    for path in filter(None, (args.out, args.export)):
        if path.is_dir() or not path.absolute().parent.is_dir():
            return f"{str(path)!r} cannot be written: name a file in a folder that is there"
    if args.export and (not args.predictions or args.out or args.table):
        return "--export writes what is in --predictions, and nothing else is done"
    if args.selector and (not 0 <= args.budget <= 1):
        return "--budget is a share from 0 to 1"
    if args.selector and (args.gate or args.rerank or args.begin or args.members != USUAL.members):
        return "--selector learns one network from nothing: no --gate, --rerank, --begin, --members"
    if args.gate is not None and len(args.predictions or args.train_on or ()) != 2:
        return "--gate weighs two files: the first made without sound, the second with it"
    if args.gate not in (None, "learned") and not _share(args.gate):
        return "--gate is a share from 0 to 1, or nothing: then it is learned"
    if args.folds < 2 or args.members < 1 or args.workers < 1 or args.epochs < 0:
        return "--folds is 2 or more, --members and --workers 1 or more, --epochs 0 or more"
    usual = args.rate is None or 0 < args.rate <= 1
    if not (0 < args.sharpness < inf and args.seed >= 0 and usual):
        return "--sharpness is more than 0, --seed 0 or more, --rate more than 0 and at most 1"
    if args.epochs == 0 and (args.begin == tasks.NOTHING or args.gate or args.rerank):
        return "--epochs 0 answers with a network that is trained already: --begin says which"
    return None


def _share(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False


if __name__ == "__main__":
    raise SystemExit(main())
