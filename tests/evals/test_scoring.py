"""What counts where: the server's file, our own answers, what failed and what is absent."""

from __future__ import annotations

from typing import Any

import pytest
from evals_runs import report

from evals.datasets import Asked
from evals.desk import blank, failed
from evals.logbook import Sample
from evals.scoring import lines, metrics, slim
from vmr_agent import Moment, Span
from vmr_agent.types import Evidence

WHY = Evidence(source="picture", note="looks like it", score=0.9)


def query(number: int, *truth: tuple[float, float], labels: bool = True) -> Asked:
    row: dict[str, Any] = {"qid": number, "query": "a dog", "vid": f"v{number}", "duration": 20}
    if labels:
        clips = [clip for a, b in truth for clip in range(int(a / 2), int(b / 2))]
        row |= {"relevant_windows": [[*window] for window in truth]}
        row |= {"relevant_clip_ids": clips, "saliency_scores": [[4, 4, 4]] * len(clips)}
    return Asked(str(number), f"v{number}", "a dog", truth if labels else None, 20.0, row)


def moment(start: float, end: float, score: float) -> Moment:
    return Moment(span=Span(start=start, end=end), score=score, evidence=(WHY,))


def answer(asked: Asked, *moments: Moment, rejected: Moment | None = None) -> Sample:
    told = report("a dog", moments, rejected=rejected)
    saliency = tuple(float(2 <= clip < 5) for clip in range(10))
    return blank(asked, 20, 0).model_copy(update={"report": told, "saliency": saliency})


def written(name: str, questions: list[Asked], samples: dict[str, Sample]) -> str:
    """As the log has them, where no NaN is unlike another."""
    return metrics(name, questions, samples).model_dump_json()


FOUND, MISSED, LOST = query(1, (4.0, 10.0)), query(2, (4.0, 10.0)), query(3, (4.0, 10.0))
SAMPLES = {
    "1": answer(FOUND, moment(4, 10, 0.9)),
    "2": answer(MISSED, rejected=moment(4, 10, 0.4)),
    "3": failed(LOST, "Killed", "twice"),
}


def test_what_was_turned_down_counts_with_the_server_alone() -> None:
    told = metrics("qvhighlights", [FOUND, MISSED, LOST, query(4, (0.0, 2.0))], SAMPLES)
    assert (told.scored, told.failed, told.figures["unasked"]) == (2, 1, 1)
    assert told.figures["official"]["brief"]["MR-full-R1@0.7"] == 100
    assert told.figures["official"]["brief"]["HL-min-VeryGood-Hit1"] == 100
    assert told.figures["strict"]["brief"]["MR-full-R1@0.7"] == 50
    assert told.figures["strict"]["qvm2"]["brief"]["MR-full-mAP"] == 50
    assert told.figures["coverage"] == 50
    assert told.figures["intervals"]["R1@0.7"] == {"value": 50, "low": 0, "high": 100}
    assert "2 scored, 1 failed, 1 not asked" in lines(told)
    assert "strict R1@0.7            50.00 (0.00 to 100.00)" in lines(told)


def test_the_order_of_the_samples_is_nothing_to_the_figures() -> None:
    questions = [FOUND, MISSED, LOST]
    turned = dict(reversed(SAMPLES.items()))
    assert written("qvhighlights", questions, turned) == written("qvhighlights", questions, SAMPLES)


def test_one_moment_benchmarks_are_told_in_every_reading() -> None:
    told = metrics("charades-sta", [FOUND, MISSED], SAMPLES)
    assert told.figures["official"]["raw"]["R1@0.7"] == 50  # nothing is put in an answer's place
    assert told.figures["official"]["lighthouse"]["mIoU"] == 50
    assert "lighthouse" in lines(told)


def test_absent_queries_are_scored_by_whether_they_were_refused() -> None:
    absent = query(5)
    refused = metrics("qvhighlights", [FOUND, absent], SAMPLES | {"5": answer(absent)})
    fooled = answer(absent, moment(0, 4, 0.95))
    taken = metrics("qvhighlights", [FOUND, absent], SAMPLES | {"5": fooled})
    assert refused.figures["rejection"]["AUROC"] == 100
    assert taken.figures["rejection"]["AUROC"] == 0
    assert taken.figures["strict"]["brief"]["MR-full-R1@0.7"] == 100  # of what is there


def test_of_what_has_no_labels_or_no_answer_there_are_no_figures() -> None:
    hidden = query(1, labels=False)
    told = metrics("qvhighlights", [hidden], {"1": answer(hidden, moment(4, 10, 0.9))})
    assert told.figures == {"unasked": 0, "coverage": 100}
    assert metrics("qvhighlights", [LOST], SAMPLES).figures == {"unasked": 0}
    assert lines(metrics("qvhighlights", [LOST], {})) == "0 scored, 0 failed, 1 not asked"


@pytest.mark.parametrize("name", ["qvhighlights", "qvm2", "tacos"])
def test_figures_take_nothing_that_is_not_kept(name: str) -> None:
    light = {key: slim(sample) for key, sample in SAMPLES.items()}
    questions = [FOUND, MISSED, LOST]
    assert written(name, questions, light) == written(name, questions, SAMPLES)
    report = light["1"].report
    assert report
    assert report.moments[0].evidence == ()
    assert (report.settings, report.steps) == ({}, ())
