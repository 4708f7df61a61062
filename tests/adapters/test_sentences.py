"""Sentence vectors from the real packaged model."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vmr_agent.adapters.sentences import SIZE, MiniLM


@pytest.fixture(scope="module")
def minilm(weights_home: Path) -> MiniLM:
    return MiniLM(weights_home)


def test_vectors_are_unit_float32_rows(minilm: MiniLM) -> None:
    vectors = minilm.embed(["a dog barks", "", "Ein Hund bellt.", "🥁"])
    assert vectors.shape == (4, SIZE)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_the_vectors_are_those_of_the_published_model(minilm: MiniLM) -> None:
    # First values of torch's own all-MiniLM-L6-v2 for this sentence, mean pooled.
    expected = [0.0571731, -0.0261908, 0.0123331, -0.0838717, -0.1005149, 0.0518718]
    np.testing.assert_allclose(minilm.embed(["a man plays a drum kit"])[0, :6], expected, atol=1e-5)


def test_near_meanings_are_near(minilm: MiniLM) -> None:
    dog, hound, tax = minilm.embed(["a dog barks", "the hound is barking", "he filed his taxes"])
    assert dog @ hound > 0.7 > 0.2 > dog @ tax


def test_a_vector_does_not_depend_on_its_batch(minilm: MiniLM) -> None:
    texts = [f"{'very ' * (i % 30)}long sentence number {i}" for i in range(150)]
    together = minilm.embed(texts)
    alone = np.concatenate([minilm.embed([texts[i]]) for i in (0, 29, 77, 149)])
    np.testing.assert_allclose(together[[0, 29, 77, 149]], alone, atol=1e-5)


def test_only_the_first_256_tokens_count(minilm: MiniLM) -> None:
    same, longer = minilm.embed(["word " * 400, "word " * 400 + "and much more"])
    np.testing.assert_array_equal(same, longer)


def test_nothing_gives_no_rows(minilm: MiniLM) -> None:
    assert minilm.embed([]).shape == (0, SIZE)


def test_embedding_loads_neither_torch_nor_transformers(minilm: MiniLM, weights_home: Path) -> None:
    minilm.embed(["unpack first"])
    code = (
        "import sys; from pathlib import Path; from vmr_agent.adapters.sentences import MiniLM;"
        f"MiniLM(Path({str(weights_home)!r})).embed(['a']);"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
