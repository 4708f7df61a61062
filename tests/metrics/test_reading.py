"""Files that are not what they must be, which answers go with which queries, and the linter."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import made

from vmr_agent.metrics import joining, lint, reading
from vmr_agent.metrics.qvhighlights import evaluate
from vmr_agent.metrics.reading import SubmissionError

WINDOWS, SALIENCY = "pred_relevant_windows", "pred_saliency_scores"
GOOD = {"qid": 1, WINDOWS: [[0, 2, 0.5]], SALIENCY: [0.1]}


def line(**change: Any) -> bytes:
    return json.dumps({**GOOD, **change}).encode() + b"\n"


BAD = {
    "no JSON": (line() + b"{'qid': 1}\n", ":2 is no JSON: Expecting property name"),
    "no object": (b"\n" + b"[1, 2]\n", ":2 is no object"),
    "a number": (b"7", ":1 is no object"),
    "NaN": (line(pred_saliency_scores=[float("nan")]), ":1 is no JSON: NaN is no number"),
    "infinite": (b'{"qid": 1, "pred_relevant_windows": [[0, 1e999, 1]]}', "finite numbers"),
    "huge": (line(pred_relevant_windows=[[0, 10**400, 1]]), "finite numbers"),
    "text": (line(pred_relevant_windows=[["0", 2, 1]]), ":1: window 1 of pred_relevant_windows"),
    "truth": (line(pred_relevant_windows=[[0, True, 1]]), ":1: window 1 of pred_relevant_windows"),
    "no score": (
        line() + line(pred_relevant_windows=[[0, 2]]),
        ":2: window 1 of .*start, end",
    ),
    "no list": (line(pred_relevant_windows={}), ":1: pred_relevant_windows is no list"),
    "flat": (line(pred_relevant_windows=[0, 2, 1]), ":1: window 1 .* is no list"),
    "null": (line(pred_saliency_scores=None), ":1, pred_saliency_scores is no list"),
    "a null in it": (
        line(pred_saliency_scores=[None]),
        ":1, pred_saliency_scores has to be of",
    ),
    "odd qid": (line(qid=[1]), r":1: qid is \[1\]"),
    "no qid": (b'{"pred_relevant_windows": []}', ":1 has no qid"),
    "no field": (b'{"qid": 1}', ":1 has no pred_relevant_windows"),
    "one without": (line() + b'{"qid": 2, "pred_relevant_windows": []}', ":2 has no pred_saliency"),
    "existence": (line(pred_exist_score="yes"), ":1: pred_exist_score is 'yes'"),
    "nothing": (b"", "is empty"),
    "blank": (b"\n \n", "is empty"),
    "Latin": (line() + b'{"qid": "\xe9"}', ":2 is no UTF-8"),
    "mark": (b"\xef\xbb\xbf" + line(), ":1 begins with a byte order mark"),
    "packed": (gzip.compress(line()), ":1 is compressed; gunzip it"),
    "deep": (b"[" * 100_000, ":1 is no JSON"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_told_with_file_and_line(what: str, tmp_path: Path) -> None:
    content, told = BAD[what]
    path = tmp_path / "bad.jsonl"
    path.write_bytes(content)
    with pytest.raises(SubmissionError, match=told) as caught:
        reading.predictions(path, scored=True)
    assert "bad.jsonl" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_file(tmp_path: Path) -> None:
    for path, told in ((tmp_path, "a folder"), (tmp_path / "none", "missing"), (Path("a\0b"), "")):
        with pytest.raises(SubmissionError, match=told):
            reading.truths(path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"relevant_windows": None}, "is no list"),
        ({"duration": 0}, "duration is 0"),
        ({"duration": "long"}, "duration is 'long'"),
        ({"relevant_clip_ids": [75] * 20}, "from 0 to 74"),
        ({"relevant_clip_ids": [1]}, "have to be as many"),
        ({"saliency_scores": [[1, 2]] * 20}, "three numbers"),
    ],
)
def test_a_bad_truth(change: dict[str, Any], told: str, tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    path.write_text(json.dumps({**made()[1][0], **change}))
    with pytest.raises(SubmissionError, match=told):
        reading.truths(path)


def test_a_split_without_truth(tmp_path: Path) -> None:
    path = tmp_path / "test.jsonl"
    path.write_text('{"qid": 1, "query": "a"}')
    with pytest.raises(SubmissionError, match="is it a test split"):
        reading.truths(path)


@given(content=st.binary(max_size=60))
def test_whatever_is_in_a_file_is_read_or_refused(content: bytes, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(content)
    with suppress(SubmissionError):
        assert reading.predictions(path, scored=True)


# ── which answer is of which query ────────────────────────────────────────────────────────────


def test_queries_that_are_missing_unknown_or_doubled_are_counted_and_named() -> None:
    rows, truth = made()
    with pytest.raises(SubmissionError, match=r"lack 3 qids \(.*\) of 40; say --missing empty"):
        joining.joined(rows[3:], truth, fill=False)
    with pytest.raises(SubmissionError, match=r"have 1 qid \(99\) that the truth has not"):
        joining.joined([{**rows[0], "qid": 99}, *rows[1:]], truth, fill=False)
    with pytest.raises(SubmissionError, match=r"have 40 qids \(.*, …\) more than once"):
        joining.joined(rows + rows, truth, fill=False)
    with pytest.raises(SubmissionError, match="text in one and a number in the other"):
        joining.joined([{**row, "qid": str(row["qid"])} for row in rows], truth, fill=False)
    with pytest.raises(SubmissionError, match=r"the truth has 1 qid \(0\) more than once"):
        joining.joined(rows, [*truth, truth[0]], fill=False)


def test_a_missing_query_may_count_as_unanswered() -> None:
    rows, truth = made()
    filled = joining.joined(rows[3:], truth, fill=True)
    assert (
        [row[WINDOWS] for row in filled[-3:]] == [row[SALIENCY] for row in filled[-3:]] == [[]] * 3
    )
    known = evaluate([{**row, WINDOWS: row[WINDOWS] * (row in rows[3:])} for row in rows], truth)
    assert evaluate(filled, truth)["full"] == known["full"]


def test_sentences_of_a_text_are_found_by_film_and_words(tmp_path: Path) -> None:
    """A sentence that a film has twice is answered in order of appearance."""
    path = tmp_path / "truth.txt"
    path.write_text("AB 0 4##a dog.\nAB 5 9##a dog.\nCD 1 2##A cat  sits.\n")
    truth = reading.truths(path)
    asked = [("CD", "a cat sits"), ("AB", "a dog."), ("AB", "a dog.")]
    rows = [{"qid": n, "vid": v, "query": q, WINDOWS: [[n, 9]]} for n, (v, q) in enumerate(asked)]
    told = {row["qid"]: row[WINDOWS][0][0] for row in joining.joined(rows, truth, fill=False)}
    assert told == {"CD 1 2##A cat  sits.": 0, "AB 0 4##a dog.": 1, "AB 5 9##a dog.": 2}
    with pytest.raises(SubmissionError, match="has no vid and query"):
        joining.joined([{"qid": 0, WINDOWS: []}], truth, fill=False)
    timed = joining.with_durations(truth, {"AB": 8.0, "CD": 3.0})
    assert [row["duration"] for row in timed] == [8.0, 8.0, 3.0]
    with pytest.raises(SubmissionError, match=r"no duration of 1 film \(CD\)"):
        joining.with_durations(truth, {"AB": 8.0})


@pytest.mark.parametrize("text", ["AB 0 4 a dog", "AB 0##a", "AB 0 x##a", "AB 0 nan##a", "##a"])
def test_a_bad_sentence(text: str, tmp_path: Path) -> None:
    path = tmp_path / "truth.txt"
    path.write_text(f"AB 0 4##a dog\n{text}\n")
    with pytest.raises(SubmissionError, match=r"truth.txt:2 is not VIDEO start end##sentence"):
        reading.truths(path)


# ── the linter ────────────────────────────────────────────────────────────────────────────────

FILM = {"duration": 150, "relevant_windows": [[0, 10]], "vid": "v", "query": "q"}
FINE = {WINDOWS: [[0, 10, 0.9], [20, 30, 0.8]]}
ODD = {
    "not sorted by score": [[0, 10, 0.1], [20, 30, 0.8]],
    "with more than 10 windows": [[2 * n, 2 * n + 2, 1 - n / 20] for n in range(11)],
    "without any window": [],
    "end before they begin, or are empty": [[10, 4, 0.9], [6, 8, 0.4]],
    "with times below 0": [[-2, 4, 0.9], [6, 8, 0.4]],
    "after the end of the film": [[140, 152, 0.9], [6, 8, 0.4]],
    "those of the whole YouTube video": [[360, 370, 0.9], [400, 410, 0.8]],
    "all scores are 1": [[0, 10, 1], [20, 30, 1]],
    "no multiples of 2 s": [[0, 9.5, 0.9], [6, 8, 0.4]],
}


def found(windows: list[Any], dataset: str = "qvhighlights") -> list[str]:
    return lint.findings([{"qid": 5, WINDOWS: windows}], [{"qid": 5, **FILM}], dataset)


@pytest.mark.parametrize("told", ODD)
def test_what_is_odd_is_said_and_nothing_else(told: str) -> None:
    said = found(ODD[told])
    assert [told in each for each in said] == [True]
    assert "1 query (5)" in said[0] or told.startswith("all scores")


def test_what_is_fine_is_not_spoken_of() -> None:
    assert found(FINE[WINDOWS]) == []
    assert found(ODD["no multiples of 2 s"], "tacos") == []


def test_other_questions_under_the_same_number() -> None:
    rows, truth = made()
    told = lint.findings([{**rows[0], "query": "other"}, *rows[1:]], truth, "qvhighlights")
    assert any("ask something else than the truth under the same qid" in each for each in told)


def test_saliency_that_does_not_go_with_the_clips_or_with_nothing() -> None:
    rows, truth = made()
    assert any("saliency scores than clips" in each for each in lint.findings(rows, truth, ""))
    bare = [{k: v for k, v in row.items() if k != "saliency_scores"} for row in truth]
    assert any("highlights are not scored" in each for each in lint.findings(rows, bare, ""))


def test_a_truth_that_is_cut_already_is_not_called_raw() -> None:
    told = [{"qid": 5, WINDOWS: [[0, 10]]}]
    late = {**FILM, "relevant_windows": [[140, 151]]}
    for true, number in ((FILM, 1), (late, 0)):
        assert len(lint.findings(told, [{"qid": 5, **true}], "charades-sta")) == number


def test_figures_that_are_the_same_at_every_overlap() -> None:
    rows, truth = made()
    best = [{**row, WINDOWS: [[*row["relevant_windows"][0], 1.0]]} for row in truth]
    none = [{**row, WINDOWS: [[148, 149, 1.0]]} for row in truth]
    assert "R1 is 100 at every IoU" in lint.constant(evaluate(best, truth), 40)[0]
    assert "seconds of the clip" in lint.constant(evaluate(none, truth), 40)[0]
    assert lint.constant(evaluate(rows, truth), 40) == []
    assert lint.constant(evaluate(best[:2], truth[:2]), 2) == []
