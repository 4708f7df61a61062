"""Folders that a video-language model cannot be loaded from, and what each is called."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_vision import TEMPLATE, made, picture

from vmr_agent.adapters.published import SAMPLE, SAMPLES, Published
from vmr_agent.adapters.vision import VisionGrounder
from vmr_agent.errors import WeightsError
from vmr_agent.protocols import GroundRequest
from vmr_agent.thresholds import VisionSettings
from vmr_agent.types import Span

FEW = VisionSettings(frames=2)
REQUEST = GroundRequest(
    text="a red car",
    clips=(Span(start=0, end=4),),
    duration=4.0,
    step=0.5,
    channels=(),
    curves=np.zeros((0, 8), np.float32),
    cuts=(),
    candidates=(),
    look=lambda times: [(time, picture((200, 30, 30), 0)) for time in times],
)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made("qwen3_vl", tmp_path_factory.mktemp("sound"))


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "model"))


def config(folder: Path, **change: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))


def weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def cut(folder: Path, left: int) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:left])


def pickled(folder: Path) -> None:
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "no config": (lambda f: (f / "config.json").unlink(), r"no config\.json"),
    "a config that is none": (lambda f: (f / "config.json").write_text("{"), "loaded from"),
    "no tokenizer": (lambda f: (f / "tokenizer_config.json").unlink(), "no tokenizer_config"),
    "pickled weights": (pickled, "pickled weights are not loaded"),
    "another kind": (lambda f: config(f, model_type="llava"), "it is a llava, not one of qwen2_5"),
    "no kind": (lambda f: config(f, model_type=None), "it is a None"),
    "quantized already": (
        lambda f: config(f, quantization_config={"quant_method": "fp8"}),
        "quantized already",
    ),
    "no weights in the file": (lambda f: cut(f, 4), "no safetensors file"),
    "a list that is cut": (lambda f: cut(f, 100), "loaded from"),
    "half the weights": (lambda f: cut(f, 500_000), "loaded from"),
    "a weight too few": (
        lambda f: weights(f, lambda t: t.pop("model.language_model.norm.weight")),
        "lack model.language_model.norm.weight and 0 more",
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_folder_is_refused_by_name(folder: Path, name: str) -> None:
    spoil, reason = SPOILT[name]
    spoil(folder)
    with pytest.raises(WeightsError, match=reason) as caught:
        VisionGrounder(str(folder), settings=FEW).ground(REQUEST)
    assert "VMR_MODELS__GROUNDER" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["no/such-model", "no such folder", "", "../..", "a/b/c"])
def test_what_is_nowhere_is_not_fetched(name: str) -> None:
    with pytest.raises(WeightsError, match=r"neither a folder|it has no config"):
        VisionGrounder(name, settings=FEW).ground(REQUEST)
    with pytest.raises(WeightsError):
        VisionGrounder(name).name  # noqa: B018
    with pytest.raises(WeightsError):
        VisionGrounder(name).check()


def test_weights_that_are_no_numbers_are_found_out(folder: Path) -> None:
    weights(folder, lambda t: t["lm_head.weight"].fill_(float("nan")))
    with pytest.raises(WeightsError, match="no number"):
        VisionGrounder(str(folder), settings=FEW).ground(REQUEST)


def test_a_model_that_thinks_first_is_refused(folder: Path) -> None:
    thinking = TEMPLATE.replace("assistant\n{% endif %}", "assistant\n<think>\n{% endif %}")
    assert thinking != TEMPLATE
    (folder / "chat_template.jinja").write_text(thinking)
    with pytest.raises(WeightsError, match="thinks before it answers"):
        VisionGrounder(str(folder), settings=FEW).ground(REQUEST)


def test_code_that_comes_with_weights_is_not_run(folder: Path) -> None:
    ran = folder / "ran"
    (folder / "mine.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    mine = {"AutoConfig": "mine.Config", "AutoModelForImageTextToText": "mine.Model"}
    config(folder, auto_map=mine)
    assert 0 < VisionGrounder(str(folder), settings=FEW).ground(REQUEST).present < 1
    assert not ran.exists()


def test_its_own_settings_for_writing_do_not_count(folder: Path) -> None:
    """Published ones draw lots and punish repetition, which JSON is full of."""
    honest = VisionGrounder(str(folder), settings=FEW)
    written = {"do_sample": True, "temperature": 9.0, "repetition_penalty": 1.9}
    path = folder / "generation_config.json"

    def answer() -> str:
        shown = honest._shown(REQUEST, REQUEST.clips[0], REQUEST.clips[0])
        inputs = honest._inputs(shown, "ground", length="4.0")
        return honest._answer(inputs)

    before = honest._model.work(answer)
    path.write_text(json.dumps(json.loads(path.read_text()) | written))
    assert honest._model.work(answer) == before


def test_a_name_tells_one_model_from_another(folder: Path, sound: Path) -> None:
    names = [VisionGrounder(str(each)).name for each in (folder, sound)]
    assert len(set(names)) == 2  # of two folders
    mine = Published(str(folder)).name
    assert mine == Published(str(folder)).name
    weights(folder, lambda t: t["lm_head.weight"].mul_(1.001))
    changed = Published(str(folder)).name
    assert changed != mine
    config(folder, use_cache=False)
    assert Published(str(folder)).name != changed
    assert VisionGrounder(str(folder), settings=FEW).name != VisionGrounder(str(folder)).name


def test_a_large_file_is_known_by_pieces_of_it(folder: Path) -> None:
    path = folder / "large.json"
    size = 3 * SAMPLES * SAMPLE
    names = set()
    for place in (None, 0, size - 1):
        content = bytearray(size)
        if place is not None:
            content[place] = 1
        path.write_bytes(content)
        names.add(Published(str(folder)).name)
    assert len(names) == 3


def test_a_model_in_the_hubs_cache_is_found_by_name(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "0" * 40
    home = tmp_path / "hub" / "models--somebody--tiny"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text(commit)
    shutil.copytree(folder, home / "snapshots" / commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    grounder = VisionGrounder("somebody/tiny", settings=FEW)
    assert grounder.name.startswith("somebody/tiny ")
    assert 0 < grounder.ground(REQUEST).present < 1
