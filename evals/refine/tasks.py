"""What the command line can ask for: each prints or writes, and keeps nothing else."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from evals.columns import lines
from evals.refine import rows as files
from evals.refine import selector
from evals.refine.agreement import agreement, concatenated
from evals.refine.cross import apart, crossed, folds
from evals.refine.learn import Answers, Plan
from evals.refine.table import figures
from vmr_agent.adapters.grounder import shipped
from vmr_agent.errors import WeightsError
from vmr_agent.grounding.checkpoint import read

GENTLE = 0.0012
"""Rate of learning, at its highest, that goes on from something."""
NOTHING = "nothing"
"""What a training begins from that goes on from no other."""
ONE = (1, 1)
"""Curves and sources of a network that any number of files can go on from."""
Asked = list[tuple[files.Row, ...]]


def refine(args: argparse.Namespace) -> None:
    """Answers to every query, by networks that never saw its video."""
    truth = files.read(args.ground_truth, files.TRUTH)
    asked, found = _refined(args, truth)
    submission = told(asked, found)
    if args.out:
        files.write(args.out, submission)
    if args.table:
        paths = args.predictions or args.predict
        runs = dict(zip(files.named(paths), map(files.read, paths), strict=True))
        if len(runs) > 1:
            runs["best ten of all"] = concatenated(asked)
        runs["refined"] = submission
        print(lines({name: figures(rows, truth) for name, rows in runs.items()}))
        if args.gate is not None:
            print(agreement(found.importance, asked, truth))


def select(args: argparse.Namespace) -> None:
    """The same, where one file's curve is free and another's must be looked for."""
    truth = files.read(args.ground_truth, files.TRUTH)
    given = [files.read(path, files.WINDOWS, files.CURVE) for path in args.selector]
    if any(not row[files.CURVE] for rows in given for row in rows):
        raise files.FileError("a curve is empty: who is looked at must have a value for each step")
    asked = files.joined(given)
    films, true = [selector.film(each) for each in asked], files.moments(asked, truth)
    held_out = folds(files.videos(asked), args.folds, args.seed)
    plan = _plan(args, begin=None)
    terms = selector.Terms(args.budget, bool(args.table), plan, args.seed)
    answers = selector.crossed(films, true, held_out, terms, args.workers)
    found = {way: told(asked, each) for way, each in answers.items()}
    if args.out:
        files.write(args.out, found[selector.SELECTOR])
    if args.table:
        names = (path.stem for path in args.selector)
        runs = dict(zip(names, given, strict=True)) | found
        print(lines(selector.kept({name: figures(rows, truth) for name, rows in runs.items()})))


def _refined(args: argparse.Namespace, truth: Sequence[files.Row]) -> tuple[Asked, Answers]:
    asked = _joined(args.predictions or args.predict)
    if args.table:
        files.named(args.predictions or args.predict)
        files.moments(asked, truth)  # who wants figures learns before the work that there are none
    known = _joined(args.train_on) if args.train_on else asked
    told, wanted = ([files.question(each) for each in rows] for rows in (known, asked))
    learned = files.videos(known) if args.epochs else [""] * len(known)  # of none of them
    held_out = apart(learned, files.videos(asked), args.folds, args.seed)
    true, plan = files.moments(known, truth), _plan(args, _begin(args))
    return asked, crossed((told, true), wanted, held_out, plan, args.seed, args.workers)


def _joined(paths: Sequence[Path]) -> Asked:
    return files.joined([files.read(path, files.WINDOWS) for path in paths])


def _begin(args: argparse.Namespace) -> Path | None:
    """What learning goes on from."""
    if args.begin == NOTHING:
        return None
    folder = Path(args.begin) if args.begin else shipped("detector")
    if (
        folder is not None
        and (card := read(folder))
        and (len(card.channels), len(card.sources)) != ONE
    ):
        raise WeightsError(
            f"{str(folder)!r} reads {len(card.channels)} curves and {len(card.sources)} sources: "
            "begin at one that reads one of each"
        )
    return folder


def _plan(args: argparse.Namespace, begin: Path | None) -> Plan:
    usual = Plan().course.rate if begin is None else GENTLE
    rate = usual if args.rate is None else args.rate
    return Plan(
        course=Plan().course._replace(epochs=args.epochs, rate=rate),
        members=args.members if args.epochs else 1,
        sharpness=args.sharpness,
        gated=args.gate is not None,
        held=None if args.gate in (None, "learned") else float(args.gate),
        rerank=args.rerank,
        begin=begin,
    )


def told(asked: Asked, found: Answers) -> list[files.Row]:
    """Rows of a submission."""
    each = zip(asked, found.windows, found.quality, strict=True)
    return [files.answer(rows[0], windows, quality) for rows, windows, quality in each]
