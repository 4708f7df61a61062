"""The image-text adapter on a tiny model with random weights, made, saved and loaded for real."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vmr_agent.adapters.clip import BACKGROUND, OpenClip
from vmr_agent.errors import WeightsError

NAME = "vmr-tiny"
CONFIG = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}
TRAINED = {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "resize_mode": "squash"}


@pytest.fixture(scope="module")
def open_clip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    import open_clip
    from open_clip import factory

    path = tmp_path_factory.mktemp("config") / f"{NAME}.json"
    path.write_text(json.dumps(CONFIG))
    open_clip.add_model_config(path)
    yield open_clip
    factory._MODEL_CONFIG_PATHS.remove(path)
    factory._MODEL_CONFIGS.pop(NAME)


@pytest.fixture(scope="module")
def saved(open_clip: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_file(open_clip.create_model(NAME).state_dict(), path)
    return path


@pytest.fixture(scope="module")
def clip(saved: Path) -> OpenClip:
    return OpenClip(NAME, str(saved))


def pictures(count: int) -> list[NDArray[np.uint8]]:
    source = np.random.default_rng(0)
    shapes = [(40 + 7 * i % 60, 90 - 5 * i % 40, 3) for i in range(count)]
    return [source.integers(0, 255, shape, np.uint8) for shape in shapes]


def test_vectors_are_unit_and_repeat(clip: OpenClip, saved: Path) -> None:
    vectors = clip.look(pictures(3))
    assert vectors.shape == (3, 32)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(OpenClip(NAME, str(saved)).look(pictures(3)), vectors)
    assert np.linalg.norm(clip.place("a dog")) == pytest.approx(1, abs=1e-5)


def test_a_vector_does_not_depend_on_its_batch(clip: OpenClip) -> None:
    together = clip.look(pictures(70))
    alone = np.concatenate([clip.look([image]) for image in pictures(70)[::23]])
    np.testing.assert_allclose(together[::23], alone, atol=1e-5)


def test_it_is_what_open_clip_itself_computes(clip: OpenClip, saved: Path, open_clip: Any) -> None:
    import torch
    from PIL import Image

    model, _, preprocess = open_clip.create_model_and_transforms(NAME, str(saved))
    batch = torch.stack([preprocess(Image.fromarray(image)) for image in pictures(2)])
    with torch.inference_mode():
        expected = model.eval().encode_image(batch, normalize=True).numpy()
        words = model.encode_text(open_clip.get_tokenizer(NAME)(["a dog"]), normalize=True).numpy()
    np.testing.assert_allclose(clip.look(pictures(2)), expected, atol=1e-5)
    np.testing.assert_allclose(clip.place("a dog"), words[0], atol=1e-5)


def test_the_configuration_beside_the_file_decides_the_preprocessing(
    clip: OpenClip, saved: Path, tmp_path: Path, open_clip: Any
) -> None:
    import torch
    from PIL import Image

    copy = tmp_path / saved.name
    copy.write_bytes(saved.read_bytes())
    about = {"model_cfg": CONFIG, "preprocess_cfg": TRAINED}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(about))
    other = OpenClip(NAME, str(copy))
    vectors = other.look(pictures(2))
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{tmp_path}")
    batch = torch.stack([preprocess(Image.fromarray(image)) for image in pictures(2)])
    with torch.inference_mode():
        expected = model.eval().encode_image(batch, normalize=True).numpy()
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    assert np.abs(vectors - clip.look(pictures(2))).max() > 1e-3
    assert other.name != clip.name


def test_a_bare_file_is_refused_where_published_weights_disagree(saved: Path) -> None:
    with pytest.raises(WeightsError, match=r"differ in preprocessing.*open_clip_config\.json"):
        OpenClip("ViT-L-14", str(saved)).look(pictures(1))


def test_relevance_is_a_probability_and_the_best_text_counts(clip: OpenClip) -> None:
    vectors = clip.look(pictures(5))
    dog, tax = clip.relevance(vectors, ["a dog"]), clip.relevance(vectors, ["tax forms"])
    assert dog.shape == (5,)
    assert ((dog >= 0) & (dog <= 1)).all()
    both = clip.relevance(vectors, ["a dog", "tax forms"])
    np.testing.assert_allclose(both, np.maximum(dog, tax), atol=1e-6)
    assert clip.relevance(vectors, []).tolist() == [0] * 5
    assert clip.relevance(vectors[:0], ["a dog"]).shape == (0,)


def test_what_shows_the_text_exactly_is_relevant(clip: OpenClip) -> None:
    vectors = np.stack([clip.place("a zeppelin lands"), clip.place(BACKGROUND[20])])
    relevance = clip.relevance(vectors, ["a zeppelin lands"])
    assert relevance[0] > relevance[1]


def test_a_background_that_names_the_asked_for_thing_is_no_rival(
    clip: OpenClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "a photo of a dog" in BACKGROUND
    monkeypatch.setitem(vars(clip), "_scale", 100.0)  # the published models' temperature
    vectors = clip.place("a photo of a dog")[None]
    # Were the prompt its own rival, this could not be more than a half.
    assert clip.relevance(vectors, ["a photo of a dog"])[0] > 0.5


def test_pictures_are_described_by_what_is_nearest(clip: OpenClip) -> None:
    cat, dog = clip.place("a photo of a cat"), clip.place("a photo of a dog")
    assert clip.describe(np.stack([cat, cat, dog]), 2)[0] == "a cat"
    assert clip.describe(dog[None], 1) == ("a dog",)
    everything = clip.describe(dog[None], 999)
    assert len(set(everything)) == len(everything) == len(BACKGROUND)
    assert not any(name.startswith("a photo of") for name in everything)
    assert clip.describe(cat[None][:0], 3) == ()


def test_long_texts_are_cut_not_refused(clip: OpenClip) -> None:
    long = "a very long question " * 60
    np.testing.assert_array_equal(clip.place(long), clip.place(long + "about dogs"))


def test_no_pictures_give_no_rows(clip: OpenClip) -> None:
    assert clip.look([]).shape == (0, 32)


def test_name_and_size(clip: OpenClip, saved: Path, tmp_path: Path) -> None:
    assert clip.size == 32
    assert clip.name.startswith(f"open_clip {NAME}:")
    other = tmp_path / "other.safetensors"
    other.write_bytes(saved.read_bytes() + b" ")
    assert OpenClip(NAME, str(other)).name != clip.name
    assert OpenClip("ViT-B-32", "openai").name == "open_clip ViT-B-32:openai"


@pytest.mark.parametrize(
    ("architecture", "source"),
    [
        (NAME, "no-such-file.safetensors"),
        (NAME, "noise.safetensors"),
        (NAME, "noise.pt"),
        (NAME, "other.safetensors"),
        ("no-such-architecture", "other.safetensors"),
    ],
)
def test_what_cannot_be_loaded_is_refused_by_name(
    open_clip: Any, tmp_path: Path, architecture: str, source: str
) -> None:
    import torch
    from safetensors.torch import save_file

    (tmp_path / "noise.safetensors").write_bytes(b"noise")
    (tmp_path / "noise.pt").write_bytes(b"noise")
    save_file({"logit_scale": torch.ones(3)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match=f"{source} as {architecture}"):
        OpenClip(architecture, str(tmp_path / source)).look(pictures(1))


def test_a_tag_that_is_not_in_the_cache_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match=r"laion2b_s34b_b79k as ViT-B-32"):
        OpenClip("ViT-B-32", "laion2b_s34b_b79k").look(pictures(1))


def test_the_root_logger_stays_the_users(
    saved: Path, open_clip: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without handlers, as in a user's script, logging.info would install one.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    OpenClip(NAME, str(saved)).look(pictures(1))
    assert logging.getLogger().handlers == []
