"""A benchmark's own figures, from the samples of a run; only what was answered is scored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from evals import submission
from evals.columns import lines as table
from evals.datasets import BENCHMARKS, Asked
from evals.logbook import Metrics, Sample
from vmr_agent import Moment
from vmr_agent.export.qvhighlights import windows
from vmr_agent.metrics import rejection, strict
from vmr_agent.metrics.scoring import Dataset, score, sureness

Figures = dict[str, Any]
Pair = tuple[Asked, Sample]
Row = dict[str, Any]


def metrics(name: str, questions: Sequence[Asked], samples: Mapping[str, Sample]) -> Metrics:
    """Of a benchmark, in the order of its file, whatever the order of the samples.

    ``official`` and ``qvm2`` are of what a server would get; ``strict``, ``coverage`` and
    ``intervals`` of what the agent found: where that is nothing, nothing is put in its place.
    """
    told = [(each, samples[each.id]) for each in questions if each.id in samples]
    answered = [(each, sample) for each, sample in told if sample.report is not None]
    figures: Figures = {"unasked": len(questions) - len(told)}
    if answered:
        figures["coverage"] = strict.coverage([_own(*each) for each in answered])
    present = [pair for pair in answered if pair[0].truth]
    if present:
        figures |= _figures(name, present)
    labelled = [pair for pair in answered if pair[0].truth is not None]
    if present and len(present) < len(labelled):
        own = [_own(*each) for each in labelled]
        figures["rejection"] = rejection.evaluate(own, [_true(*each) for each in labelled])
    return Metrics(scored=len(answered), failed=len(told) - len(answered), figures=figures)


def _figures(name: str, present: Sequence[Pair]) -> Figures:
    truth, own = [_true(*each) for each in present], [_own(*each) for each in present]
    served = own
    if BENCHMARKS[name].saliency:
        served = [submission.row(*each) for each in present]
        own = [{**whole, **mine} for whole, mine in zip(served, own, strict=True)]
    if not all("saliency_scores" in each for each in truth):  # QV-M²'s own queries have none
        served, own = (list(map(_without_saliency, each)) for each in (served, own))
    dataset = cast(Dataset, name)
    official, mine = score(dataset, served, truth), score(dataset, own, truth)
    sure = {each: told._asdict() for each, told in sureness(dataset, own, truth).items()}
    return {**official, "strict": mine["strict"], "coverage": mine["coverage"], "intervals": sure}


def _own(asked: Asked, sample: Sample) -> Row:
    """What the agent found, and how sure it is that there is anything."""
    assert sample.report is not None
    seen = [*sample.report.moments, *filter(None, [sample.report.rejected])]
    return {
        "qid": asked.row["qid"],
        "pred_relevant_windows": windows(sample.report),
        "pred_exist_score": max((each.score for each in seen), default=0.0),
    }


def _true(asked: Asked, sample: Sample) -> Row:
    """The annotation; with the length of the film as it was decoded where it has none."""
    windows = [list(window) for window in asked.truth or ()]
    return {"duration": sample.duration, **asked.row, "relevant_windows": windows}


def _without_saliency(row: Row) -> Row:
    return {key: told for key, told in row.items() if key != "pred_saliency_scores"}


def slim(sample: Sample) -> Sample:
    """What figures take of it: a tenth of its memory, for there may be tens of thousands."""
    if sample.report is None:
        return sample
    report = sample.report
    bare: Row = {"steps": (), "faults": (), "models": {}, "prompts": {}, "settings": {}}
    bare["moments"] = tuple(_bare(each) for each in report.moments)
    bare["rejected"] = _bare(report.rejected) if report.rejected else None
    bare["coverage"] = report.coverage.model_copy(update={"closely": (), "passed_over": ()})
    return sample.model_copy(update={"report": report.model_copy(update=bare)})


def _bare(moment: Moment) -> Moment:
    return moment.model_copy(update={"evidence": ()})


def lines(told: Metrics) -> str:
    """For people: how many, and the figures that papers print."""
    figures = told.figures
    found = [f"{told.scored} scored, {told.failed} failed, {figures['unasked']} not asked"]
    if "coverage" in figures:
        found.append(f"{figures['coverage']:g} % found something")
    official = figures.get("official", {})
    if "brief" in official:
        both = {**official["brief"], **figures.get("qvm2", {}).get("brief", {})}
        found += [f"  {name:24} {v:g}" for name, v in both.items() if not math.isnan(v)]
    elif official:
        found.append(table(official))
    for name, sure in figures.get("intervals", {}).items():
        if not math.isnan(sure["value"]):
            found.append(
                f"  strict {name:17} {sure['value']:.2f} ({sure['low']:.2f} to {sure['high']:.2f})"
            )
    return "\n".join(found)
