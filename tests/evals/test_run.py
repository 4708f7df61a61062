"""A benchmark asked end to end on made films, in the layout of the real ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from made_benchmarks import FILMS, answers, asked, charades, highlights, main, toolbox

from evals import parts, run, submission
from evals.logbook import read, writing


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("qvhighlights")
    highlights(folder)
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films are looked at once for all tests."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMR_HOME", str(home))


def some(films: Path, out: Path, lines: Sequence[str]) -> Path:
    """Annotations of one's own."""
    path = out.with_name("some.jsonl")
    path.write_text("".join(line + "\n" for line in lines))
    return path


def rows(films: Path) -> list[dict[str, Any]]:
    text = (films / "highlight_val_release.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def whole(films: Path, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing came in the way of."""
    out = tmp_path_factory.mktemp("whole") / "r.jsonl"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VMR_HOME", str(home))
        assert asked(films, out) == 0
    return out


# ── end to end ────────────────────────────────────────────────────────────────────────────────


def test_qvhighlights_is_asked_logged_and_scored(films: Path, whole: Path) -> None:
    book = read(whole)
    assert (len(book.samples), book.header.dataset.queries) == (18, 18)
    assert book.header.dataset.missing == ()
    assert book.metrics
    assert (book.metrics.scored, book.metrics.failed) == (18, 0)
    figures = book.metrics.figures
    assert figures["coverage"] == 100
    assert figures["official"]["brief"]["MR-full-R1@0.7"] == 100
    assert figures["official"]["brief"]["HL-min-Fair-Hit1"] == 100
    assert figures["qvm2"]["brief"]["MR-full-mAP@2_tgt"] == 100
    first = book.samples[0]
    assert first.report
    assert first.report.steps
    assert first.saliency
    assert len(first.saliency) == 10


def test_charades_is_asked_logged_and_scored(tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    file, out = charades(tmp_path / "films"), tmp_path / "r.jsonl"
    words = ["--videos", tmp_path / "films", "--annotations", file, "--split", "test"]
    told = [*map(str, words), "--out", str(out)]
    assert main(["--dataset", "charades-sta", *told], build=toolbox) == 0
    book = read(out)
    assert len(book.samples) == 6
    assert {round(each.duration) for each in book.samples} == {
        20,
        18,
        16,
    }  # of the films themselves
    assert all(each.saliency is None for each in book.samples)
    assert not out.with_suffix(".submission.jsonl").exists()


def test_the_submission_is_as_the_server_wants_it(films: Path, whole: Path, tmp_path: Path) -> None:
    lines = whole.with_suffix(".submission.jsonl").read_text().splitlines()
    told, truth = [json.loads(line) for line in lines], rows(films)
    assert [(row["qid"], row["vid"], row["query"]) for row in told] == [
        (row["qid"], row["vid"], row["query"]) for row in truth
    ]
    for row, true in zip(told, truth, strict=True):
        scores = [score for _, _, score in row["pred_relevant_windows"]]
        assert 1 <= len(scores) <= 10
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= a < b <= true["duration"] for a, b, _ in row["pred_relevant_windows"])
        assert len(row["pred_saliency_scores"]) == int(true["duration"] / 2)
    again = tmp_path / "s.jsonl"
    file = str(films / "highlight_val_release.jsonl")
    assert submission.main([str(whole), "--annotations", file, "--out", str(again)]) == 0
    assert again.read_text().splitlines() == lines


def test_a_split_without_labels_gives_a_submission_and_no_figures(
    films: Path, tmp_path: Path
) -> None:
    file = some(
        films,
        tmp_path / "r",
        [
            json.dumps({k: row[k] for k in ("qid", "query", "vid", "duration")})
            for row in rows(films)[:4]
        ],
    )
    assert asked(films, tmp_path / "r.jsonl", annotations=file) == 0
    book = read(tmp_path / "r.jsonl")
    assert book.metrics
    assert book.metrics.figures == {"unasked": 0, "coverage": 100.0}
    assert len((tmp_path / "r.submission.jsonl").read_text().splitlines()) == 4


def test_the_header_says_under_what_and_no_key(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-1234567890")
    out = tmp_path / "r-sk-secret-1234567890.jsonl"
    assert (
        asked(films, out, "--limit", 1, "--set", "verify.accept=0.6", "--without", "caption") == 0
    )
    header = read(out).header
    assert b"secret-1234567890" not in out.read_bytes()
    assert header.settings["verify"]["accept"] == 0.6
    assert header.settings["without"] == ["caption"]
    assert header.models["picture"] == "colours"
    assert len(header.dataset.sha256) == 64
    assert header.dataset.file == "highlight_val_release.jsonl"
    assert {"vmr_agent", "numpy"} <= set(header.versions)
    assert header.machine["cores"]
    assert "--limit 1" in header.command
    assert header.prompts
    assert not [part for part in header.command.split() if "secret" in part]


# ── parts, and going on ───────────────────────────────────────────────────────────────────────


def test_parts_add_up_and_what_is_finished_is_not_asked_again(
    films: Path, whole: Path, tmp_path: Path
) -> None:
    out, found = tmp_path / "r.jsonl", []
    for part in ("1/3", "2/3", "3/3"):
        alone = tmp_path / f"{part[0]}.jsonl"
        assert asked(films, alone, "--shard", part) == 0
        found += [each.id for each in read(alone).samples]
        assert asked(films, out, "--shard", part) == 0
    assert sorted(found) == sorted(answers(read(whole)))
    assert answers(read(out)) == answers(read(whole))
    assert read(out).metrics == read(whole).metrics
    parts_ = [str(tmp_path / f"{n}.jsonl") for n in (3, 1, 2)]
    more = ["--annotations", str(films / "highlight_val_release.jsonl"), "--out"]
    assert parts.main([*parts_, *more, str(tmp_path / "all.jsonl")]) == 0
    assert answers(read(tmp_path / "all.jsonl")) == answers(read(whole))
    assert read(tmp_path / "all.jsonl").metrics == read(whole).metrics
    left = whole.with_suffix(".submission.jsonl").read_bytes()
    assert (tmp_path / "all.submission.jsonl").read_bytes() == left
    size = out.stat().st_size
    assert asked(films, out) == 0
    assert out.stat().st_size - size < 10_000  # the metrics alone


def test_parts_of_other_runs_are_not_joined(
    films: Path, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other, file = tmp_path / "o.jsonl", films / "highlight_val_release.jsonl"
    assert asked(films, other, "--limit", 1, "--set", "verify.accept=0.6") == 0
    (tmp_path / "a.jsonl").write_text("{}\n")
    for given, truth, out, says in (
        (other, file, "all.jsonl", "settings.verify.accept was 0.5 and is 0.6"),
        (whole, tmp_path / "a.jsonl", "all.jsonl", "is not the highlight_val_release.jsonl"),
        (whole, file, "o.jsonl", "is there already"),
    ):
        capsys.readouterr()
        words = [str(whole), str(given), "--annotations", str(truth)]
        assert parts.main([*words, "--out", str(tmp_path / out)]) == 2
        error = capsys.readouterr().err
        assert says in error
        assert error.count("\n") == 1
    assert not (tmp_path / "all.jsonl").exists()


def test_a_limit_can_be_raised(films: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    for most in (2, 5, 18):
        assert asked(films, out, "--limit", most) == 0
        book = read(out)
        assert len(book.samples) == most
        assert book.metrics
        assert book.metrics.figures["unasked"] == 18 - most
    assert book.metrics == read(whole).metrics


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--set", "verify.accept=0.9"], "settings.verify.accept was 0.5 and is 0.9"),
        (["--without", "ground"], "settings.without"),
    ],
)
def test_another_run_is_refused_by_name_and_begun_when_told(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], says: str
) -> None:
    out = tmp_path / "r.jsonl"
    assert asked(films, out, "--limit", 1) == 0
    before = out.read_bytes()
    capsys.readouterr()
    assert asked(films, out, "--limit", 1, *more) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert out.read_bytes() == before
    assert asked(films, out, "--limit", 1, *more, "--again") == 0
    assert len(read(out).samples) == 1


def test_another_commit_or_file_is_another_run(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "r.jsonl"
    file = some(films, out, [json.dumps(row) for row in rows(films)[:2]])
    assert asked(films, out, annotations=file) == 0
    monkeypatch.setattr("evals.provenance.commit", lambda: "0000000")
    assert asked(films, out, annotations=file) == 2
    assert "and is '0000000'" in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.setenv("VMR_HOME", str(tmp_path / "elsewhere"))  # where things are does not count
    assert asked(films, out, annotations=file) == 0
    file.write_text(file.read_text() + "\n")
    assert asked(films, out, annotations=file) == 2
    assert "annotation file" in capsys.readouterr().err


def test_two_processes_do_not_write_one_file(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with writing(tmp_path / "r.jsonl"):
        assert asked(films, tmp_path / "r.jsonl") == 2
    assert "written by another process" in capsys.readouterr().err


# ── what goes wrong ───────────────────────────────────────────────────────────────────────────


def test_a_film_that_cannot_be_read_fails_its_queries_and_no_others(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here, broken = tmp_path / "films", "CCCCCCCCCCC_210.0_360.0"
    here.mkdir()
    for path in films.iterdir():
        (here / path.name).symlink_to(path)
    (here / f"{broken}.mp4").unlink()
    (here / f"{broken}.mp4").write_bytes(b"no film")
    out = tmp_path / "r.jsonl"
    assert asked(here, out) == 3
    assert "6 of 18 failed, most of them with VideoUnreadableError" in capsys.readouterr().err
    book = read(out)
    assert book.metrics
    assert (book.metrics.scored, book.metrics.failed) == (12, 6)
    assert book.metrics.figures["official"]["brief"]["MR-full-R1@0.7"] == 100  # of those scored
    failed = {each.video for each in book.samples if each.error}
    assert failed == {broken}
    assert all(each.report is None for each in book.samples if each.error)
    rows_ = [
        json.loads(line) for line in (tmp_path / "r.submission.jsonl").read_text().splitlines()
    ]
    assert [row["pred_relevant_windows"] for row in rows_ if row["vid"] == broken] == [
        [[0, 16, 0]]
    ] * 6
    # With the film in its place the failed ones are asked again, and they alone.
    (here / f"{broken}.mp4").unlink()
    (here / f"{broken}.mp4").symlink_to(films / f"{broken}.mp4")
    lines = len(out.read_text().splitlines())
    assert asked(here, out) == 0
    assert len(out.read_text().splitlines()) == lines + 6 + 1
    book = read(out)
    assert book.metrics
    assert (book.metrics.scored, book.metrics.failed) == (18, 0)


def test_many_failures_end_a_run_early_and_a_bug_is_a_failure(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "LEAST", 5)

    def broken(*_: object) -> None:
        raise ZeroDivisionError("one\ntwo")

    monkeypatch.setattr("vmr_agent.testing.ColourEncoder.relevance", broken)
    monkeypatch.setenv("VMR_HOME", str(tmp_path / "home"))
    assert asked(films, tmp_path / "r.jsonl") == 3
    told = [each.error for each in read(tmp_path / "r.jsonl").samples]
    assert len(told) == 5
    assert all(
        each and (each.kind, each.message) == ("ZeroDivisionError", "one two") for each in told
    )
    assert "5 of 5 failed" in capsys.readouterr().err
    assert asked(films, tmp_path / "r.jsonl", "--fail-on-error", 1) == 0
    assert len(read(tmp_path / "r.jsonl").samples) == 18


def test_missing_films_are_told_counted_and_not_asked_about(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = tmp_path / "films"
    here.mkdir()
    names = list(FILMS)
    for name in names[1:]:
        (here / f"{name}.mp4").symlink_to(films / f"{name}.mp4")
    out, file = tmp_path / "r.jsonl", films / "highlight_val_release.jsonl"
    assert asked(here, out, annotations=file) == 0
    assert f"1 of 4 films are missing: {names[0]}\n" in capsys.readouterr().err
    book = read(out)
    assert book.header.dataset.missing == (names[0],)
    assert book.metrics
    assert (book.metrics.scored, book.metrics.figures["unasked"]) == (12, 6)
    assert len(out.with_suffix(".submission.jsonl").read_text().splitlines()) == 18


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"--videos": "{here}"}, "none of 4 films is in {here}: AAAAAAAAAAA_60.0_210.0.mp4"),
        ({"--videos": "{here}/none"}, "no folder with films"),
        ({"--annotations": "{here}/none"}, "cannot be read"),
        ({"--set": "retrieve.top_q=1"}, "retrieve.top_q: there is no such setting"),
        ({"--without": "kitchen"}, "without"),
        ({"--out": "/dev/null/r.jsonl"}, "cannot be written"),
        ({"--features": "{here}", "--videos": ""}, "has no folder clip_features"),
        ({"--clip": "2"}, "--clip is the length of a feature; leave it out with --videos"),
    ],
)
def test_mistakes_of_the_caller_are_one_line_and_leave_nothing(
    films: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, str],
    says: str,
) -> None:
    words = {"--dataset": "qvhighlights", "--split": "val", "--out": "{here}/r.jsonl"}
    words |= {"--videos": str(films), "--annotations": str(films / "highlight_val_release.jsonl")}
    given = [part for pair in (words | change).items() if pair[1] for part in pair]
    assert main([part.format(here=tmp_path) for part in given], build=toolbox) == 2
    error = capsys.readouterr().err
    assert says.format(here=tmp_path) in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_settings_that_cannot_work_end_the_run_before_any_query(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    words = ["--videos", films, "--annotations", films / "highlight_val_release.jsonl"]
    more = ["--split", "val", "--out", tmp_path / "r.jsonl", "--set", "chat.model=m"]
    assert main(["--dataset", "qvhighlights", *map(str, [*words, *more])]) == 2  # the real toolbox
    error = capsys.readouterr().err
    assert "OPENAI_API_KEY" in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
