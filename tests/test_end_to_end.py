"""The whole agent with its packaged models on the demo film: what the README promises."""

from pathlib import Path

import pytest

from evals.ask import Question, is_right, load
from vmr_agent import RunReport, VMRAgent

QUESTIONS = list(load(Path(__file__).parents[1] / "evals/demo/demo_film.json", first=False))
ABSENT = [question for question in QUESTIONS if not question.moments]
REPEATED = [question for question in QUESTIONS if len(question.moments) > 1]


@pytest.fixture(scope="module")
def reports(demo_agent: VMRAgent, demo_film: Path) -> dict[str, RunReport]:
    return {each.query: demo_agent.run(demo_film, each.query) for each in QUESTIONS}


def test_most_of_what_is_there_is_found(reports: dict[str, RunReport]) -> None:
    present = [question for question in QUESTIONS if question.moments]
    assert len(present) == 8
    assert sum(is_right(question, reports[question.query]) for question in present) >= 7


@pytest.mark.parametrize("words", ["CHAPTER TWO", "THE NIGHT SKY"])
def test_title_cards_are_read_from_their_first_second_to_their_last(
    reports: dict[str, RunReport], words: str
) -> None:
    (question,) = [each for each in QUESTIONS if words in each.query]
    assert reports[question.query].moments[0].span.iou(question.moments[0]) > 0.9


@pytest.mark.parametrize("question", ABSENT, ids=lambda each: each.query)
def test_what_is_not_there_is_refused(reports: dict[str, RunReport], question: Question) -> None:
    report = reports[question.query]
    assert (report.status, report.moments) == ("not_found", ())
    assert report.rejected is not None
    assert report.rejected.score < 0.5


@pytest.mark.parametrize("question", REPEATED, ids=lambda each: each.query)
def test_what_comes_back_is_found_every_time(
    reports: dict[str, RunReport], question: Question
) -> None:
    found = [moment.span for moment in reports[question.query].moments]
    assert len(found) == len(question.moments) == 3
    for true in question.moments:
        assert max(span.iou(true) for span in found) > 0.9


def test_answers_say_how_sure_and_why(reports: dict[str, RunReport]) -> None:
    report = reports["the ferry leaves the harbour at seven"]
    (moment,) = report.moments
    assert moment.score > 0.8
    sources = [evidence.source for evidence in moment.evidence]
    assert sources[0] == "speech"
    assert sources[-2:] == ["grounding", "verification"]
    assert any("ferry leaves" in evidence.note for evidence in moment.evidence)
    assert all(0.5 <= m.score <= 1 for r in reports.values() for m in r.moments)


def test_moments_lie_within_the_film_best_first(reports: dict[str, RunReport]) -> None:
    for report in reports.values():
        assert report.video.duration == pytest.approx(131, abs=0.1)
        assert all(moment.span.end <= report.video.duration for moment in report.moments)
        scores = [moment.score for moment in report.moments]
        assert scores == sorted(scores, reverse=True)


def test_a_report_survives_json(reports: dict[str, RunReport]) -> None:
    for report in reports.values():
        assert RunReport.model_validate_json(report.model_dump_json()) == report


def test_the_report_says_what_it_rests_on(reports: dict[str, RunReport]) -> None:
    report = next(iter(reports.values()))
    assert report.coverage.picture > 0.99
    assert report.coverage.speech > 0.99
    assert report.coverage.text > 0.99
    assert report.faults == ()
    assert "packaged" in report.models["speech"]


def test_a_second_question_decodes_nothing_and_asks_no_model_for_frames(
    reports: dict[str, RunReport],
    demo_agent: VMRAgent,
    demo_film: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the film was looked at or listened to again")

    monkeypatch.setattr("vmr_agent.playback.subprocess.Popen", refuse)
    monkeypatch.setattr("vmr_agent.adapters.concepts.Concepts.look", refuse)
    monkeypatch.setattr("vmr_agent.adapters.ocr.RapidText.read", refuse)
    assert demo_agent.run(demo_film, "a small spoon").status in ("found", "not_found")
    again = demo_agent.run(demo_film, QUESTIONS[0].query)
    assert again.moments == reports[QUESTIONS[0].query].moments


def test_all_indexed_films_can_be_searched(
    reports: dict[str, RunReport], demo_agent: VMRAgent, demo_film: Path
) -> None:
    hits = demo_agent.search("a rocket on the launch pad", 6)
    assert {hit.path for hit in hits} == {str(demo_film)}
    assert {hit.kind for hit in hits} == {"picture", "speech", "text"}
    assert 80 <= hits[0].span.start < 94


def test_another_copy_is_the_same_film_where_it_lies(
    reports: dict[str, RunReport], demo_agent: VMRAgent, demo_film: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "a copy.mp4"
    copy.write_bytes(demo_film.read_bytes())
    began = reports[QUESTIONS[0].query]
    report = demo_agent.run(copy, QUESTIONS[0].query)
    assert report.moments == began.moments
    assert report.video.path == str(copy)
    assert demo_agent.index(copy).path == str(copy)
