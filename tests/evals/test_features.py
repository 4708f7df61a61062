"""A benchmark asked from published features: no film is there, and none is opened."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_benchmarks import FILMS, features, highlights, main, toolbox

from evals import published
from evals.datasets import Asked
from evals.features import NEAR, Features, PublishedClip
from evals.logbook import read
from evals.published import FeatureError
from vmr_agent import Settings
from vmr_agent.testing import ColourEncoder

FIRST = "AAAAAAAAAAA_60.0_210.0"


@pytest.fixture(scope="module")
def annotations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return highlights(tmp_path_factory.mktemp("qvhighlights"))


@pytest.fixture(scope="module")
def hero(annotations: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return features(tmp_path_factory.mktemp("features"), annotations)


@pytest.fixture(autouse=True)
def at_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMR_HOME", str(tmp_path_factory.mktemp("home")))


def asked(folder: Path, annotations: Path, out: Path, *more: str) -> int:
    words = ["--features", folder, "--annotations", annotations, "--split", "val", "--out", out]
    return main(["--dataset", "qvhighlights", *map(str, words), *more], build=toolbox)


def test_the_back_half_of_the_agent_answers_from_features(
    annotations: Path, hero: Path, tmp_path: Path, decoders: list[Any]
) -> None:
    out = tmp_path / "r.jsonl"
    assert asked(hero, annotations, out) == 0
    assert not [each.args for each in decoders if "vmr_agent" in str(each.args)]
    book = read(out)
    assert book.metrics
    assert book.metrics.scored == 18
    brief = book.metrics.figures["official"]["brief"]
    assert brief["MR-full-R1@0.7"] > 90
    assert brief["HL-min-Fair-Hit1"] > 90
    models = book.header.models
    assert models["picture"] == "published CLIP features"
    assert models["shots"] == "novelty of slowfast_features"
    assert models["speech"] == models["sound"] == models["text"] == "off"
    assert book.header.settings["without"] == ["caption", "understand"]
    for each in book.samples:
        assert each.report
        assert each.report.models == models
        assert each.saliency
        assert len(each.saliency) == int(each.duration / 2)
        rooms = [step.room for step in each.report.steps]
        assert rooms[-3:] == ["trim", "ground", "verify"]
    assert len((tmp_path / "r.submission.jsonl").read_text().splitlines()) == 18


def test_features_are_asked_by_two_processes_as_by_one(
    annotations: Path, hero: Path, tmp_path: Path
) -> None:
    one, two = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    assert asked(hero, annotations, one, "--limit", "6") == 0
    assert asked(hero, annotations, two, "--limit", "6", "--jobs", "2") == 0
    saliency = {each.id: each.saliency for each in read(one).samples}
    assert {each.id: each.saliency for each in read(two).samples} == saliency
    assert read(one).metrics == read(two).metrics


def test_films_without_features_are_told(
    annotations: Path, hero: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = shutil.copytree(hero, tmp_path / "hero")
    (here / "clip_features" / f"{FIRST}.npz").unlink()
    assert asked(here, annotations, tmp_path / "r.jsonl") == 0
    assert f"1 of 4 films are missing: {FIRST}" in capsys.readouterr().err
    assert read(tmp_path / "r.jsonl").header.dataset.missing == (FIRST,)


def test_without_slowfast_the_clips_themselves_tell_cuts(
    annotations: Path, hero: Path, tmp_path: Path
) -> None:
    here = shutil.copytree(hero, tmp_path / "hero")
    shutil.rmtree(here / "slowfast_features")
    assert asked(here, annotations, tmp_path / "r.jsonl", "--limit", "2") == 0
    assert read(tmp_path / "r.jsonl").header.models["shots"] == "novelty of clip features"


# ── what is wrong ─────────────────────────────────────────────────────────────────────────────

CLIPS = np.ones((10, 512), np.float32)
BROKEN: dict[str, tuple[str, dict[str, Any] | None, str]] = {
    "no numbers": ("clip_features", {"features": CLIPS * np.nan}, "not finite"),
    "one row": ("clip_features", {"features": CLIPS[0]}, r"shape \(512,\)"),
    "other name": ("clip_features", {"feats": CLIPS}, "no features that can be read"),
    "pickled": ("clip_features", {"features": np.array([{}], object)}, "can be read"),
    "empty": ("clip_features", {"features": CLIPS[:0]}, r"shape \(0, 512\)"),
    "short": ("clip_features", {"features": CLIPS[:4]}, "4 clips in"),
    "no slowfast": ("slowfast_features", None, "is missing"),
    "long": ("slowfast_features", {"features": np.ones((30, 9))}, "10 clips in"),
    "flat text": ("clip_text_features", {"pooler_output": np.ones((3, 512))}, r"\(3, 512\)"),
    "no pooler": ("clip_text_features", {"last_hidden_state": CLIPS}, "no pooler_output"),
    "narrow text": ("clip_text_features", {"pooler_output": np.ones(64)}, "512 numbers, texts 64"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_no_feature_is_told_in_one_line(
    annotations: Path, hero: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    kind, arrays, says = BROKEN[what]
    here = shutil.copytree(hero, tmp_path / "hero")
    path = here / kind / (f"{FIRST}.npz" if kind != "clip_text_features" else "qid100.npz")
    path.unlink()
    if arrays is not None:
        np.savez(path, **arrays)
    code = asked(here, annotations, tmp_path / "r.jsonl")
    assert code in (2, 3)
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("evals.run: ")
    assert re.search(says, error), error
    assert (code == 3) == (tmp_path / "r.jsonl").exists()


def test_a_query_without_text_features_wants_a_model(
    annotations: Path, hero: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = shutil.copytree(hero, tmp_path / "hero")
    (here / "clip_text_features" / "qid103.npz").unlink()
    assert asked(here, annotations, tmp_path / "r.jsonl") == 2
    error = capsys.readouterr().err
    assert "1 queries have no text features" in error
    assert "qid103.npz" in error
    assert "open_clip:ARCHITECTURE:WEIGHTS" in error
    assert not (tmp_path / "r.jsonl").exists()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--set", "chat.model=m"], "no frames"),
        (["--set", "models.grounder=vision:x"], "no frames"),
        (["--set", "verify.false_alarms=0.1"], "false_alarms"),
        (["--clip", "1"], "10 clips of 1 s are not the 20 s of the film"),
    ],
)
def test_what_features_cannot_do_is_told_before_any_work(
    annotations: Path,
    hero: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    says: str,
) -> None:
    assert asked(hero, annotations, tmp_path / "r.jsonl", *more) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_a_clip_is_as_long_as_the_film_says_where_nobody_else_does(
    hero: Path, tmp_path: Path
) -> None:
    source = Features(Settings(), hero, {"v": tmp_path / "v.npz"}, clip=None)
    timed = Asked("v/0", "v", "a dog", None, 45.0, {"qid": "v/0"})
    assert source.seconds(timed, 30) == 1.5
    with pytest.raises(FeatureError, match="--clip"):
        source.seconds(timed._replace(duration=0.0), 30)
    fixed = Features(Settings(), hero, {"v": tmp_path / "v.npz"}, clip=2.0)
    assert fixed.seconds(timed, 22) == fixed.seconds(timed, 24) == 2
    with pytest.raises(FeatureError, match=r"30 clips of 2 s are not the 45 s"):
        fixed.seconds(timed, 30)


# ── the parts ─────────────────────────────────────────────────────────────────────────────────


def test_cosines_become_relevance_at_the_line_that_laion_drew() -> None:
    encoder = PublishedClip(None)
    encoder.know("a  dog", np.eye(4, dtype=np.float32)[0])
    vectors = np.array([[NEAR, 0, 0, 1], [1, 0, 0, 0], [-1, 0, 0, 0]], np.float32)
    np.testing.assert_allclose(encoder.relevance(vectors, ["a dog"]), [0.5, 1, 0])
    with pytest.raises(FeatureError, match="no text feature of 'a cat'"):
        encoder.relevance(vectors, ["a cat"])
    assert not encoder.relevance(vectors, []).any()


def test_a_text_model_stands_in_where_there_is_no_file() -> None:
    encoder = PublishedClip(ColourEncoder())
    encoder.know("red", None)
    assert encoder.place("red").shape == (6,)


def test_cuts_lie_where_motion_changes_more_than_usual() -> None:
    rng = np.random.default_rng(0)
    first, other = rng.normal(size=(2, 64))
    rows = np.stack([first] * 6 + [other] * 5 + [first] * 9) + 0.1 * rng.normal(size=(20, 64))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assert published.cuts(rows.astype(np.float32), 2.0) == (12, 22)
    assert published.cuts(rows[:1].astype(np.float32), 2.0) == ()


def test_names_with_dots_are_films(hero: Path) -> None:
    assert set(published.find(hero, [*FILMS, "gone"])) == set(FILMS)
