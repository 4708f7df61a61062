"""``vmr score``: anybody's predictions, scored as the benchmarks do, and strictly beside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from vmr_agent.cli.options import AsJson
from vmr_agent.cli.streams import answer, dump, say
from vmr_agent.errors import ScoringError

if TYPE_CHECKING:
    from vmr_agent.metrics.reading import Row
    from vmr_agent.metrics.scoring import Dataset

Predictions = Annotated[
    Path, typer.Argument(metavar="PREDICTIONS", help="A .jsonl, one query a line.")
]
Of = Annotated[
    Literal[
        "qvhighlights",
        "qvm2",
        "charades-sta",
        "charades-audiomatter",
        "activitynet",
        "tacos",
        "gmr",
    ],
    typer.Option(
        "--dataset",
        metavar="NAME",
        help="Whose figures: qvhighlights, qvm2, charades-sta, charades-audiomatter, activitynet, "
        "tacos, or gmr, where queries may be absent.",
    ),
]
Truth = Annotated[
    Path,
    typer.Option("--ground-truth", metavar="FILE", help="Annotations: .jsonl, or Charades' .txt."),
]
Variant = Annotated[
    str | None,
    typer.Option(
        "--variant", metavar="NAME", help="Of datasets with one moment a query; all otherwise."
    ),
]
Against = Annotated[
    Path | None,
    typer.Option("--against", metavar="FILE", help="Other predictions, to compare with."),
]
Durations = Annotated[
    Path | None,
    typer.Option("--durations", metavar="FILE", help="A .jsonl with vid and duration, for a .txt."),
]
Missing = Annotated[
    Literal["error", "empty"],
    typer.Option("--missing", help="A query without a line is an error, or an empty answer."),
]


def score(
    predictions: Predictions,
    dataset: Of,
    ground_truth: Truth,
    variant: Variant = None,
    against: Against = None,
    durations: Durations = None,
    missing: Missing = "error",
    as_json: AsJson = False,
) -> None:
    """Score PREDICTIONS as a benchmark does, and strictly.

    Strictly, an empty answer scores 0. What is odd about the file is said on stderr.

    Examples:

    vmr score mine.jsonl --dataset qvhighlights --ground-truth highlight_val_release.jsonl
    vmr score ours.jsonl --dataset charades-sta --ground-truth charades_test.txt --variant raw
    vmr score mine.jsonl --dataset qvm2 --ground-truth test.jsonl --against theirs.jsonl --json
    """
    from vmr_agent.metrics.reading import SubmissionError

    try:
        truth = _truth(ground_truth, dataset, variant, durations)
        rows = _rows(predictions, truth, dataset, missing)
        others = _rows(against, truth, dataset, missing) if against else None
        text = _told(dataset, rows, others, truth, variant, as_json)
    except SubmissionError as error:
        raise ScoringError(str(error)) from error
    answer(text, 0)


def _truth(path: Path, dataset: Dataset, variant: str | None, durations: Path | None) -> list[Row]:
    from vmr_agent.metrics import joining, reading
    from vmr_agent.metrics.charades import VARIANTS
    from vmr_agent.metrics.scoring import ONE_MOMENT, usable

    if variant is not None and dataset not in ONE_MOMENT:
        raise ScoringError(f"--variant goes with {', '.join(sorted(ONE_MOMENT))}")
    if variant is not None and variant not in VARIANTS:
        raise ScoringError(f"there is no variant {variant!r}: {', '.join(VARIANTS)}")
    truth = reading.truths(path)
    if durations is not None:
        truth = joining.with_durations(truth, reading.durations(durations))
    if variant is not None and variant not in usable(truth):
        raise ScoringError(f"{variant} cuts windows to the film: give --durations FILE")
    return truth


def _rows(path: Path, truth: Sequence[Row], dataset: Dataset, missing: str) -> list[Row]:
    """The predictions of a file, with all that is odd about them said."""
    from vmr_agent.metrics import joining, lint, reading

    rows = reading.predictions(path, scored=dataset in lint.GRIDDED)
    if "pred_relevant_windows" not in rows[0] and dataset != "qvhighlights":
        raise ScoringError(f"{path}:1 has no pred_relevant_windows")
    rows = joining.joined(rows, truth, missing == "empty")
    for finding in lint.findings(rows, truth, dataset):
        say(f"{path.name}: {finding}")
    return rows


def _told(
    dataset: Dataset,
    rows: Sequence[Row],
    others: Sequence[Row] | None,
    truth: Sequence[Row],
    variant: str | None,
    as_json: bool,
) -> str:
    from vmr_agent.metrics import lint, scoring

    try:
        found = scoring.score(dataset, rows, truth, variant)
    except ValueError as error:
        raise ScoringError(str(error)) from error
    for finding in lint.constant(found["official"], len(truth)):
        say(finding)
    change = scoring.against(dataset, rows, others, truth, variant) if others else {}
    if others and not change:
        raise ScoringError("--against compares windows of both files, and nothing of gmr")
    if as_json:
        told = {
            name: each._asdict() | {"change": each.change._asdict()}
            for name, each in change.items()
        }
        return dump(_json(found | ({"against": told} if others else {})))
    from vmr_agent.cli.figures import page

    sure = scoring.sureness(dataset, rows, truth, variant)
    return page(dataset, found, sure, change, len(truth), variant or "raw")


def _json(value: Any) -> Any:
    """What JSON can say: null for a figure that there is not."""
    if isinstance(value, dict):
        return {name: _json(each) for name, each in value.items()}
    if isinstance(value, float) and math.isnan(value):
        return None
    return value
