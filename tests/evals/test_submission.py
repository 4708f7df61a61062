"""What the server gets where the agent found nothing, and what a clip's saliency is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evals_runs import header, report, samples, write
from hypothesis import given
from hypothesis import strategies as some

from evals.datasets import Asked
from evals.desk import blank, failed
from evals.logbook import Sample
from evals.provenance import digest
from evals.saliency import per_clip
from evals.submission import main, row
from vmr_agent import Moment, Span
from vmr_agent.export import qvhighlights

ASKED = Asked("7", "v_0.0_20.0", "a dog", ((2.0, 6.0),), 20.0, {"qid": 7})


def moment(start: float, end: float, score: float) -> Moment:
    return Moment(span=Span(start=start, end=end), score=score)


def sample(
    *moments: Moment, rejected: Moment | None = None, saliency: tuple[float, ...] = (0.0,) * 10
) -> Sample:
    told = report("a dog", moments, rejected=rejected)
    return blank(ASKED, 20, 0).model_copy(update={"report": told, "saliency": saliency})


def windows(told: Sample | None) -> Any:
    return row(ASKED, told)["pred_relevant_windows"]


def test_ten_at_most_the_best_first() -> None:
    many = [moment(n, n + 1, (n * 7 % 15) / 20) for n in range(15)]
    found = windows(sample(*many))
    assert len(found) == 10
    assert [score for _, _, score in found] == sorted((s for *_, s in found), reverse=True)
    assert found[0][2] == 0.7


def test_windows_end_with_the_film_of_the_annotations() -> None:
    assert windows(sample(moment(15, 20.4, 0.9), moment(20.1, 20.4, 0.8))) == [[15, 20, 0.9]]


def test_where_nothing_was_found_the_server_gets_what_came_nearest() -> None:
    peak = (0.0, 0.1, 0.3, 0.5, 0.2, 0.0, 0.0, 0.0, 0.0, 0.4)
    assert windows(sample(rejected=moment(4, 9, 0.3))) == [[4, 9, 0.3]]
    assert windows(sample(saliency=peak)) == [[4, 8, 0.5]]
    assert windows(sample()) == [[0, 20, 0]]
    assert windows(failed(ASKED, "Killed", "twice")) == windows(None) == [[0, 20, 0]]
    for empty in (sample(rejected=moment(4, 9, 0.3)), sample()):
        assert empty.report
        assert qvhighlights.windows(empty.report) == []  # and that is what counts with us


def test_saliency_is_for_each_clip() -> None:
    told = row(ASKED, sample(saliency=tuple(n / 10 for n in range(10))))
    assert told["pred_saliency_scores"] == [n / 10 for n in range(10)]
    assert row(ASKED, None)["pred_saliency_scores"] == [0] * 10
    assert told["qid"] == 7


@given(
    some.lists(some.floats(0, 1, width=32), min_size=1, max_size=80),
    some.sampled_from([0.1, 0.25, 0.5, 1.0, 1.5]),
)
def test_clips_are_means_of_the_curve(curve: list[float], step: float) -> None:
    values, clips = np.asarray(curve, np.float32), int(len(curve) * step / 2)
    found = per_clip(values, step, 2.0, clips)
    assert found.shape == (clips,)
    fine = np.repeat(values.astype(float), 1000)  # a thousand to a step
    for clip, told in enumerate(found):
        inside = fine[round(clip * 2 / step * 1000) : round((clip + 1) * 2 / step * 1000)]
        assert told == pytest.approx(inside.mean(), abs=2e-3)


def test_where_a_curve_has_ended_there_is_nothing() -> None:
    assert per_clip(np.ones(4, np.float32), 0.5, 2.0, 3).tolist() == [1, 0, 0]


def test_a_submission_of_no_run_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"qid": 1, "query": "a", "vid": "b"}) + "\n")
    told = [str(tmp_path / "a.jsonl"), "--annotations", str(tmp_path / "a.jsonl")]
    assert main([*told, "--out", str(tmp_path / "s.jsonl")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("evals.submission: ")
    assert error.count("\n") == 1
    assert not (tmp_path / "s.jsonl").exists()


def test_a_submission_is_of_the_file_that_was_asked_from_and_spares_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [{"qid": f"q{n}", "query": "a", "vid": "b", "duration": 150} for n in range(2)]
    file = tmp_path / "a.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in asked))
    answered = [each.model_copy(update={"id": f"q{n}"}) for n, each in enumerate(samples(2))]
    about = header("qvhighlights", {"sha256": digest(file)})
    run = write(tmp_path / "run.jsonl", answered, about)
    lost = answered[0].model_copy(update={"report": None})
    later = write(tmp_path / "later.jsonl", [lost], about)
    other = write(tmp_path / "other.jsonl", answered, header("qvhighlights"))
    films = write(tmp_path / "films.jsonl", answered, header("needle", {"sha256": digest(file)}))
    songs = write(tmp_path / "songs.jsonl", answered, header("tacos", {"sha256": digest(file)}))
    before = run.read_bytes()

    def said(*runs: Path, out: Path = tmp_path / "s.jsonl") -> str:
        told = [*map(str, runs), "--annotations", str(file), "--out", str(out)]
        assert main(told) == 2
        return capsys.readouterr().err

    assert "is not the" in said(other)
    assert "no benchmark" in said(films)
    assert "no server" in said(songs)
    assert "is a run" in said(run, out=run)
    assert run.read_bytes() == before
    told = ["--annotations", str(file), "--out", str(tmp_path / "s.jsonl")]
    assert main([str(run), str(later), *told]) == 0
    assert "2 queries, 0 of them" in capsys.readouterr().out
