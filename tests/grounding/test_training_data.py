"""What is learned from: files that are checked line by line, and what is held out of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vmr_agent.errors import TrainingError
from vmr_agent.grounding.training import data as datas
from vmr_agent.grounding.training import lines
from vmr_agent.grounding.training.data import Data, Simulate, from_file, simulated
from vmr_agent.grounding.training.lines import Line, parse
from vmr_agent.grounding.training.simulate import World, simulate, simulate_look, simulate_sound

GOOD: dict[str, Any] = {
    "step": 2.0,
    "curves": {"picture": [0.1, 0.7, 0.6], "speech": [0, 0, 1]},
    "candidates": {"first": [[0, 2, 0.1], [2.5, 6, 0.9]], "second": []},
    "moments": [[2, 6]],
}


def told(*questions: dict[str, Any]) -> bytes:
    return "".join(json.dumps(each) + "\n" for each in questions).encode()


def file(path: Path, *questions: dict[str, Any]) -> Path:
    path.write_bytes(told(*questions))
    return path


def test_a_file_is_read_in_steps_best_candidates_first(tmp_path: Path) -> None:
    other = GOOD | {"curves": {"speech": [1, 2], "picture": [3, 4]}, "moments": []}
    other["candidates"] = {"second": [[0, 4, 1]], "first": []}
    read = from_file(file(tmp_path / "mine.jsonl", GOOD, other), "CC0")
    assert (read.channels, read.sources) == (("picture", "speech"), ("first", "second"))
    assert (read.step, read.licence, len(read)) == (2.0, "CC0", 2)
    assert read.about.startswith("mine.jsonl, 2 questions, SHA-256 ")
    first, second = read.questions
    np.testing.assert_allclose(first.candidates[0], [[1.25, 3, 0.9], [0, 1, 0.1]])
    assert first.candidates[1].shape == (0, 3)
    assert second.curves.tolist() == [[3, 1], [4, 2]], "by name, not by place"
    assert [moments.tolist() for moments in read.moments] == [[[1, 3]], []]


def test_steps_that_differ_are_no_step_of_the_data(tmp_path: Path) -> None:
    read = from_file(file(tmp_path / "a.jsonl", GOOD, GOOD | {"step": 4.0}), "CC0")
    assert read.step is None


@pytest.mark.parametrize(
    ("moment", "steps"),
    [([1.9, 2.3], [1, 2]), ([0, 0.1], [0, 1]), ([5.9, 6.0], [2, 3]), ([0.5, 5], [0.25, 2.5])],
)
def test_a_moment_shorter_than_a_step_is_that_step(
    tmp_path: Path, moment: list[float], steps: list[float]
) -> None:
    read = from_file(file(tmp_path / "a.jsonl", GOOD | {"moments": [moment]}), "CC0")
    assert read.moments[0].tolist() == [steps]


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"{", "2 is no question: Invalid JSON"),
        (b"[1]", "2 is no question: "),
        (told(without("step")), "2 is no question: step: Field required"),
        (told(without("moments")), "moments: Field required"),
        (told(GOOD | {"query": "a cat"}), "query: Extra inputs are not permitted"),
        (told(GOOD | {"step": 0}), "step: Input should be greater than 0"),
        (told(GOOD | {"step": "2"}), "step: Input should be a valid number"),
        (told(GOOD | {"curves": {}}), "curves: "),
        (told(GOOD | {"curves": {"picture": [1, 2], "speech": [1]}}), "different lengths"),
        (told(GOOD | {"curves": {"picture": [], "speech": []}}), "an empty curve"),
        (told(GOOD | {"curves": {"picture": [1, 2, 3]}}), "has curves ['picture'], the first"),
        (told(GOOD | {"candidates": {"first": []}}), "has candidates ['first'], the first"),
        (told(GOOD | {"moments": [[2, 2]]}), "0 <= start < end <= 3 steps x 2 s"),
        (told(GOOD | {"moments": [[3, 2]]}), "has [3.0, 2.0] among its moments"),
        (told(GOOD | {"moments": [[-1, 2]]}), "among its moments"),
        (told(GOOD | {"moments": [[4, 7]]}), "among its moments"),
        (told(GOOD | {"moments": [[4]]}), "moments.0.1: Field required"),
        (told(GOOD | {"candidates": {"first": [[0, 9, 1]], "second": []}}), "candidates of 'fi"),
        (told(GOOD | {"candidates": {"first": [], "second": [[0, 1, 1.5]]}}), "from 0 to 1"),
        (told(GOOD | {"candidates": {"first": [[0, 1]], "second": []}}), "candidates.first.0.2"),
        (told(GOOD | {"curves": {"picture": [1], "speech": [float("nan")]}}), "finite number"),
        (told(GOOD | {"curves": {"picture": [1], "speech": [1e300]}}), "curves.speech.0"),
        (told(GOOD | {"moments": [[0, float("inf")]]}), "moments.0.1: "),
        (b"\xff", "is no text in UTF-8"),
    ],
)
def test_a_line_that_will_not_do_is_named(line: bytes, says: str) -> None:
    with pytest.raises(TrainingError) as error:
        parse(told(GOOD) + line, "mine.jsonl")
    assert str(error.value).startswith(("mine.jsonl:2 ", "'mine.jsonl' is no text"))
    assert says in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_a_file_without_questions_is_none(content: bytes) -> None:
    with pytest.raises(TrainingError, match="no questions"):
        parse(content, "mine.jsonl")


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    for path, says in ((tmp_path / "none", "No such file"), (tmp_path, "no regular file")):
        with pytest.raises(TrainingError, match=says):
            from_file(path, "CC0")


seconds = st.integers(0, 40).map(lambda n: n / 4)
windows = st.tuples(seconds, seconds).filter(lambda each: each[0] < each[1])
scored = st.tuples(windows, st.floats(0, 1)).map(lambda each: (*each[0], each[1]))
questions = st.builds(
    Line,
    step=st.just(0.5),
    curves=st.fixed_dictionaries(
        {"a": st.lists(st.floats(-1e9, 1e9), min_size=20, max_size=20).map(tuple)}
    ),
    candidates=st.fixed_dictionaries({"b": st.lists(scored, max_size=4).map(tuple)}),
    moments=st.lists(windows, max_size=3).map(tuple),
    film=st.none() | st.text(max_size=5),
)


@settings(max_examples=30)
@given(st.lists(questions, min_size=1, max_size=3))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, made: list[Line]
) -> None:
    path = tmp_path_factory.mktemp("lines") / "made.jsonl"
    lines.write(path, made)
    assert parse(path.read_bytes(), path.name) == made
    assert [each.name for each in path.parent.iterdir()] == ["made.jsonl"]


# ── what is held out ──────────────────────────────────────────────────────────────────────────


def films(names: list[str]) -> Data:
    bare = simulated("simulated:1", 0, simulate, ("a",), ("b",))
    many = [bare.questions[0]] * len(names), [bare.moments[0]] * len(names)
    return replace(bare, questions=many[0], moments=many[1], films=names)


@given(
    st.lists(st.sampled_from("abcdefghij"), min_size=2, max_size=60),
    st.floats(0.05, 0.9),
    st.integers(0, 99),
)
def test_a_film_is_never_split(names: list[str], share: float, seed: int) -> None:
    assume(len(set(names)) > 1)
    known, held_out = films(names).split(share, seed)
    assert sorted(known.films + held_out.films) == sorted(names)
    assert not set(known.films) & set(held_out.films)
    assert len(known)
    assert len(held_out)
    assert abs(len(held_out) - share * len(names)) <= max(map(names.count, names))


def test_nothing_is_held_out_of_a_single_film() -> None:
    with pytest.raises(TrainingError, match=r"about one film: give more films, or --held-out 0"):
        films(["a", "a"]).split(0.1, 0)
    assert len(films(["a", "a"]).split(0, 0)[0]) == 2


def test_about_the_share_is_held_out_the_same_every_time() -> None:
    many = films([f"film {n}" for n in range(200)])
    held_out = many.split(0.1, 3)[1]
    assert len(held_out) == 20
    assert held_out.films == many.split(0.1, 3)[1].films
    assert held_out.films != many.split(0.1, 4)[1].films
    assert not len(many.split(0, 3)[1])


def test_lines_without_a_film_are_each_of_one_of_their_own(tmp_path: Path) -> None:
    named = GOOD | {"film": "line 0"}
    assert len(set(from_file(file(tmp_path / "a.jsonl", GOOD, GOOD, named), "CC0").films)) == 3


# ── two sources, and simulated ones ───────────────────────────────────────────────────────────


def test_two_sources_are_taken_by_name(tmp_path: Path) -> None:
    both = {"curves": {n: [k] for k, n in enumerate("abc")}, "candidates": {n: [] for n in "cab"}}
    read = from_file(file(tmp_path / "a.jsonl", GOOD | both | {"moments": [[0, 2]]}), "CC0")
    two = read.of(("c", "a"), ("b",))
    assert (two.channels, two.sources) == (("c", "a"), ("b",))
    assert two.questions[0].curves.tolist() == [[2, 0]]
    assert len(two.questions[0].candidates) == 1
    with pytest.raises(TrainingError, match="no curve 'd', only a, b, c"):
        read.of(("a", "d"), ("a",))
    with pytest.raises(TrainingError, match="no candidates 'd', only c, a, b"):
        read.of(("a",), ("d",))


@pytest.mark.parametrize(
    "name", ["simulated:", "simulated:0", "simulated:-1", "simulated:many", "simulated:²"]
)
def test_a_number_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(TrainingError, match="say simulated:N"):
        simulated(name, 0, simulate, ("a",), ("b",))


def test_more_than_can_be_weighed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="fewer questions"):
        simulated("simulated:999999999", 0, simulate, ("a",), ("b",))
    long = GOOD | {"step": 0.01, "curves": {"a": [0.0] * 20_000}, "moments": []}
    with pytest.raises(TrainingError, match="longer steps"):
        from_file(file(tmp_path / "a.jsonl", long), "CC0")
    windows = datas.QUESTIONS * World().steps[1] * (World().steps[1] + 1) // 2
    assert windows < datas.WINDOWS, "as many as are simulated if nothing is said"


def test_the_same_seed_simulates_the_same(tmp_path: Path) -> None:
    one, same, other = (
        simulated("simulated:5", seed, simulate_sound, ("a", "b"), ("a", "b")) for seed in (1, 1, 2)
    )
    for left, right in zip(one.questions, same.questions, strict=True):
        np.testing.assert_array_equal(left.curves, right.curves)
        assert left.curves.shape[1] == len(left.candidates) == 2
    assert one.about == same.about != other.about
    assert not np.array_equal(one.questions[0].curves, other.questions[0].curves)


def test_sound_makes_clearer_or_misleads() -> None:
    world = World(counts=(0, 1), sound=3.0, alike=0, drift=0, blur=(0, 0))
    clearer = [second > first for first, second in stand_out(simulate_sound, world)]
    assert 0.3 < np.mean(clearer) < 0.7


def test_what_is_dear_is_clearer_than_what_is_free() -> None:
    world = World(counts=(0, 1), alike=0, drift=0, blur=(0, 0), overlooked=0, uneven=(0, 0))
    free, dear = np.array(stand_out(simulate_look, world)).T
    assert free.mean() == pytest.approx(world.faint * dear.mean(), rel=0.3)
    assert (free > 0).mean() > 0.7
    question, _ = simulate_look(world, np.random.default_rng(1))
    assert (question.curves.shape[1], len(question.candidates)) == (2, 1)


def stand_out(made: Simulate, world: World) -> list[tuple[float, float]]:
    """By how much moments stand out in either of two curves, of forty questions at most."""
    dice, found = np.random.default_rng(0), []
    for _ in range(40):
        question, moments = made(world, dice)
        inside = np.zeros(len(question.curves), bool)
        for start, end in moments.astype(int):
            inside[start:end] = True
        if inside.any() and not inside.all():
            apart = question.curves[inside].mean(axis=0) - question.curves[~inside].mean(axis=0)
            found.append((float(apart[0]), float(apart[1])))
    return found
