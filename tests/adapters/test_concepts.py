"""The packaged picture encoder with its real weights, on frames of the demo film."""

from pathlib import Path

import numpy as np
import pytest

from vmr_agent.adapters import weights
from vmr_agent.adapters.concepts import Concepts
from vmr_agent.adapters.sentences import MiniLM
from vmr_agent.errors import WeightsError
from vmr_agent.library import Shelf
from vmr_agent.protocols import Array, Image
from vmr_agent.video import Picture

SCENES = {"cat": 8.0, "coffee": 18.0, "photographer": 48.0, "rocket": 88.0}  # seconds
QUESTIONS = {
    "a cat looking around": "cat",
    "a sleepy pet": "cat",
    "a cup of coffee on a wooden table": "coffee",
    "an espresso": "coffee",
    "a photographer with a camera on a tripod": "photographer",
    "a rocket on the launch pad": "rocket",
    "a spacecraft before its launch": "rocket",
}
ABSENT = ("people dancing at a wedding", "a train arriving at a station", "a bowl of spaghetti")


@pytest.fixture(scope="module")
def frames(demo_film: Path) -> list[Image]:
    found: list[Image] = []
    times = list(SCENES.values())
    with Picture(demo_film) as picture:
        for frame in picture.frames():
            if frame.time >= times[len(found)]:
                found.append(frame.rgb(short_side=Concepts.size))
            if len(found) == len(times):
                return found
    raise AssertionError("the demo film is too short")


@pytest.fixture(scope="module")
def concepts(new_home: Path) -> Concepts:
    return Concepts(Shelf(new_home), MiniLM(new_home), "cpu")


@pytest.fixture(scope="module")
def vectors(concepts: Concepts, frames: list[Image]) -> Array:
    return concepts.look(frames)


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_right_scene_is_the_most_relevant(
    concepts: Concepts, vectors: Array, question: str
) -> None:
    relevance = concepts.relevance(vectors, [question])
    assert relevance.shape == (len(SCENES),)
    right = list(SCENES).index(QUESTIONS[question])
    others = np.delete(relevance, right)
    assert relevance[right] > others.max() + 0.1
    assert relevance[right] > 0.4


@pytest.mark.parametrize("question", ABSENT)
def test_what_is_in_no_scene_is_less_relevant_than_what_is(
    concepts: Concepts, vectors: Array, question: str
) -> None:
    weakest = min(concepts.relevance(vectors, [each]).max() for each in QUESTIONS)
    assert concepts.relevance(vectors, [question]).max() < weakest


def test_vectors_are_unit_float32_rows(concepts: Concepts, vectors: Array) -> None:
    assert vectors.shape == (4, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.linalg.norm(concepts.place("a cat")) == pytest.approx(1, abs=1e-5)


def test_a_vector_depends_on_neither_batch_nor_run(
    concepts: Concepts, frames: list[Image], vectors: Array
) -> None:
    alone = np.concatenate([concepts.look([frame]) for frame in frames])
    np.testing.assert_allclose(alone, vectors, atol=1e-5)
    np.testing.assert_array_equal(concepts.look(frames), vectors)


def test_pictures_of_any_shape_are_looked_at(concepts: Concepts, frames: list[Image]) -> None:
    small, tall = frames[0][::4, ::4], np.ascontiguousarray(frames[0][:, 150:250])
    rows = concepts.look([frames[0], small, tall])
    assert rows.shape == (3, 384)
    assert rows[0] @ rows[1] > 0.5


def test_paraphrases_and_order_of_texts(concepts: Concepts, vectors: Array) -> None:
    one = concepts.relevance(vectors, ["a cat", "a kitten"])
    np.testing.assert_allclose(concepts.relevance(vectors, ["a kitten", "a cat"]), one, atol=1e-6)
    assert ((one >= 0) & (one < 1)).all()


def test_descriptions_name_what_is_there(concepts: Concepts, vectors: Array) -> None:
    said = {
        scene: " ".join(concepts.describe(vector[None], 3))
        for scene, vector in zip(SCENES, vectors, strict=True)
    }
    assert "cat" in said["cat"]
    assert "espresso" in said["coffee"]
    assert "tripod" in said["photographer"]
    assert "missile" in said["rocket"]
    assert len(concepts.describe(vectors, 5)) == 5
    assert concepts.describe(vectors[:0], 5) == ()


def test_the_vocabulary_is_learned_once(
    concepts: Concepts, vectors: Array, new_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Concepts, "_learn_names", None)
    again = Concepts(Shelf(new_home), MiniLM(new_home), "cpu")
    assert again.describe(vectors[:1], 1) == concepts.describe(vectors[:1], 1)


def test_weights_that_are_not_the_recorded_ones_are_refused_by_name(
    new_home: Path, frames: list[Image], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytearray(weights.find("efficientnet-lite2").read_bytes())
    data[len(data) // 2] ^= 1
    tampered = tmp_path / "efficientnet-lite2-9656183e.pth"
    tampered.write_bytes(data)
    monkeypatch.setattr(weights, "_where", lambda weight: tampered)
    with pytest.raises(WeightsError, match=r"efficientnet-lite2-9656183e\.pth is not .*reinstall"):
        Concepts(Shelf(tmp_path), MiniLM(new_home), "cpu").look(frames[:1])
