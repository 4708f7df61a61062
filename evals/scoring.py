"""A benchmark's own figures, from the samples of a run; only what was answered is scored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from evals.datasets import BENCHMARKS, Asked
from evals.logbook import Metrics, Sample
from evals.submission import row
from vmr_agent.metrics import qvhighlights, qvm2

Figures = dict[str, Any]


def metrics(name: str, questions: Sequence[Asked], samples: Mapping[str, Sample]) -> Metrics:
    """Of a benchmark, in the order of its file, whatever the order of the samples."""
    told = [(each, samples[each.id]) for each in questions if each.id in samples]
    answered = [(each, sample) for each, sample in told if sample.report is not None]
    figures: Figures = {"unasked": len(questions) - len(told)}
    if answered:
        found = [bool(s.report and s.report.moments) for _, s in answered]
        figures["coverage"] = qvhighlights.percent(sum(found) / len(found))
    labelled = [(each, sample) for each, sample in answered if each.truth is not None]
    if labelled and BENCHMARKS[name].saliency:
        figures |= _highlights(labelled)
    return Metrics(scored=len(answered), failed=len(told) - len(answered), figures=figures)


def _highlights(answered: Sequence[tuple[Asked, Sample]]) -> Figures:
    """Of the file that the server gets."""
    rows, truth = [row(*each) for each in answered], [each.row for each, _ in answered]
    if not all("saliency_scores" in each for each in truth):  # QV-M²'s own queries have none
        rows = [{k: v for k, v in each.items() if k != "pred_saliency_scores"} for each in rows]
    return {"official": qvhighlights.evaluate(rows, truth), "qvm2": qvm2.evaluate(rows, truth)}


def lines(told: Metrics) -> str:
    """For people: how many, and the figures that papers print."""
    head = f"{told.scored} scored, {told.failed} failed, {told.figures['unasked']} not asked"
    brief = {
        f"{group} {name}": value
        for group, figures in told.figures.items()
        if isinstance(figures, dict)
        for name, value in figures.get("brief", figures).items()
        if isinstance(value, int | float) and not math.isnan(value)
    }
    return "\n".join([head, *(f"  {name:32} {value:g}" for name, value in brief.items())])
