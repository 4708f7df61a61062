"""The official evaluators' own figures, where their files are: ``VMR_REFERENCE=FOLDER``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from vmr_agent.metrics import qvhighlights, qvm2

FOLDER = os.environ.get("VMR_REFERENCE")
pytestmark = pytest.mark.skipif(
    not FOLDER, reason="NOT COMPARED with the official evaluators: set VMR_REFERENCE to their files"
)
PAIRS = {
    "cg_detr_val_metrics": ("cg_detr_val", qvhighlights.evaluate),
    "moment_detr_val_metrics": ("moment_detr_val", qvhighlights.evaluate),
    "cg_detr_val_qvm2_metrics": ("cg_detr_val", qvm2.evaluate),
}


def lines(name: str) -> list[dict[str, Any]]:
    with (Path(FOLDER or "") / name).open() as file:
        return [json.loads(line) for line in file]


def leaves(node: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, float]]:
    for name, below in node.items():
        if isinstance(below, Mapping):
            yield from leaves(below, f"{above}{name}/")
        else:
            yield above + name, below


@pytest.mark.parametrize("metrics", PAIRS)
def test_no_figure_differs(metrics: str) -> None:
    name, evaluate = PAIRS[metrics]
    found = evaluate(
        lines(f"predictions/{name}.jsonl"), lines("qvhighlights/highlight_val_release.jsonl")
    )
    official = json.loads((Path(FOLDER or "") / f"predictions/{metrics}.json").read_text())
    assert dict(leaves(found)) == dict(leaves(official))


def test_the_truth_itself_is_limited_by_ten_windows_alone() -> None:
    """QV-M² test, its own annotations as predictions: ten of a query count."""
    truth = lines("qv_m2/test.jsonl")
    exact = qvm2.evaluate([submitted(row, row["relevant_windows"]) for row in truth], truth)
    assert exact["brief"]["MR-full-mAP"] == 99.86
    assert exact["brief"]["MR-full-mAP@3+tgt"] == 96.23


def test_the_whole_video_the_first_alone_and_half_of_all_queries() -> None:
    truth = lines("qv_m2/test.jsonl")
    whole = [submitted(row, [[0, row["duration"]]]) for row in truth]
    first = [submitted(row, row["relevant_windows"][:1]) for row in truth]
    half = [submitted(row, row["relevant_windows"] * (n % 2)) for n, row in enumerate(truth)]
    figures = [qvm2.evaluate(rows, truth)["brief"]["MR-full-mAP"] for rows in (whole, first)]
    assert figures == [1.29, 47.35]
    assert qvm2.evaluate(half, truth)["brief"]["MR-full-mAP"] > 99.86, "it rises"


def submitted(row: Mapping[str, Any], windows: list[list[float]]) -> dict[str, Any]:
    return {"qid": row["qid"], "pred_relevant_windows": [[*each, 1.0] for each in windows]}
