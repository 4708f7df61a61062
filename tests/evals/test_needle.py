"""Needle films: what is in them is where the truth says, and what is made of answers adds up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import toy_grounder
from join_clips import even, make_clip, steady
from media import as_rgb

from evals import planes
from evals.film import Form, Picture, write_film
from evals.footage import picture_length, read_pictures
from evals.joiner import Joiner, Look, Piece, seen
from evals.needle import score
from evals.needle.__main__ import main
from evals.needle.absent import Absent
from evals.needle.alarms import lines, realised
from evals.needle.film import Truth, build, load
from evals.needle.gather import Round, gather, given, read, save
from evals.needle.plan import SEEN, families, plan
from evals.needle.replay import replayed
from evals.needle.run import OURS, run
from evals.needle.score import Given, by_kind, figures
from evals.playlist import Clip, JoinError, load_clips
from vmr_agent import Settings, alarms
from vmr_agent.adapters.grounder import SmallGrounder
from vmr_agent.testing import COLOURS, colour_toolbox
from vmr_agent.toolbox import Toolbox

FORM = Form(width=160, height=90, fps=Fraction(10), rate=16_000)
TOLD = {**COLOURS, "pale": (240, 240, 240), "dark": (10, 10, 10)}
SOFT = 0.4  # seconds before and after a boundary in which one clip may dissolve into another


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of two seconds of each colour; two show the same in different words besides."""
    here = tmp_path_factory.mktemp("clips")
    listed = []
    for name, colour in TOLD.items():
        make_clip(here / f"{name}.mp4", [colour] * 40, even(40, 20), tone=steady)
        listed.append({"file": f"{name}.mp4", "queries": [f"the {name} one"]})
    (here / "clips.json").write_text(json.dumps(listed))
    return here


