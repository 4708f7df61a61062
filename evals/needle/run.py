"""Asking about needle films: the agent and the baselines beside it, in the same run.

A logbook for each, in one folder; the same command again goes on where it ended.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from evals.desk import Source
from evals.logbook import Metrics, Sample, writing
from evals.needle.desk import Needles
from evals.needle.naive import Naive, Taste
from evals.needle.questions import asked, dataset, places
from evals.needle.score import by_kind, given
from evals.plan import tasks
from evals.provenance import header
from evals.run import Asking, TooManyFailedError, ask, resumed
from vmr_agent import Settings
from vmr_agent.protocols import Array
from vmr_agent.toolbox import Toolbox, build_toolbox

OURS = "vmr_agent"
"""What the agent is called beside the baselines."""
USUAL = Asking()
Answers = dict[str, list[Sample]]
"""Samples by system, in the order of the queries."""


def run(
    films: Sequence[Path],
    settings: Settings,
    out: Path,
    tastes: Mapping[str, Taste],
    words: Sequence[str] = (),
    *,
    again: bool = False,
    how: Asking = USUAL,
    build: Callable[[Settings], Toolbox] = build_toolbox,
) -> Answers:
    """Every query of every film, asked of the agent and of each baseline.

    ``words`` are the module that was started and its arguments. Raises JoinError, VmrError.
    """
    questions, where = asked(films), places(films)
    sources: dict[str, Source] = {OURS: Needles(settings, where, build)}
    looked: dict[str, Array] = {}
    sources |= {name: Naive(settings, t, where, build, looked) for name, t in tastes.items()}
    out.mkdir(parents=True, exist_ok=True)
    command = shlex.join(["python", "-m", *words])
    about = dataset(films, len(questions))
    found: Answers = {}
    for name, source in sources.items():
        print(f"{name} is asked {len(questions)} queries", file=sys.stderr, flush=True)
        source.check(questions)
        own = header(about, source.settings, source.models(), command)
        told = {**own.settings, "taste": vars(tastes[name])} if name in tastes else own.settings
        own = own.model_copy(update={"system": name, "settings": told})
        path = out / f"{name}.jsonl"
        with writing(path) as log:
            samples = resumed(log, path, own, again)
            done = {each.id for each in samples.values() if each.report is not None}
            left = tasks(questions, done)
            failed = ask(source, left, how, log, samples)
            found[name] = [samples[each.id] for each in questions if each.id in samples]
            log.add(_metrics(found[name]))
        if failed:
            raise TooManyFailedError(f"{name}: {failed}")
    return found


def _metrics(samples: Sequence[Sample]) -> Metrics:
    failed = sum(each.report is None for each in samples)
    return Metrics(
        scored=len(samples) - failed, failed=failed, figures=dict(by_kind(given(samples)))
    )
