"""What each paper's part is worth: nothing where nothing changes, and nothing is asked twice."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.logbook import read
from evals.needle.run import OURS
from evals.papers import films, labelled
from evals.papers.__main__ import main
from evals.papers.films import SHIPPED, Asking
from evals.papers.importance import reordered
from evals.papers.kept import PapersError, kept
from evals.papers.parts import VARIATIONS, Variation
from evals.papers.reference import BOTH, CG, MOMENT, SEEN, WORKS, Bench, constrained
from evals.papers.worth import lines
from evals.refine import rows as files
from vmr_agent import Settings, Span
from vmr_agent.grounding.training.simulate import World, simulate
from vmr_agent.testing import colour_film, colour_toolbox
from vmr_agent.toolbox import Toolbox
from vmr_agent.types import Evidence, Moment

ROOT = Path(__file__).parents[2]
MEASURED = ("R1@0.5", "R1@0.7", "mAP", "rejection")
CELL = re.compile(r"(\*\*)?([+-][\d.]+)(?:\*\*)? \(([+-][\d.]+) to ([+-][\d.]+)\) \|")
"""``**+1.1** (+0.2 to +2.3) |``, bold where zero is not in it."""
RED = [{"start": 2.0, "end": 5.0}, {"start": 12.0, "end": 14.0}]
GREEN = [{"start": 6.8, "end": 7.4}]
ASKED = (("the red one", "repeated", RED), ("a purple one", "absent", []))
ASKED += (("the green one", "single", GREEN),)
SAME = Variation("same", "none", "what is so anyway", ("verify.accept=0.5",))
BLIND = Variation("blind", "none", "pictures", without=("embed_frames",))
ROUNDS = next(each for each in VARIATIONS if each.name == "spotvmr-rounds")
FEWER = Variation("fewer", "SMART", "samples of what stands still", ("strip.still=0.02",))
Build = Callable[[Settings], Toolbox]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = colour_film(tmp_path_factory.mktemp("film"))
    queries = [
        {"query": query, "kind": kind, "file": query, "spoken": False, "moments": moments}
        for query, kind, moments in ASKED
    ]
    path.with_suffix(".json").write_text(json.dumps({"queries": queries}))
    return path


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    home = tmp_path_factory.mktemp("home")

    def made(given: Settings) -> Toolbox:
        box = colour_toolbox(home)
        strip = box.settings.strip.model_copy(update={"still": given.strip.still})
        chosen = {"without": given.without, "verify": given.verify, "strip": strip}
        return replace(box, settings=box.settings.model_copy(update=chosen))

    return made


def parts(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each["figures"] for each in told["parts"]}


# ── films ─────────────────────────────────────────────────────────────────────────────────────


def test_what_changes_nothing_is_worth_nothing_and_what_sees_everything(
    film: Path, build: Build, tmp_path: Path
) -> None:
    asking = Asking([film], tmp_path, build=build)
    told = films.told(asking, [SAME, BLIND, ROUNDS])
    found = parts(told)
    for figure in found["same"].values():
        assert figure["worth"] == figure["low"] == figure["high"] == 0
    assert found["blind"]["R1@0.5"] == {"off": 0, "on": 100, "worth": 100, "low": 100, "high": 100}
    assert found["blind"]["rejection"]["worth"] == 0
    assert found["spotvmr-rounds"]["R1@0.5 single"]["worth"] == 100, "seen in a second round"
    assert found["spotvmr-rounds"]["R1@0.5 repeated"]["worth"] == 0
    assert told["shipped"]["kinds"]["all"]["R1@0.5"] == 100
    assert "R1@0.5 absent" not in found["same"], "of what is about nothing there is no R1"
    page = lines(told["parts"])
    assert "blind" in page
    assert "0.0 → 100.0: +100.0 (+100.0 to +100.0)" in page


def test_the_same_again_asks_nothing_and_what_was_cut_short_only_the_rest(
    film: Path, build: Build, tmp_path: Path
) -> None:
    asking = Asking([film], tmp_path, build=build)
    first = films.told(asking, [SAME])
    books = [tmp_path / name / f"{OURS}.jsonl" for name in (SHIPPED, "same")]
    asked = [read(book).samples for book in books]
    assert films.told(asking, [SAME])["parts"] == first["parts"]
    assert [read(book).samples for book in books] == asked
    lines_ = books[1].read_text().splitlines(keepends=True)
    books[1].write_text("".join(lines_[:2]) + lines_[2][:40])
    again = films.told(asking, [SAME])
    samples = read(books[1]).samples
    assert samples[0] == asked[1][0], "what was whole is not asked again"
    assert [each.id for each in samples] == [each.id for each in asked[1]]
    assert parts(again) == parts(first)


def test_fewer_frames_cost_less(film: Path, build: Build, tmp_path: Path) -> None:
    told = films.told(Asking([film], tmp_path, ["strip.still=0"], build=build), [FEWER])
    shipped, fewer = told["shipped"]["budget"], told["parts"][0]["budget"]
    assert 0 < fewer["samples/h"] < shipped["samples/h"]
    assert fewer["kB/h"] <= shipped["kB/h"]
    assert shipped["vectors/h"] <= shipped["samples/h"]


def test_what_its_caption_tells_comes_first(film: Path, build: Build, tmp_path: Path) -> None:
    asking = Asking([film], tmp_path, build=build)
    films.told(asking, [])
    sample = next(iter(read(tmp_path / SHIPPED / f"{OURS}.jsonl").samples))
    assert sample.report is not None

    def moment(start: float, end: float, score: float, caption: str) -> Moment:
        why = Evidence(source="caption", note=caption, score=score)
        return Moment(span=Span(start=start, end=end), score=score, evidence=(why,))

    moments = (moment(10, 12, 0.9, "looks like blue"), moment(2, 5, 0.8, "looks like red"))
    report = sample.report.model_copy(update={"moments": moments})
    given_ = [sample.model_copy(update={"report": report}), sample.model_copy()]
    (made, other) = reordered(given_, {film.stem: film}, build(Settings()))
    assert made.report is not None
    assert [each.span.start for each in made.report.moments] == [2, 10]
    assert [each.score for each in made.report.moments] == [0.9, 0.8]
    assert {each.id for each in (made, other)} == {sample.id}


def test_all_that_is_offered_can_be_asked(film: Path, tmp_path: Path) -> None:
    films.checked(Asking([film], tmp_path), VARIATIONS)
    names = [each.name for each in (*VARIATIONS, *labelled.PARTS)]
    assert len({*names}) == len(names)
    papers = {"SMART", "SMORE", "SpotVMR", "FlashMMR", "IMG", "none"}
    assert {each.paper for each in VARIATIONS} == papers
    known = {work.name for work in WORKS}
    assert {name for part in labelled.PARTS for name, _ in (part.off, part.on)} == known


# ── predictions ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Four systems' predictions for films that never were, and what is true of them."""
    folder, truth = tmp_path_factory.mktemp("predictions"), []
    world = World(steps=(30, 30), counts=(0.0, 0.7, 0.3), clear=(1.0, 2.0))
    for seed, name in enumerate((CG, MOMENT, SEEN, BOTH)):
        dice, told = np.random.default_rng(0), []
        for qid in range(12):
            question, moments = simulate(world, dice)
            about = {"qid": qid, "query": "it", "vid": f"video-{qid % 4:05d}_0.0_60.0"}
            off = np.array([0.1 * seed, 0.2 * seed, 0])
            windows = question.candidates[0].astype(float) + off
            kept_ = [[2 * a, 2 * b, s] for a, b, s in windows.tolist()]
            curve = question.curves[:, 0].astype(float).tolist()
            told.append({**about, files.WINDOWS: kept_, files.CURVE: curve})
            if not seed:
                true = (2 * moments.astype(int)).tolist()
                truth.append({**about, "duration": 60, files.TRUTH: true})
        files.write(folder / f"{name}.jsonl", told)
    files.write(folder / "truth.jsonl", truth)
    return folder, folder / "truth.jsonl"