@pytest.fixture(scope="module")
def film(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("film") / "film.mp4"
    build(folder, out, 0.6, seed=3, absent=5, form=FORM)
    return out


def truth(film: Path) -> Truth:
    told: Truth = json.loads(film.with_suffix(".json").read_text())
    return told


def shows(picture: Picture, name: str) -> bool:
    """Whether it is of a clip and of no other, by the lower middle: the top of each is dark."""
    return bool(np.abs(picture[60, 80].astype(int) - TOLD[name]).max() < 25)


# ── pieces ────────────────────────────────────────────────────────────────────────────────────


def laid(folder: Path, out: Path, *pieces: Piece) -> tuple[np.ndarray, list[dict[str, float]]]:
    with write_film(out, FORM) as writer:
        joiner = Joiner(writer, load_clips(folder))
        for piece in pieces:
            joiner.lay(piece)
        joiner.end()
    spans = [{**placed["span"]} for placed in joiner.placed]
    return np.stack(list(read_pictures(out, FORM))), spans


def test_a_dissolve_has_its_boundary_in_its_middle(folder, tmp_path):
    pieces = Piece("red.mp4", fade=1.0), Piece("green.mp4")
    shown, spans = laid(folder, tmp_path / "f.mp4", *pieces)
    assert len(shown) == 30
    assert spans == [{"start": 0.0, "end": 1.5}, {"start": 1.5, "end": 3.0}]
    red = shown[:, 60, 80, 0].astype(int)
    assert red[:10].min() > 200
    assert red[20:].max() < 50
    assert (np.diff(red[9:21]) < 0).all()
    assert 95 < (red[14] + red[15]) / 2 < 155


def test_a_part_is_shown_from_and_up_to_where_it_was_asked(folder, tmp_path):
    pieces = Piece("red.mp4", 0.5, 1.2), Piece("blue.mp4", 1.0)
    shown, spans = laid(folder, tmp_path / "f.mp4", *pieces)
    assert spans == [{"start": 0.0, "end": 0.7}, {"start": 0.7, "end": 1.7}]
    assert [shows(picture, "red") for picture in shown] == [True] * 7 + [False] * 10
    assert [shows(picture, "blue") for picture in shown] == [False] * 7 + [True] * 10


def test_what_is_shorter_than_its_dissolve_is_shown_all_the_same(folder, tmp_path):
    pieces = Piece("red.mp4", fade=0.5), Piece("green.mp4", 0, 0.2, fade=1.0), Piece("blue.mp4")
    shown, spans = laid(folder, tmp_path / "f.mp4", *pieces)
    assert spans[0]["start"] == 0
    assert all(a["end"] == b["start"] for a, b in pairwise(spans))
    assert spans[-1]["end"] == pytest.approx(len(shown) / 10)


def shown(picture: Picture, look: Look) -> Picture:
    return as_rgb(seen(planes.of_rgb(picture), look))


def test_a_look_mirrors_and_comes_closer():
    picture = np.zeros((90, 160, 3), np.uint8)
    picture[:, :80] = 200
    assert (
        shown(picture, Look(mirrored=True))[45, 100].max()
        > 150
        > shown(picture, Look())[45, 100, 0]
    )
    framed = np.full((90, 160, 3), 200, np.uint8)
    framed[10:-10, 16:-16] = 0
    assert shown(framed, Look(zoom=1.5)).max() < 50
    assert shown(framed, Look(zoom=1.5)).shape == framed.shape


# ── the film ──────────────────────────────────────────────────────────────────────────────────


def test_every_kind_is_asked_and_every_moment_is_shown(film):
    told, shown = truth(film), [*read_pictures(film, FORM)]
    assert {query["kind"] for query in told["queries"]} == {*SEEN, "ordered", "absent"}
    times = (np.arange(len(shown)) + 0.5) / 10
    for query in told["queries"]:
        if query["kind"] in SEEN:
            there = np.array([shows(each, Path(query["file"]).stem) for each in shown])
            edges = np.array([[m["start"], m["end"]] for m in query["moments"]])
            inside = ((times > edges[:, :1]) & (times < edges[:, 1:])).any(axis=0)
            clear = np.abs(times - edges.reshape(-1, 1)).min(axis=0) > SOFT
            assert clear[inside].any()
            assert (there == inside)[clear].all(), query


def test_kinds_are_what_they_say(film):
    told = truth(film)
    for query in told["queries"]:
        pieces = [c["span"] for c in told["clips"] if c["file"] == query["file"]]
        moments = query["moments"]
        match query["kind"]:
            case "single" | "within":
                assert pieces == moments
                assert len(moments) == 1
            case "repeated":
                assert 2 <= len(moments) == len(pieces) <= 4
            case "cut":
                assert len(moments) == 1 < len(pieces)
                assert moments[0] == {"start": pieces[0]["start"], "end": pieces[-1]["end"]}
            case "ordered":
                assert len(moments) == 1
                assert any(moments[0]["start"] == piece["start"] for piece in pieces)
            case "absent":
                assert not pieces or query["sort"] == "ordered"
                assert not moments


def test_what_lies_within_comes_and_goes_softly(film):
    """No picture near its ends is far from the one before."""
    told, shown = truth(film), np.stack(list(read_pictures(film, FORM))).astype(int)
    change = np.abs(np.diff(shown[:, 60, 80], axis=0)).max(axis=1)
    edges = [
        time
        for query in told["queries"]
        for moment in query["moments"]
        for time in moment.values()
        if query["kind"] == "within"
    ]
    assert len(edges) >= 2
    assert all(change[round(10 * t) - 3 : round(10 * t) + 3].max() < 100 for t in edges)


def test_the_same_seed_gives_the_same_truth(folder, tmp_path):
    small = Form(width=32, height=18, fps=Fraction(5), rate=8_000)

    def made(name: str, seed: int) -> dict[str, Any]:
        return {**build(folder, tmp_path / name, 0.4, seed=seed, form=small), "film": ""}

    assert made("a.mp4", 1) == made("b.mp4", 1) != made("c.mp4", 2)


def test_clips_that_answer_the_same_are_one_family_cut_to_and_fro():
    def clip(*queries: str, start: float | None = 0.0) -> Clip:
        return Clip(Path("x"), queries, start)

    clips = {
        "a": clip("one", "both"),
        "b": clip("both"),
        "c": clip("other"),
        "d": clip(),
        "e": clip("said (spoken)", start=None),
    }
    assert families(clips) == [("a", "b"), ("c",)]
    more = {f"{n}": clip(f"thing {n}") for n in range(7)}
    lengths = dict.fromkeys([*clips, *more], 6.0)
    for seed in range(40):
        planned = plan({**clips, **more}, lengths, 5, seed)
        if ("cut", ("a", "b")) in planned.asked:
            order = [piece.file for piece in planned.pieces if piece.file in "ab"]
            assert order == ["a", "b"] * (len(order) // 2)
            assert len(order) > 2
            break
    else:
        raise AssertionError("no seed cuts them")
    assert ("heard", ("e",)) in planned.asked
    assert any(piece.under == ("e",) for piece in planned.pieces)


def test_the_film_is_as_long_as_was_asked(folder, tmp_path):
    small = Form(width=32, height=18, fps=Fraction(5), rate=8_000)
    told = build(folder, tmp_path / "f.mp4", 1, absent=7, form=small)
    assert told["duration"] == pytest.approx(60, rel=0.1)
    assert len([q for q in told["queries"] if q["kind"] == "absent"]) == 7
    assert told["duration"] == pytest.approx(picture_length(tmp_path / "f.mp4"))


# ── absent queries ────────────────────────────────────────────────────────────────────────────


def test_nothing_like_what_is_shown_is_asked_as_absent():
    listed = Absent.load()
    assert len(listed.queries) >= 300
    asked = ["a poodle asleep", "dogs running", "a man in a hat", "the red door", "a red man"]
    assert listed.unlike(asked, ["a dog barks at a man in red"]) == asked[2:]
    kept = listed.unlike(listed.queries, ["a person practises batting in a baseball cage"])
    assert len(listed.queries) - 12 < len(kept) < len(listed.queries)
    assert not [query for query in kept if "cricket" in query]


# ── answers ───────────────────────────────────────────────────────────────────────────────────


def answer(kind: str, moments: Sequence[Any], windows: Sequence[Any]) -> Given:
    return Given("f", f"{kind} {len(moments)}", kind, moments, windows, 0.4, 0.5)


def test_figures_are_strict():
    right, off = (0.0, 10.0, 0.9), (4.0, 12.0, 0.8)
    assert figures([answer("single", [(0, 10)], [right])])["mAP"] == 100
    found = figures([answer("single", [(0, 10)], [off]), answer("single", [(0, 10)], [])])
    assert (found["R1@0.5"], found["R1@0.7"]) == (50, 0)  # the overlap is 6 of 12 seconds
    assert (found["mAP"], found["found"], found["seconds"]) == (5, 50, 0.5)
    three = [(0, 10), (20, 30), (40, 50)]
    most = [(*each, 0.5) for each in three]
    assert figures([answer("repeated", three, most)])["mR@3"] == 100
    assert figures([answer("repeated", three, most[:2])])["mR@3"] == 66.67  # the third is missed
    told = by_kind([answer("absent", [], [right]), answer("absent", [], [])])
    assert told["all"]["false alarms"] == 50


@pytest.fixture(scope="module")
def gathered(film: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Round], dict]:
    return gather([film], colour_toolbox(tmp_path_factory.mktemp("home")), lambda _: None)


def test_what_ground_sees_is_kept_round_by_round(film, gathered, tmp_path):
    rounds, arrays = gathered
    save(tmp_path / "r.jsonl", rounds, arrays)
    assert [{**each._asdict()} for each in read(tmp_path / "r.jsonl")] == json.loads(
        json.dumps([each._asdict() for each in rounds])
    )
    kept = np.load(tmp_path / "r.npz")
    for each in rounds:
        curves = kept[each.curves]
        assert curves.shape == (len(each.channels), np.ceil(each.duration / each.step))
        assert each.turn <= each.turns <= 2
        assert all(0 <= start < end <= each.duration for start, end, _ in each.proposals)
    queries = {query["query"] for query in load(film)}
    assert {each.query for each in rounds} == queries
    cuts = kept[rounds[0].cuts]
    assert cuts[0] == 0


def test_gathered_rounds_answer_as_the_agent_does(film, gathered, tmp_path):
    def build(_: Settings) -> Toolbox:
        return colour_toolbox(tmp_path / "home")

    samples = run([film], Settings(), tmp_path / "out", {}, build=build)[OURS]
    offline = {each.query: each for each in given(gathered[0])}
    assert len(samples) == len(offline)
    for each in score.given(samples):
        assert offline[each.query].moments == list(each.moments)
        np.testing.assert_allclose(offline[each.query].windows, each.windows)
    seen = [each for each in score.given(samples) if each.query.split()[1] in COLOURS]
    assert figures([each for each in seen if each.moments])["R1@0.5"] > 0


@pytest.mark.slow
def test_weights_tried_on_gathered_rounds_do_what_they_do_in_the_agent(film, gathered, tmp_path):
    grounder = SmallGrounder(toy_grounder.written(tmp_path, toy_grounder.trained()))
    box = replace(colour_toolbox(tmp_path / "home"), grounder=grounder)
    there = gather([film], box, lambda _: None)[0]
    tried = replayed(*gathered, grounder, box.settings.verify)
    assert len(tried) == len(there)
    for one, other in zip(tried, there, strict=True):
        np.testing.assert_allclose(one.proposals, other.proposals, rtol=1e-6)
        np.testing.assert_allclose(one.answer, other.answer, rtol=1e-6)
    assert [each.proposals for each in tried] != [each.proposals for each in gathered[0]]


def test_realised_rates_are_told_film_by_film(film, tmp_path, monkeypatch):
    monkeypatch.setattr(alarms, "nothing", lambda: [f"thing number {n}" for n in range(40)])
    told = realised([film], colour_toolbox(tmp_path), [0.1, 0.5], lambda _: None)
    present = [q for q in load(film) if q["moments"]]
    ordered = [q for q in present if q["kind"] == "ordered"]
    named = [q for q in present if q["query"].split()[1] in COLOURS and q not in ordered]
    assert [each.asked for each in told] == [0.1, 0.5]
    for each in told:
        assert each.absent + each.present == len(load(film))
        assert 0 <= each.realised <= 1
        # What is not in the film scores nothing at all, nor does a colour that has no name.
        assert 0 <= round(each.found * each.present) - len(named) <= len(ordered)
    assert told[0].accept >= told[1].accept
    assert lines(told).splitlines()[-1].split()[0] == "all"


# ── the command ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["build", "--clips", "{here}", "--minutes", "1", "--out", "{here}/f.mp4"], "is missing"),
        (["build", "--clips", "{clips}", "--minutes", "0", "--out", "{here}/f.mp4"], "minutes"),
        (["build", "--clips", "{clips}", "--minutes", "1", "--out", "{here}/x/f.mp4"], "folder"),
        (["build", "--clips", "{clips}", "--minutes", "1", "--out", "{clips}/red.mp4"], "clips"),
        (["run", "{here}/f.mp4", "--out", "{here}/o.json"], "no truth"),
        (["run", "{here}/f.mp4", "--out", "{here}/o.json", "--set", "verify.x=1"], "verify.x"),
        (["gather", "{here}/f.mp4", "--out", "{here}/o.jsonl", "--set", "x"], "SETTING=VALUE"),
        (["score", "{here}/o.jsonl"], "not what gather writes"),
    ],
)
def test_what_is_wrong_is_one_line_and_leaves_nothing(folder, tmp_path, capsys, words, says):
    assert main([word.format(here=tmp_path, clips=folder) for word in words]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert says in error
    assert list(tmp_path.iterdir()) == []


def test_too_few_clips_make_no_film(folder, tmp_path):
    some = json.loads((folder / "clips.json").read_text())[:3]
    for each in some:
        (tmp_path / each["file"]).write_bytes((folder / each["file"]).read_bytes())
    (tmp_path / "clips.json").write_text(json.dumps(some))
    with pytest.raises(JoinError, match="3 clips show different things: a needle film takes 5"):
        build(tmp_path, tmp_path / "f.mp4", 1)


def test_the_command_builds_and_tells(folder, tmp_path, capsys):
    out = tmp_path / "f.mp4"
    words = ["--clips", str(folder), "--minutes", "0.3", "--out", str(out), "--absent", "2"]
    assert main(["build", *words, "--size", "64x36", "--fps", "5"]) == 0
    assert "absent" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.json", "f.mp4"]
