"""Ask the agent a benchmark: load, plan, ask, log, score.

    python -m evals.run --dataset qvhighlights --videos DIR --annotations FILE --split val \\
        --out RUN.jsonl

The same command again goes on where it ended, however that was; docs/evaluating.md has the rest.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from evals import provenance, published, submission
from evals.chosen import chosen
from evals.datasets import BENCHMARKS, AnnotationError, Asked, films
from evals.desk import Films, Source
from evals.features import Features
from evals.logbook import Header, LogbookError, Sample, Writer, entries, writing
from evals.plan import planned, tasks
from evals.published import FeatureError
from evals.run_options import options
from evals.scoring import lines, metrics, slim
from evals.spread import Task, alone, spread
from evals.telling import Telling
from vmr_agent import Settings, VmrError
from vmr_agent.toolbox import Toolbox, build_toolbox

LEAST = 20
"""Queries from which on their share of failures says anything."""
STOPPED = 130
"""Exit code when somebody pressed Ctrl-C."""
Build = Callable[[Settings], Toolbox]


class TooManyFailedError(VmrError):
    """More failed than was allowed."""


class Asking(NamedTuple):
    """How queries are asked."""

    jobs: int = 1
    """Processes side by side."""
    allowed: float = 0.05
    """Share of them that may fail."""


class Loaded(NamedTuple):
    """What is to be asked, and of whom."""

    questions: list[Asked]
    source: Source
    there: Mapping[str, Path]
    """Where each film is, or its features."""


def run(args: argparse.Namespace, command: str, build: Build = build_toolbox) -> None:
    """A run, or what is left of it. Raises VmrError or OSError."""
    questions, source, there = load(args, build)
    plan = planned(questions, there, args.shard, args.limit)
    source.check(plan)
    header = headed(args, questions, there, source, command)
    with writing(args.out) as log:
        samples = resumed(log, args.out, header, args.again)
        done = {each.id for each in samples.values() if each.report is not None}
        asking = Asking(args.jobs, args.fail_on_error)
        failed = ask(source, tasks(plan, done), asking, log, samples)
        told = metrics(args.dataset, questions, samples)
        log.add(told)
        if BENCHMARKS[args.dataset].saliency:
            submission.write(args.out.with_suffix(".submission.jsonl"), questions, samples)
    print(f"{args.out}: {lines(told)}")
    if failed:
        raise TooManyFailedError(failed)


def load(args: argparse.Namespace, build: Build) -> Loaded:
    """Raises VmrError for what cannot be read, or where no film is there."""
    settings, benchmark = chosen(args.set, args.without), BENCHMARKS[args.dataset]
    if args.clip and args.videos:
        raise FeatureError("--clip is the length of a feature; leave it out with --videos")
    questions = benchmark.load(args.annotations)
    names = dict.fromkeys(each.video for each in questions)
    clip, folder = args.clip or benchmark.clip, args.features or args.videos
    there = published.find(folder, names) if args.features else films.find(folder, names)
    if not there:
        sought = published.FILMS + "/{}.npz" if args.features else "{}.mp4"
        first = sought.format(films.bare(next(iter(names))))
        raise AnnotationError(f"none of {len(names)} films is in {folder}: {first} would be one")
    if args.features:
        wanted = benchmark.saliency
        return Loaded(questions, Features(settings, folder, there, clip, wanted, build), there)
    scored = benchmark.clip if benchmark.saliency else None
    return Loaded(questions, Films(settings, there, scored, build), there)


def headed(
    args: argparse.Namespace,
    questions: Sequence[Asked],
    there: Mapping[str, Path],
    source: Source,
    command: str,
) -> Header:
    """The header, and a word about what is missing."""
    names = dict.fromkeys(each.video for each in questions)
    missing = [name for name in names if name not in there]
    if missing:
        told = f"{len(missing)} of {len(names)} films are missing"
        print(f"evals.run: {told}: {' '.join(missing)}", file=sys.stderr)
    asked = provenance.dataset(args.dataset, args.split, args.annotations, len(questions), missing)
    return provenance.header(asked, source.settings, source.models(), command)


def resumed(log: Writer, path: Path, header: Header, again: bool) -> dict[str, Sample]:
    """What was asked before, by id. Raises LogbookError if that was another run."""
    if not path.stat().st_size or again:
        log.clear()
        log.add(header)
        return {}
    before = entries(path)
    known = next(before)
    assert isinstance(known, Header), "the log was opened as one"
    if other := provenance.difference(known, header):
        raise LogbookError(f"{path} is another run: {other}; name another file, or begin --again")
    return {each.id: slim(each) for each in before if isinstance(each, Sample)}


def ask(
    source: Source,
    left: Sequence[Task],
    how: Asking,
    log: Writer,
    samples: dict[str, Sample],
) -> str:
    """All that is left, each answer into the log at once. Why too many failed, if they did."""
    asked, why = 0, Counter[str]()
    come = spread(source, left, how.jobs) if how.jobs > 1 else alone(source, left)
    before = [each for each in samples.values() if each.report is not None]
    total = len(before) + sum(map(len, left))
    with closing(come), Telling(total, before=before) as telling:
        for sample in come:
            log.add(sample)
            samples[sample.id] = slim(sample)
            telling.hear(sample)
            asked += 1
            if sample.error is not None:
                why[f"{sample.error.kind}: {sample.error.message}"] += 1
            if asked >= LEAST and why.total() > how.allowed * asked:
                break
    if why.total() <= how.allowed * asked:
        return ""
    return f"{why.total()} of {asked} failed, most of them with {why.most_common(1)[0][0]}"


def main(argv: Sequence[str] | None = None, build: Build = build_toolbox) -> int:
    """Do what the command line asks."""
    words = sys.argv[1:] if argv is None else [*argv]
    args = options(__doc__).parse_args(words)
    try:
        run(args, shlex.join(["python", "-m", "evals.run", *words]), build)
    except KeyboardInterrupt:
        print("evals.run: stopped; the same command goes on from here", file=sys.stderr)
        return STOPPED
    except (VmrError, OSError) as error:
        print(f"evals.run: {' '.join(str(error).split())}", file=sys.stderr)
        return getattr(error, "exit_code", 2)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
