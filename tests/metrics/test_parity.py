"""The official evaluators' own figures, where their files are: ``VMR_REFERENCE=FOLDER``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from processes import vmr

from vmr_agent.metrics import qvhighlights, qvm2
from vmr_agent.metrics.charades import VARIANTS, evaluate, overlaps
from vmr_agent.metrics.joining import joined, with_durations
from vmr_agent.metrics.reading import durations, truths

FOLDER = os.environ.get("VMR_REFERENCE")
pytestmark = pytest.mark.skipif(
    not FOLDER, reason="NOT COMPARED with the official evaluators: set VMR_REFERENCE to their files"
)
WINDOWS, TRUE = "pred_relevant_windows", "relevant_windows"
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


@pytest.mark.parametrize("name", ["cg_detr_val", "moment_detr_val"])
def test_the_command_says_the_same(name: str, tmp_path: Path) -> None:
    folder = Path(FOLDER or "")
    truth = folder / "qvhighlights" / "highlight_val_release.jsonl"
    words = ("--dataset", "qvhighlights", "--ground-truth", truth, "--json")
    told = json.loads(vmr(tmp_path, "score", folder / f"predictions/{name}.jsonl", *words).stdout)
    official = json.loads((folder / f"predictions/{name}_metrics.json").read_text())
    assert (told["official"], told["coverage"]) == (official, 100.0)
    assert told["strict"]["brief"] == official["brief"], "no answer is empty"
    general = told["qvm2"]["brief"]["MR-full-mAP"]
    assert general == official["brief"]["MR-full-mAP"], "the same by another name"
    if name == "cg_detr_val":
        assert told["qvm2"] == json.loads(
            (folder / f"predictions/{name}_qvm2_metrics.json").read_text()
        )


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
    told = [qvm2.evaluate(rows, truth)["brief"] for rows in (whole, first, half)]
    assert [each["MR-full-mAP"] for each in told] == [1.29, 47.35, 99.94], "it rises by silence"
    assert told[1]["MR-full-mR2"] == told[1]["MR-full-mR3"] == 0.0
    strict = qvm2.evaluate(half, truth, strict=True)["brief"]["MR-full-mAP"]
    assert strict == pytest.approx(
        99.94 * sum(n % 2 for n in range(len(truth))) / len(truth), abs=0.1
    )


def test_the_sample_that_moment_detr_ships_as_qvm2_has_it() -> None:
    brief = qvm2.evaluate(
        lines("predictions/moment_detr_val.jsonl"),
        lines("qvhighlights/highlight_val_release.jsonl"),
    )["brief"]
    told = [brief[f"MR-full-{n}"] for n in ("mAP@1_tgt", "mAP@2_tgt", "mAP@3+tgt")]
    told += [brief[f"MR-full-{name}{k}"] for name in ("mIoU@", "mR") for k in (1, 2, 3)]
    assert told == [41.19, 18.42, 4.61, 49.21, 32.88, 29.43, 40.52, 25.43, 21.45]


@pytest.mark.parametrize(
    ("unit", "mean", "at_70"),
    [(None, 98.05, 99.27), (0.1, 98.05, 99.27), (1, 92.49, 98.87), (2, 86.96, 96.67)],
)
def test_what_cutting_and_rounding_cost_on_charades(
    unit: float | None, mean: float, at_70: float
) -> None:
    """The truth that is cut to the film, as predictions for the one that is not."""
    folder = Path(FOLDER or "") / "charades_sta"
    release = folder / "charades_test_release.jsonl"
    raw = with_durations(truths(folder / "charades_sta_test.txt"), durations(release))
    said = [
        {
            **row,
            WINDOWS: [
                [t if unit is None else round(t / unit) * unit for t in w] for w in row[TRUE]
            ],
        }
        for row in truths(release)
    ]
    rows = joined(said, raw, fill=False)
    found = evaluate(rows, raw, VARIANTS["raw"])
    assert (found["mIoU"], found["R1@0.7"]) == (mean, at_70)
    if unit is None:
        assert overlaps(rows, raw, VARIANTS["raw"], "charades-sta")[1].min() == pytest.approx(
            0.5588, abs=1e-4
        )
        assert evaluate(rows, raw, VARIANTS["clipped"])["mIoU"] == 100.0


def submitted(row: Mapping[str, Any], windows: list[list[float]]) -> dict[str, Any]:
    return {"qid": row["qid"], "pred_relevant_windows": [[*each, 1.0] for each in windows]}
