"""One moment a query: Charades-STA (Gao et al. 2017), ActivityNet-Captions, TACoS, AudioMatter.

    evaluate(rows of a submission, rows of the annotations, VARIANTS["lighthouse"])["R1@0.5"]

R@n, IoU=m: share of queries of which one of the first n windows has an IoU of m with the truth;
mIoU: of the first window. No two public scorers mean the same by that: each is a ``Variant``. An
empty answer scores 0 in all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from vmr_agent.metrics.bootstrap import Tally
from vmr_agent.metrics.matching import Answers, Bools, Floats, Window, shared
from vmr_agent.metrics.qvhighlights import Row, percent

THRESHOLDS = (0.3, 0.5, 0.7)
RANKS = (1, 5)
"""Windows of a query, in file order, that are looked at."""
Dataset = Literal["charades-sta", "charades-audiomatter", "activitynet", "tacos"]
SPLITS = MappingProxyType(
    {
        3720: "Charades-STA test",
        1196: "Charades-AudioMatter",
        17505: "ActivityNet-Captions val_1, as Lighthouse has it",
        17031: "ActivityNet-Captions val_2",
        4001: "TACoS test, the one of 4,001",
        4083: "TACoS test, the one of 4,083",
    }
)
"""What a truth is by the number of its queries."""
Units = Mapping[Dataset, float]
TENTHS: Units = MappingProxyType(
    {"charades-sta": 0.1, "charades-audiomatter": 0.1, "activitynet": 0.01}
)
CLIPS: Units = MappingProxyType(
    {"charades-sta": 1.0, "charades-audiomatter": 1.0, "activitynet": 2.0, "tacos": 2.0}
)


@dataclass(frozen=True, slots=True)
class Variant:
    """How one public scorer reads windows and compares them. Seconds."""

    who: str
    clipped: bool = False
    """Whether true windows end with the film."""
    units: Units = field(default_factory=dict)
    """Of what predicted times are multiples, by dataset; as they are where there is none."""
    latest: Mapping[Dataset, float] = field(default_factory=dict)
    """Where predicted windows end at the latest, from 0 on; anywhere where there is none."""
    in_film: bool = False
    """Whether predicted windows are cut to the film."""
    swapped: bool = False
    """Whether a window that ends before it begins is turned round."""
    overlap: Literal["sum", "hull", "area"] = "sum"
    """IoU over the sum of both lengths less what is shared; over the hull of both; or of all that
    is predicted with all that is true."""
    above: bool = False
    """Whether a threshold has to be exceeded: reaching it is enough otherwise."""
    single: bool = False
    """Whether it counts in numbers of 32 bits."""


VARIANTS: Mapping[str, Variant] = MappingProxyType(
    {
        "raw": Variant("the truth as it is"),
        "clipped": Variant("the truth cut to the film", clipped=True),
        "lighthouse": Variant(
            "Lighthouse, Moment-DETR",
            clipped=True,
            units=CLIPS,
            latest=MappingProxyType({"charades-sta": 150.0, "charades-audiomatter": 150.0}),
            overlap="hull",
            single=True,
        ),
        "videomind": Variant("VideoMind eval_auto", units=TENTHS, in_film=True, single=True),
        "chrono": Variant("Chrono mr_eval", clipped=True, swapped=True, overlap="hull"),
        "img": Variant("IMG, VSLNet", clipped=True, overlap="hull"),
        "unitime": Variant("UniTime", overlap="area", above=True),
        "timelens": Variant("TimeLens"),
        "time-r1": Variant("Time-R1 evaluate.py", overlap="hull"),
        "time-r1-all": Variant("Time-R1 eval_all.py", overlap="hull", above=True),
    }
)


def evaluate(
    submission: Sequence[Row],
    truth: Sequence[Row],
    variant: Variant,
    dataset: Dataset = "charades-sta",
) -> dict[str, float]:
    """``R1@0.3`` to ``R5@0.7`` and ``mIoU`` in percent, rounded to hundredths.

    Rows as in ``qvhighlights.evaluate``, scores not needed; the truth with ``duration`` where the
    variant cuts. Windows count in file order.
    """
    each = overlaps(submission, truth, variant, dataset)
    found = {
        f"R{rank}@{at}": percent(float(_reached(each[rank], at, variant).mean()))
        for rank in RANKS
        for at in THRESHOLDS
    }
    return found | {"mIoU": percent(float(each[1].mean()))}


def tally(
    submission: Sequence[Row], truth: Sequence[Row], variant: Variant, dataset: Dataset
) -> Tally:
    """What each query, in the order of the truth, adds to these figures."""
    each = overlaps(submission, truth, variant, dataset)
    names = [f"R{rank}@{at}" for rank in RANKS for at in THRESHOLDS]
    hits = [_reached(each[rank], at, variant) for rank in RANKS for at in THRESHOLDS]
    columns = np.stack([*hits, each[1]], axis=1).astype(np.float64)
    return Tally(
        (*names, "mIoU"), columns, np.ones_like(columns, bool), tuple(range(len(names) + 1))
    )


def overlaps(
    submission: Sequence[Row], truth: Sequence[Row], variant: Variant, dataset: Dataset
) -> dict[int, Floats]:
    """(Q,) of each of ``RANKS``: the best IoU of so many windows, in the order of the truth."""
    told = {row["qid"]: row["pred_relevant_windows"] for row in submission}
    predicted = [_read(told[row["qid"]], row, variant, dataset) for row in truth]
    true = [_true(row, variant) for row in truth]
    if variant.overlap == "area":  # of all windows, however many are asked for
        near = np.array([_area(*pair) for pair in zip(predicted, true, strict=True)])
        return dict.fromkeys(RANKS, near)
    iou = _iou(Answers.of(predicted, true, max(RANKS)), variant)
    return {n: np.asarray(iou[:, :n].max(axis=(1, 2)), np.float64) for n in RANKS}


def _reached(near: Floats, at: float, variant: Variant) -> Bools:
    least = float(np.float32(at)) if variant.single and variant.overlap == "sum" else at
    return np.asarray(near > least if variant.above else near >= least, bool)


def _iou(answers: Answers, variant: Variant) -> Floats:
    """(Q, P, G), 0 where there is no window."""
    kind = np.float32 if variant.single and variant.overlap == "sum" else np.float64
    left: Any = answers.predictions[:, :, None].astype(kind)
    right: Any = answers.truths[:, None].astype(kind)
    inside, whole = shared(left, right)
    if variant.overlap == "hull":
        whole = np.maximum(left[..., 1], right[..., 1]) - np.minimum(left[..., 0], right[..., 0])
    there = ~np.isnan(inside) & (inside > 0)
    return np.divide(inside, whole, out=np.zeros_like(inside), where=there)


def _read(windows: Sequence[Window], row: Row, variant: Variant, dataset: Dataset) -> list[Window]:
    """Predicted windows as the scorer reads them."""
    if not windows:
        return []
    times = np.array([window[:2] for window in windows], np.float64)
    if variant.swapped:
        times = np.sort(times, axis=1)
    if variant.single:
        times = times.astype(np.float32)
    latest = row["duration"] if variant.in_film else variant.latest.get(dataset)
    if latest is not None:
        times = times.clip(0, latest)
    unit = variant.units.get(dataset)
    if unit is not None:
        times = np.round(times / times.dtype.type(unit)) * times.dtype.type(unit)
    return [(float(start), float(end), 0.0) for start, end in times]


def _true(row: Row, variant: Variant) -> list[Window]:
    windows = row["relevant_windows"]
    if not variant.clipped:
        return list(windows)
    return [(window[0], min(window[1], row["duration"])) for window in windows]


def _area(one: Sequence[Window], other: Sequence[Window]) -> float:
    """Seconds in both over seconds in either; windows that overlap are counted once."""
    joined = [_joined(windows) for windows in (one, other)]
    both = sum(max(0.0, min(a[1], b[1]) - max(a[0], b[0])) for a in joined[0] for b in joined[1])
    either = sum(end - start for windows in joined for start, end in windows) - both
    return both / either if either else 0.0


def _joined(windows: Sequence[Window]) -> list[tuple[float, float]]:
    told: list[tuple[float, float]] = []
    for start, end in sorted((w[0], w[1]) for w in windows if w[1] > w[0]):
        if told and start <= told[-1][1]:
            told[-1] = (told[-1][0], max(told[-1][1], end))
        else:
            told.append((start, end))
    return told
