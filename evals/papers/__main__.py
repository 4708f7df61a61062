"""``python -m evals.papers``: the same questions with each paper's part switched off and on.

    python -m evals.papers FILM.mp4 … --out FOLDER
    python -m evals.papers FILM.mp4 … --predictions DIR --ground-truth GT.jsonl --out FOLDER
    python -m evals.papers FILM.mp4 --out FOLDER --only smart-shots smore-filter

Films are needle films with their truth beside them, DIR has Lighthouse's predictions for
QVHighlights. Every variation keeps what it found in FOLDER: the same command again goes on where it
ended, and asks nothing twice. FOLDER/papers.json has what every part asked for is worth.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evals.bench_record import commit, machine
from evals.join import write
from evals.papers import films, labelled
from evals.papers.kept import PapersError
from evals.papers.parts import VARIATIONS
from evals.papers.reference import Bench
from evals.papers.worth import lines
from evals.playlist import JoinError
from evals.refine.rows import TRUTH, FileError, read
from vmr_agent import VmrError, threads
from vmr_agent.toolbox import build_toolbox

STOPPED = 130
"""Exit code when somebody pressed Ctrl-C."""


def papers(args: argparse.Namespace, words: Sequence[str], build: films.Build) -> dict[str, Any]:
    """What every part is worth. All that can be wrong is found before anything is asked.

    Raises VmrError, JoinError, FileError, ArithmeticError or OSError.
    """
    names = set(args.only or (each.name for each in (*VARIATIONS, *labelled.PARTS)))
    variations = [each for each in VARIATIONS if each.name in names and args.films]
    parts = [each for each in labelled.PARTS if each.name in names and args.predictions]
    if not (variations or parts):
        raise PapersError("nothing to be told: parts of films want films, others --predictions")
    command = ["evals.papers", *words]
    asking = films.Asking(args.films, args.out, args.set, command, args.again, build)
    if variations:
        films.checked(asking, variations)
    if parts:
        bench = _bench(args)
        labelled.checked(bench, parts)
    args.out.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {"commit": commit(), "machine": machine()}
    found["command"] = shlex.join(["python", "-m", *map(_bare, command)])
    if variations:
        _keep(args.out, found, "films", films.told(asking, variations))
    if parts:
        os.environ.update(threads.ONE)  # of the processes that learn
        _keep(args.out, found, "labelled", labelled.told(bench, parts, args.out, args.again))
    return found


def _bare(word: str) -> str:
    """Files by their names: the results are kept, and where things lay is of no use elsewhere."""
    return Path(word).name if os.sep in word and "=" not in word else word


def _bench(args: argparse.Namespace) -> Bench:
    how = args.folds, args.seed, args.epochs, args.limit, args.budget, args.workers
    truth = read(args.ground_truth, TRUTH)
    return Bench(args.predictions, args.ground_truth, truth, *how)


def _keep(out: Path, found: dict[str, Any], name: str, told: dict[str, Any]) -> None:
    """One of the halves, printed and on the disk before the other begins."""
    found[name] = told
    write(out / "papers.json", json.dumps(found, indent=1) + "\n")
    print(f"{lines(told['parts'])}\n", flush=True)


def _parser() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m evals.papers", description=__doc__, formatter_class=form
    )
    names = [each.name for each in (*VARIATIONS, *labelled.PARTS)]
    usual = Bench(Path(), Path(), ())
    add = parser.add_argument
    add("films", type=Path, nargs="*", metavar="FILM.mp4")
    add("--predictions", type=Path, metavar="DIR", help="of other systems, by their usual names")
    add("--ground-truth", type=Path, metavar="GT.jsonl", help="what is true of their queries")
    add("--out", type=Path, required=True, metavar="FOLDER", help="also to go on with one")
    named = "parts, if not all: " + ", ".join(names)
    add("--only", nargs="+", action="extend", choices=names, metavar="NAME", help=named)
    add("--set", action="append", default=[], metavar="SETTING=VALUE", help="of all films")
    add("--folds", type=int, default=usual.folds)
    add("--seed", type=int, default=usual.seed)
    add("--epochs", type=int, default=usual.epochs)
    add("--limit", type=int, metavar="N", help="queries of the predictions at most")
    add("--budget", type=float, default=usual.budget, help="share that the selector looks at")
    add("--workers", type=int, default=usual.workers, help="folds learnt at once")
    add("--again", action="store_true", help="throw away what the folder holds")
    return parser


def _fault(args: argparse.Namespace) -> str | None:
    """What is wrong with what is asked."""
    if bool(args.predictions) != bool(args.ground_truth):
        return "--predictions and --ground-truth are given together"
    if not (args.films or args.predictions):
        return "give films, --predictions, or both"
    if args.folds < 2 or args.workers < 1 or args.epochs < 1 or args.seed < 0:
        return "--folds is 2 or more, --workers and --epochs 1 or more, --seed 0 or more"
    if (args.limit is not None and args.limit < 2) or not 0 < args.budget <= 1:
        return "--limit is 2 or more, --budget a share above 0"
    return None


def main(argv: Sequence[str] | None = None, build: films.Build = build_toolbox) -> int:
    """Do what the command line asks."""
    words = sys.argv[1:] if argv is None else [*argv]
    parser = _parser()
    args = parser.parse_args(words)
    if fault := _fault(args):
        parser.error(fault)
    try:
        papers(args, words, build)
    except KeyboardInterrupt:
        print("evals.papers: stopped; the same command goes on from here", file=sys.stderr)
        return STOPPED
    except (VmrError, JoinError, FileError, ArithmeticError, OSError) as error:
        print(f"evals.papers: {' '.join(str(error).split())}", file=sys.stderr)
        return getattr(error, "exit_code", 2)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
