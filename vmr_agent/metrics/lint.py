"""What is odd about a submission though it can be scored: each a line for whoever made it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vmr_agent.metrics.qvhighlights import CLIP, MOST, Row

GRIDDED = ("qvhighlights", "qvm2")
"""Datasets whose times are multiples of a clip."""
ENOUGH = 20
"""Queries from which equal figures at every IoU are no accident."""
FAR = 2.0
"""Lengths of a film beyond which a time cannot be one of the clip."""


def findings(submission: Sequence[Row], truth: Sequence[Row], dataset: str) -> list[str]:
    """Of rows that ``joining.joined`` has let through, in the order of the truth or not."""
    known = {row["qid"]: row for row in truth}
    pairs = [(row, known[row["qid"]]) for row in submission]
    found = [*_other_queries(pairs), *_saliency(pairs), *_truths(truth, dataset)]
    if "pred_relevant_windows" in submission[0]:
        found += [*_order(submission), *_counts(submission), *_times(pairs), *_grid(pairs, dataset)]
    return found


def constant(figures: Mapping[str, Any], queries: int) -> list[str]:
    """Recall that is the same at .5 and at .95 IoU: predictions and truth do not go together."""
    recall = figures.get("full", {}).get("MR-R1", {})
    at_half = recall.get("0.5", recall.get("0.50"))
    if queries < ENOUGH or at_half is None or at_half != recall["0.95"]:
        return []
    if at_half == 0:
        return ["no first window reaches an IoU of .5: are times in seconds of the clip?"]
    told = f"R1 is {at_half:g} at every IoU from .5 to .95"
    return [f"{told}: are predictions made from the truth, or from another split?"]


def _other_queries(pairs: Sequence[tuple[Row, Row]]) -> Iterator[str]:
    """Numbering differs between files of Charades-STA."""
    other = [
        row["qid"]
        for row, true in pairs
        if any(
            name in row and name in true and str(row[name]).strip() != str(true[name]).strip()
            for name in ("vid", "query")
        )
    ]
    if other:
        yield f"{_queries(other)} ask something else than the truth under the same qid"


def _truths(truth: Sequence[Row], dataset: str) -> Iterator[str]:
    silent = [row["qid"] for row in truth if not row["relevant_windows"]]
    if silent and dataset != "gmr":
        yield f"{_queries(silent)} without any true window; the official script stops there"
    cut = all(w[1] <= row.get("duration", 0) for row in truth for w in row["relevant_windows"])
    if cut and dataset.startswith("charades"):
        yield (
            "note: no true window goes beyond its film: this truth is cut already, and what is "
            "called raw below is not; charades_sta_test.txt is raw"
        )


def _order(submission: Sequence[Row]) -> Iterator[str]:
    scores = [[w[2] for w in row["pred_relevant_windows"] if len(w) > 2] for row in submission]
    wild = [
        r["qid"] for r, s in zip(submission, scores, strict=True) if s != sorted(s, reverse=True)
    ]
    if wild:
        yield f"{_queries(wild)} with windows not sorted by score: R1 takes the first in the file"
    together = {score for each in scores for score in each}
    if len(together) == 1 and sum(map(len, scores)) > 1:
        yield f"all scores are {together.pop():g}: windows stay in the order of the file"


def _counts(submission: Sequence[Row]) -> Iterator[str]:
    many = [row["qid"] for row in submission if len(row["pred_relevant_windows"]) > MOST]
    if many:
        yield f"{_queries(many)} with more than {MOST} windows: the first {MOST} of the file count"
    none = [row["qid"] for row in submission if not row["pred_relevant_windows"]]
    if none:
        yield (
            f"{_queries(none)} without any window: they drop out of the official mAP, which rises "
            "by that; the official script stops there"
        )


def _times(pairs: Sequence[tuple[Row, Row]]) -> Iterator[str]:
    turned, early, late, far = [], [], [], []
    for row, true in pairs:
        windows, end = row["pred_relevant_windows"], true.get("duration")
        turned += [row["qid"]] * any(w[1] <= w[0] for w in windows)
        early += [row["qid"]] * any(min(w[0], w[1]) < 0 for w in windows)
        if end is not None and windows:
            late += [row["qid"]] * any(max(w[0], w[1]) > end for w in windows)
            far += [row["qid"]] * (min(w[0] for w in windows) > FAR * end)
    if turned:
        yield f"{_queries(turned)} with windows that end before they begin, or are empty"
    if early:
        yield f"{_queries(early)} with times below 0"
    if far:
        yield f"{_queries(far)} far beyond the clip: are times those of the whole YouTube video?"
    elif late:
        yield f"{_queries(late)} with windows that go on after the end of the film"


def _grid(pairs: Sequence[tuple[Row, Row]], dataset: str) -> Iterator[str]:
    if dataset not in GRIDDED:
        return
    off = [
        row["qid"]
        for row, _ in pairs
        if any(w[0] % CLIP or w[1] % CLIP for w in row["pred_relevant_windows"])
    ]
    if off:
        yield f"note: {_queries(off)} with times that are no multiples of {CLIP:g} s"


def _saliency(pairs: Sequence[tuple[Row, Row]]) -> Iterator[str]:
    if "pred_saliency_scores" not in pairs[0][0]:
        return
    if not all("saliency_scores" in true for _, true in pairs):
        yield "the truth has no saliency_scores: highlights are not scored"
        return
    other = [
        row["qid"]
        for row, true in pairs
        if len(row["pred_saliency_scores"]) != int(true["duration"] / CLIP)
    ]
    if other:
        yield f"{_queries(other)} with more or fewer saliency scores than clips of {CLIP:g} s"


def _queries(qids: Sequence[object]) -> str:
    """``2 queries (17, 4)``."""
    few = ", ".join(f"{qid}"[:60] for qid in qids[:3])
    more = ", …" if len(qids) > 3 else ""
    return f"{len(qids)} quer{'ies' if len(qids) != 1 else 'y'} ({few}{more})"