def words(made: tuple[Path, Path], out: Path, *only: str) -> list[str]:
    told = ["--predictions", str(made[0]), "--ground-truth", str(made[1]), "--out", str(out)]
    return [*told, "--folds", "2", "--epochs", "1", "--only", *only]


def test_predictions_are_told_of_and_kept(
    made: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = words(made, tmp_path, "flashmmr-legal", "img-sound")
    assert main(asked) == 0
    page = capsys.readouterr().out
    told = json.loads((tmp_path / "papers.json").read_text())["labelled"]
    assert [each["name"] for each in told["parts"]] == ["flashmmr-legal", "img-sound"]
    assert {*told["runs"]} == {
        *("cg/given", "constrained/adjusted", "constrained/short", "gate/heard", "gate/deaf")
    }
    assert "img-sound" in page
    rows = files.read(tmp_path / "gate" / "deaf.jsonl", files.WINDOWS)
    assert rows != files.read(tmp_path / "gate" / "heard.jsonl", files.WINDOWS)
    before = (tmp_path / "gate" / "made.json").stat().st_mtime_ns
    assert main(asked) == 0
    assert (tmp_path / "gate" / "made.json").stat().st_mtime_ns == before, "learned once"
    assert json.loads((tmp_path / "papers.json").read_text())["labelled"] == told
    assert main([*asked, "--seed", "1"]) == 2
    (said,) = capsys.readouterr().err.strip().split("\n")[-1:]
    assert "seed was 0 and is 1; name another --out, or begin --again" in said


@given(
    st.lists(st.tuples(st.floats(-20, 170), st.floats(-20, 170)), min_size=1, max_size=5),
    st.sampled_from([60.0, 150.0]),
)
@settings(max_examples=50)
def test_constrained_windows_are_whole_clips_of_the_film(
    pairs: list[tuple[float, float]], length: float
) -> None:
    windows = [[*sorted(pair), 0.5] for pair in pairs]
    row = {"qid": 1, "vid": "a", "duration": length, files.WINDOWS: windows, files.CURVE: [0.0]}
    bench = Held(Path(), Path(), [row])
    for name, longest in (("adjusted", length), ("short", 70.0)):
        (told,) = constrained(bench, [CG])[name]
        found = np.array(told[files.WINDOWS])
        lengths = found[:, 1] - found[:, 0]
        assert (found[:, :2] % 2 == 0).all()
        assert (found[:, 0] >= 0).all()
        assert (found[:, 1] <= length).all()
        assert (lengths >= 2).all()
        assert (lengths <= longest).all()
        (again,) = constrained(Held(Path(), Path(), [told]), [CG])[name]
        assert again[files.WINDOWS] == told[files.WINDOWS]


class Held(Bench):
    """Its truth is what it is asked."""

    def asked(self, _: Any) -> list[tuple[files.Row, ...]]:
        return [(row,) for row in self.truth]


def test_what_was_made_of_something_else_is_not_taken(tmp_path: Path) -> None:
    rows = {"a": [{"qid": 1, "vid": "v", files.WINDOWS: [[0, 2, 0.5]]}]}
    assert kept(tmp_path, {"seed": 0}, lambda: rows) == rows

    def never() -> dict[str, Any]:
        raise AssertionError("it was made already")

    assert kept(tmp_path, {"seed": 0}, never) == rows
    with pytest.raises(PapersError, match="seed was 0 and is 1"):
        kept(tmp_path, {"seed": 1}, never)
    assert kept(tmp_path, {"seed": 1}, lambda: rows, again=True) == rows
    (tmp_path / "made.json").write_text("{")
    with pytest.raises(PapersError, match="begin --again"):
        kept(tmp_path, {"seed": 1}, never)


def test_a_process_that_is_killed_is_told_of_in_one_line(
    made: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def killed(*_: Any) -> dict[str, Any]:
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            return pool.submit(os._exit, 1).result()

    (work,) = (each for each in WORKS if each.name == "constrained")
    works = [each._replace(do=killed) if each is work else each for each in WORKS]
    monkeypatch.setattr(labelled, "WORKS", works)
    assert main(words(made, tmp_path, "flashmmr-legal")) == 2
    said = capsys.readouterr().err.strip().split("\n")[-1]
    assert "constrained: a process that learns was killed" in said
    assert (tmp_path / "cg" / "made.json").is_file()
    assert not (tmp_path / "constrained").exists()


def test_who_is_killed_while_making_leaves_nothing_that_counts(tmp_path: Path) -> None:
    def broken() -> dict[str, Any]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path / "work", {}, broken)
    assert not (tmp_path / "work" / "made.json").exists()


# ── the command ───────────────────────────────────────────────────────────────────────────────


def test_bad_input_is_told_in_one_line_before_the_work(
    film: Path, made: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def never(_: Settings) -> Toolbox:
        raise AssertionError("no toolbox is made for what cannot be asked")

    out = tmp_path / "out"
    bare, lone = tmp_path / "bare", tmp_path / "lone.mp4"
    bare.mkdir()
    lone.write_bytes(b"")
    truth = ["--ground-truth", str(made[1])]
    wrong = {
        "lone": [str(lone)],
        "has no cg_detr_val.jsonl": ["--predictions", str(bare), *truth],
        "there is no such setting": [str(film), "--set", "verify.most_of_all=3"],
        "want films": ["--predictions", str(made[0]), *truth, "--only", "smart-shots"],
        "cannot be read": ["--predictions", str(made[0]), "--ground-truth", str(bare)],
    }
    for said, asked in wrong.items():
        assert main([*asked, "--out", str(out)], never) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
        assert not out.exists()
    for asked in ([], ["--predictions", str(bare)], [str(film), "--folds", "1"]):
        with pytest.raises(SystemExit) as usage:
            main([*asked, "--out", str(out)], never)
        assert usage.value.code == 2
    with pytest.raises(SystemExit):
        main([str(film), "--out", str(out), "--only", "smart-nothing"], never)
    assert "smart-shots" in capsys.readouterr().err, "what there is instead"


def test_films_by_the_command(
    film: Path, build: Build, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    only = ["--only", "smore-filter", "smore-importance"]
    assert main([str(film), "--out", str(tmp_path), *only], build) == 0
    told = json.loads((tmp_path / "papers.json").read_text())
    assert [each["name"] for each in told["films"]["parts"]] == only[1:]
    assert told["films"]["films"] == [film.stem]
    command = f"python -m evals.papers {film.name} --out {tmp_path.name} --only"
    assert told["command"].startswith(command), "and where they lay is not told"
    assert "labelled" not in told
    header = read(tmp_path / "smore-filter" / f"{OURS}.jsonl").header
    assert str(film) in header.command
    assert header.settings["without"] == ["filter_relevance"]
    assert "smore-filter" in capsys.readouterr().out


def test_the_documentation_says_what_was_measured() -> None:
    runs = json.loads((ROOT / "evals/results/papers.json").read_text(encoding="utf-8"))
    measured = {
        part["name"]: [figures[name] for name in MEASURED if name in figures]
        for run in runs
        for part in (run.get("films") or run["labelled"])["parts"]
        for figures in [part["figures"]]
    }
    told = {}
    for line in (ROOT / "docs/papers.md").read_text(encoding="utf-8").splitlines():
        if found := CELL.findall(line):
            told[line.split("`")[1]] = found
    assert told.keys() == measured.keys()
    for name, cells in told.items():
        for (bold, *numbers), figure in zip(cells, measured[name], strict=True):
            expected = [figure[key] for key in ("worth", "low", "high")]
            assert [*map(float, numbers)] == [round(each, 1) for each in expected], name
            assert bool(bold) == (not figure["low"] <= 0 <= figure["high"]), name
