"""All figures of a submission on a dataset, and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

from vmr_agent.metrics import charades, qvhighlights, qvm2, rejection, strict
from vmr_agent.metrics.bootstrap import Difference, Interval, Tally, differences, intervals
from vmr_agent.metrics.charades import VARIANTS
from vmr_agent.metrics.qvhighlights import Row

Dataset = Literal[
    "qvhighlights", "qvm2", "charades-sta", "activitynet", "tacos", "charades-audiomatter", "gmr"
]
ONE_MOMENT = frozenset(get_args(charades.Dataset))
"""Datasets with one moment for each query."""
YOUTUBE = 11
"""Letters of a YouTube video's id; what follows in ``vid`` is which part of it is meant."""


def score(
    dataset: Dataset, submission: Sequence[Row], truth: Sequence[Row], variant: str | None = None
) -> dict[str, Any]:
    """``official``, ``strict`` and ``coverage`` in percent; ``qvm2`` too for qvhighlights.

    Official ones have the official names, nesting and rounding; for datasets with one moment a
    query they stand under the name of each variant that the truth allows, or of that asked for.
    Strict ones, where an empty answer scores 0, have those of the official ones, and QV-M²'s under
    ``qvm2``. NaN where there is no such figure.
    """
    told = {"coverage": strict.coverage(submission)}
    if dataset == "gmr":
        found = rejection.evaluate(submission, truth)
        return {"official": found, "strict": found, **told}
    if dataset in ONE_MOMENT:
        named = {
            name: charades.evaluate(submission, truth, VARIANTS[name], dataset)  # type: ignore[arg-type]
            for name in ([variant] if variant else usable(truth))
        }
        # An empty answer scores 0 in every one of them.
        return {"official": named, "strict": named, **told}
    many, many_strict = (qvm2.evaluate(submission, truth, each) for each in (False, True))
    if dataset == "qvm2":
        return {"official": many, "strict": many_strict, **told}
    first = qvhighlights.evaluate(submission, truth)
    silent = not all(row.get("pred_relevant_windows", True) for row in submission)
    first_strict = qvhighlights.evaluate(submission, truth, True) if silent else first
    strictly = {**first_strict, "qvm2": many_strict}
    return {"official": first, "qvm2": many, "strict": strictly, **told}


def usable(truth: Sequence[Row]) -> list[str]:
    """The variants that can be had of a truth: some need the lengths of films."""
    timed = all("duration" in row for row in truth)
    return [name for name, each in VARIANTS.items() if timed or not (each.clipped or each.in_film)]


def sureness(
    dataset: Dataset, submission: Sequence[Row], truth: Sequence[Row], variant: str | None = None
) -> dict[str, Interval]:
    """Strict figures with their intervals; of one variant, raw where none is named."""
    found = _tally(dataset, submission, truth, variant)
    return intervals(found, videos(truth)) if found else {}


def against(
    dataset: Dataset,
    first: Sequence[Row],
    second: Sequence[Row],
    truth: Sequence[Row],
    variant: str | None = None,
) -> dict[str, Difference]:
    """Strict figures of two submissions, and how they differ on the same draws of videos."""
    one, other = (_tally(dataset, each, truth, variant) for each in (first, second))
    return differences(one, other, videos(truth)) if one and other else {}


def videos(truth: Sequence[Row]) -> list[str]:
    """Of which source video each query is; a query without one stands for itself."""
    names = [str(row.get("vid", row["qid"])) for row in truth]
    return [name[:YOUTUBE] if len(name) > YOUTUBE else name for name in names]


def _tally(
    dataset: Dataset, submission: Sequence[Row], truth: Sequence[Row], variant: str | None
) -> Tally | None:
    if dataset in ONE_MOMENT:
        return charades.tally(submission, truth, VARIANTS[variant or "raw"], dataset)  # type: ignore[arg-type]
    if dataset == "gmr" or "pred_relevant_windows" not in submission[0]:
        return None
    return strict.tally(submission, truth)
