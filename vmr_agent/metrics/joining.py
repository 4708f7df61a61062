"""Which prediction answers which query of the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from vmr_agent.metrics.reading import Row, SubmissionError

SHOWN = 3
"""Queries that are named where many are meant."""


def joined(submission: Sequence[Row], truth: Sequence[Row], fill: bool) -> list[Row]:
    """The rows of the submission for exactly the queries of the truth.

    By ``qid``; where the truth is a .txt, which has none, by film and sentence. ``fill``: a query
    without a row has an empty answer, put last. Raises SubmissionError for missing, unknown and
    doubled ones.
    """
    known = {row["qid"]: row for row in truth}
    if len(known) < len(truth):
        raise SubmissionError(f"the truth has {_some(_doubled(truth))} more than once")
    rows = _by_sentence(submission, truth) if "##" in str(truth[0]["qid"]) else list(submission)
    told = {row["qid"]: row for row in rows}
    if doubled := _doubled(rows):
        raise SubmissionError(
            f"predictions have {_some(doubled)} more than once; keep one row for each"
        )
    if strange := [qid for qid in told if qid not in known]:
        raise SubmissionError(
            f"predictions have {_some(strange)} that the truth has not{_hint(told, known)}"
        )
    missing = [qid for qid in known if qid not in told]
    if missing and not fill:
        raise SubmissionError(
            f"predictions lack {_some(missing)} of {len(known)}; say --missing empty to count them "
            "as unanswered"
        )
    return rows + [_unanswered(qid, submission[0]) for qid in missing]


def with_durations(truth: Sequence[Row], films: Mapping[str, float]) -> list[Row]:
    """The truth, with the length of each film. Raises SubmissionError where one is lacking."""
    lacking = {str(row.get("vid")) for row in truth} - set(films)
    if lacking:
        raise SubmissionError(f"there is no duration of {_some(sorted(lacking), 'film')}")
    return [{**row, "duration": films[str(row["vid"])]} for row in truth]


def _by_sentence(submission: Sequence[Row], truth: Sequence[Row]) -> list[Row]:
    queues: dict[tuple[str, str], list[Row]] = {}
    for row in truth:
        queues.setdefault(_asked(row), []).append(row)
    rows = []
    for number, row in enumerate(submission, 1):
        if "vid" not in row or "query" not in row:
            raise SubmissionError(
                f"row {number} of the predictions has no vid and query, by which a .txt is joined; "
                "give the truth as .jsonl to join by qid"
            )
        waiting = queues.get(_asked(row), [])
        # As often as the film has the sentence, in order of appearance.
        rows.append({**row, "qid": waiting.pop(0)["qid"] if waiting else row["qid"]})
    return rows


def _asked(row: Row) -> tuple[str, str]:
    return str(row["vid"]), " ".join(str(row["query"]).split()).lower().rstrip(" .")


def _doubled(rows: Sequence[Row]) -> list[object]:
    return [qid for qid, number in Counter(row["qid"] for row in rows).items() if number > 1]


def _unanswered(qid: object, like: Row) -> Row:
    fields = ("pred_relevant_windows", "pred_saliency_scores")
    return {"qid": qid, **{name: [] for name in fields if name in like}}


def _hint(told: Mapping[object, Row], known: Mapping[object, Row]) -> str:
    if {str(qid) for qid in told} & {str(qid) for qid in known} and not set(told) & set(known):
        return ": the qid is text in one and a number in the other"
    return ""


def _some(names: Sequence[object], what: str = "qid") -> str:
    """``2 qids (17, 4)``, with the first few."""
    few = ", ".join(f"{name}"[:60] for name in names[:SHOWN])
    more = ", …" if len(names) > SHOWN else ""
    return f"{len(names)} {what}{'s' * (len(names) != 1)} ({few}{more})"
