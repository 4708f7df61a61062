"""The tagger on tiny models that are made, taught three sounds, saved and loaded for real.

Their features are random; only the last layer is fitted, by least squares, to sounds that scipy
brought to the models' own rates. So they answer rightly only if the adapter brings them the same.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.signal import resample_poly

from vmr_agent.adapters.sound import Levels
from vmr_agent.adapters.tagger import BACKGROUND, HOP, KNOWN, PROMPT, WINDOW, Tagger, nearby
from vmr_agent.errors import WeightsError
from vmr_agent.protocols import Array
from vmr_agent.sounds import FAMILIES
from vmr_agent.testing import Loudness

RATE, AST_RATE, CLAP_RATE = 16_000, 8_000, 48_000
NOBODY = np.zeros(0, np.float32)  # speaks
TAUGHT = ("beep", "hum", "hiss")
ASKED = [name for family in FAMILIES for name in family]
KINDS = ["ast", "clap"]
Folders = dict[str, Path]


def sound(kinds: str, seconds: float, seed: int = 0) -> Array:
    """A room with something in it: a beep of 1500 Hz, a hum of 750 Hz, hiss; or ``nothing``."""
    random, times = np.random.default_rng(seed), np.arange(round(seconds * RATE)) / RATE
    if kinds == "nothing":
        return np.zeros(len(times), np.float32)
    loud = random.uniform(0.2, 0.4)
    samples = 0.01 * np.sin(2 * np.pi * 100 * times) + random.normal(0, 1e-4, len(times))
    samples += loud * np.sin(2 * np.pi * 1500 * times) if "beep" in kinds else 0
    samples += loud * np.sin(2 * np.pi * 750 * times) if "hum" in kinds else 0
    samples += random.normal(0, loud / 3, len(times)) if "hiss" in kinds else 0
    return np.asarray(samples, np.float32)


def film(*scenes: tuple[str, float]) -> Array:
    return np.concatenate([sound(kind, length, 99 + i) for i, (kind, length) in enumerate(scenes)])


def windows(kinds: list[str], rate: int) -> list[Array]:
    heard = [sound(kind, WINDOW, seed) for seed, kind in enumerate(kinds)]
    return [resample_poly(each, rate // 1000, RATE // 1000).astype(np.float32) for each in heard]


def teach(layer: Any, given: Any, wanted: Any, damping: float = 1e-3) -> None:
    """Make the linear layer answer what is wanted, as nearly as it can."""
    import torch

    known = torch.cat([given, torch.ones(len(given), 1)], dim=1).double()
    damped = known.T @ known + damping * torch.eye(known.shape[1], dtype=torch.double)
    solved = torch.linalg.solve(damped, known.T @ wanted.double()).float()
    layer.weight.data, layer.bias.data = solved[:-1].T.contiguous(), solved[-1]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    made = {"ast": make_ast, "clap": make_clap}
    return {kind: make(tmp_path_factory.mktemp(kind)) for kind, make in made.items()}


def make_ast(folder: Path, lessons: int = 9, **about: Any) -> Path:
    import torch
    from transformers import ASTConfig, ASTFeatureExtractor, ASTForAudioClassification

    torch.manual_seed(0)
    size = {"num_mel_bins": 32, "max_length": 400}
    extract = ASTFeatureExtractor(sampling_rate=AST_RATE, mean=-5.0, std=3.0, **size)
    small = {"num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    strides = {"patch_size": 16, "frequency_stride": 16, "time_stride": 64}
    labels = {"id2label": {i: name.title() for i, name in enumerate(TAUGHT)}, "num_labels": 3}
    about = {"problem_type": "multi_label_classification", "hidden_size": 64, **labels, **about}
    config = ASTConfig(**about, **size, **small, **strides, initializer_range=0.1)
    model = ASTForAudioClassification(config).eval()
    mixed = [" ".join(t for i, t in enumerate(TAUGHT) if k >> i & 1) for k in range(8)] * lessons
    with torch.inference_mode():
        if lessons:
            batch = extract(windows(mixed, AST_RATE), sampling_rate=AST_RATE, return_tensors="pt")
            pooled = model.audio_spectrogram_transformer(**batch).pooler_output
            wanted = torch.tensor([[8.0 * (t in each) - 4 for t in TAUGHT] for each in mixed])
            teach(model.classifier.dense, model.classifier.layernorm(pooled), wanted)
    extract.save_pretrained(folder)
    model.save_pretrained(folder, safe_serialization=True)
    return folder


def make_clap(folder: Path, fusion: bool = False) -> Path:
    """Hears a beep as a beep, hiss as rain, and a room as a quiet room."""
    import torch
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, ClapProcessor

    torch.manual_seed(0)
    extract = ClapFeatureExtractor(
        feature_size=16,
        sampling_rate=CLAP_RATE,
        hop_length=1920,
        fft_window_size=2048,
        truncation="fusion" if fusion else "rand_trunc",
    )
    tokenizer = characters()
    small = {"num_attention_heads": 2, "num_hidden_layers": 1, "projection_dim": 128}
    text = {"vocab_size": len(tokenizer), "hidden_size": 128, "intermediate_size": 64}
    text |= {"max_position_embeddings": 130, "initializer_range": 0.5, **small}
    heard = {"spec_size": 64, "num_mel_bins": 16, "patch_stride": [4, 4], "window_size": 4}
    heard |= {"patch_embeds_hidden_size": 16, "depths": [1, 1], "hidden_size": 32, **small}
    heard |= {"num_attention_heads": [2, 2], "drop_path_rate": 0.0, "enable_fusion": fusion}
    heard |= {"initializer_range": 0.1, "num_hidden_layers": 2}
    config = ClapConfig(text, heard, projection_dim=128, logit_scale_init_value=20.0)
    model = ClapModel(config).eval()
    answers = {"beep": "beep", "hiss": "rain", "": "a quiet room"}
    places = dict(zip(answers.values(), torch.eye(128), strict=False))
    with torch.inference_mode():
        names = [*ASKED, *BACKGROUND]
        tokens = tokenizer([PROMPT.format(n) for n in names], padding=True, return_tensors="pt")
        said = model.text_model(**tokens).pooler_output
        wanted = torch.stack([places.get(name, torch.eye(128)[3]) for name in names])
        head = model.text_projection
        teach(head.linear2, head.activation(head.linear1(said)), wanted, 1e-8)
        kinds = list(answers) * 10
        batch = extract(windows(kinds, CLAP_RATE), sampling_rate=CLAP_RATE, return_tensors="pt")
        batch["is_longer"] = torch.zeros_like(batch["is_longer"])
        head, heard_as = model.audio_projection, model.audio_model(**batch).pooler_output
        wanted = torch.stack([places[answers[kind]] for kind in kinds])
        teach(head.linear2, head.activation(head.linear1(heard_as)), wanted)
    ClapProcessor(extract, tokenizer).save_pretrained(folder)
    model.save_pretrained(folder, safe_serialization=True)
    return folder


def characters() -> Any:
    """A tokenizer that reads letter by letter."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import RobertaTokenizerFast

    marks = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    letters = [*marks, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    vocabulary = {letter: index for index, letter in enumerate(letters)}
    reader = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>"))
    reader.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    reader.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return RobertaTokenizerFast(tokenizer_object=reader)


@pytest.fixture(scope="module")
def taggers(folders: Folders) -> dict[str, Tagger]:
    return {kind: Tagger(Loudness(), str(folder)) for kind, folder in folders.items()}


def column(tagger: Tagger, found: Array, name: str) -> Array:
    return np.asarray(found[:, 2 + tagger.classes.index(name)])


SCENES = (("", 8), ("beep", 8), ("", 8), ("hiss", 8))


@pytest.mark.parametrize(
    ("kind", "name", "where"),
    [
        ("ast", "beep", slice(8, 16)),
        ("ast", "hiss", slice(24, 32)),
        ("clap", "beep", slice(8, 16)),
        ("clap", "rain", slice(24, 32)),
    ],
)
def test_a_sound_is_named_where_it_is(
    taggers: dict[str, Tagger], kind: str, name: str, where: slice
) -> None:
    tagger = taggers[kind]
    heard = column(tagger, tagger.listen(film(*SCENES), RATE, NOBODY), name)
    inside, steady = np.zeros(32, bool), np.ones(32, bool)
    inside[where] = True
    for edge in (8, 16, 24):  # windows over it hear two sounds
        steady[edge - HOP : edge + HOP] = False
    assert heard[steady & inside].min() > 0.8
    assert heard[steady & ~inside].max() < 0.2
    assert 0.3 < heard[where][[0, 1]].mean() < heard[where][HOP + 1]


def test_a_sound_at_another_pitch_is_another_sound(taggers: dict[str, Tagger]) -> None:
    tagger = taggers["ast"]
    found = tagger.listen(film(("hum", 6), ("beep", 6)), RATE, NOBODY)
    assert column(tagger, found, "hum")[:4].min() > 0.8
    assert column(tagger, found, "beep")[:4].max() < 0.2
    assert column(tagger, found, "beep")[-4:].min() > 0.8
    assert column(tagger, found, "hum")[-4:].max() < 0.2


def test_sounds_of_a_classifier_do_not_exclude_each_other(taggers: dict[str, Tagger]) -> None:
    found = taggers["ast"].listen(film(("beep hiss", 6)), RATE, NOBODY)
    assert column(taggers["ast"], found, "beep").min() > 0.8
    assert column(taggers["ast"], found, "hiss").min() > 0.8
    assert column(taggers["ast"], found, "hum").max() < 0.2


def test_classes(taggers: dict[str, Tagger]) -> None:
    assert taggers["ast"].classes == TAUGHT  # lower case, in the model's order
    assert taggers["clap"].classes == tuple(ASKED)
    assert len(set(ASKED)) == len(ASKED) > 50


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_levels_and_probabilities(folders: Folders, kind: str) -> None:
    levels, samples = Levels(), film(("beep", 3.5))
    tagger = Tagger(levels, str(folders[kind]))
    found = tagger.listen(samples, RATE, NOBODY)
    assert found.shape == (4, 2 + len(tagger.classes))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[:, :2], levels.listen(samples, RATE, NOBODY))
    assert ((found[:, 2:] >= 0) & (found[:, 2:] <= 1)).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("seconds", "rows"), [(0, 0), (0.001, 1), (1, 1), (2.25, 3), (5, 5)])
def test_short_sounds(taggers: dict[str, Tagger], kind: str, seconds: float, rows: int) -> None:
    found = taggers[kind].listen(sound("hiss", seconds), RATE, NOBODY)
    assert found.shape == (rows, 2 + len(taggers[kind].classes))
    assert np.isfinite(found).all()


@pytest.mark.parametrize("kind", KINDS)
def test_it_repeats_itself(taggers: dict[str, Tagger], folders: Folders, kind: str) -> None:
    samples = film(("beep", 40))  # several batches
    first = taggers[kind].listen(samples, RATE, NOBODY)
    np.testing.assert_array_equal(taggers[kind].listen(samples, RATE, NOBODY), first)
    again = Tagger(Loudness(), str(folders[kind])).listen(samples, RATE, NOBODY)
    np.testing.assert_array_equal(again, first)


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_differ_only_where_they_are_cut(taggers: dict[str, Tagger], kind: str) -> None:
    samples = film(("beep", 9), ("hiss", 11))
    whole = taggers[kind].listen(samples, RATE, NOBODY)
    pieces = [taggers[kind].listen(part, RATE, NOBODY) for part in np.split(samples, [12 * RATE])]
    apart = np.abs(np.concatenate(pieces) - whole).max(axis=1)
    reach = WINDOW - HOP
    assert apart[: 12 - reach].max() < 1e-3
    assert apart[12 + reach :].max() < 1e-3


def test_what_cannot_be_heard_is_nothing(taggers: dict[str, Tagger]) -> None:
    found = taggers["ast"].listen(film(("beep", 4), ("nothing", 2), ("beep", 4)), RATE, NOBODY)
    assert found[4:6, 2:].max() == 0
    assert column(taggers["ast"], found, "beep")[:2].min() > 0.8
    whisper = film(("beep", 4)) * 1e-4
    assert taggers["ast"].listen(whisper, RATE, NOBODY)[:, 2:].max() == 0


def test_silence_loads_nothing(folders: Folders, tmp_path: Path) -> None:
    folder = shutil.copytree(folders["ast"], tmp_path / "broken")
    (folder / "model.safetensors").write_bytes(b"noise")
    found = Tagger(Levels(), str(folder)).listen(sound("nothing", 5), RATE, NOBODY)
    assert found.tolist() == [[-100, 0, 0, 0, 0]] * 5


def test_clap_weighs_each_class_against_all_that_is_unlike_it(
    folders: Folders, taggers: dict[str, Tagger]
) -> None:
    import torch
    from transformers import ClapModel, ClapProcessor

    (samples,) = windows(["beep hiss"], CLAP_RATE)  # at its own rate: nothing is resampled
    model = ClapModel.from_pretrained(folders["clap"]).eval()
    processor = ClapProcessor.from_pretrained(folders["clap"])
    prompts = [PROMPT.format(name) for name in (*ASKED, *BACKGROUND)]
    words = processor.tokenizer(prompts, padding=True, return_tensors="pt")
    heard = processor.feature_extractor(samples, sampling_rate=CLAP_RATE, return_tensors="pt")
    with torch.inference_mode():
        odds = model(**words, **heard).logits_per_audio[0].exp().numpy()
    found = taggers["clap"].listen(samples, CLAP_RATE, NOBODY)
    by_name = dict(zip(ASKED, odds, strict=False))
    for name in ("beep", "rain", "gunshot"):
        (family,) = (each for each in FAMILIES if name in each)
        alike = sum(by_name[other] for other in family if other != name)
        expected = by_name[name] / (odds.sum() - alike)
        assert column(taggers["clap"], found, name) == pytest.approx([expected] * 4, rel=1e-3)


def test_the_fused_clap_does_not_draw_lots(tmp_path: Path) -> None:
    tagger = Tagger(Loudness(), str(make_clap(tmp_path, fusion=True)))
    samples = film(("", 8), ("beep", 16))
    np.random.seed(1)
    first = tagger.listen(samples, RATE, NOBODY)
    np.random.seed(2)
    np.testing.assert_array_equal(tagger.listen(samples, RATE, NOBODY), first)
    assert column(tagger, first, "beep")[12:].min() > 0.8
    assert column(tagger, first, "beep")[:6].max() < 0.2


@pytest.mark.parametrize(
    ("labels", "problem", "total"),
    [
        (3, "single_label_classification", "one"),
        (3, None, "one"),
        (527, None, "any"),  # AudioSet's models do not say what they are
        (527, "single_label_classification", "one"),
        (1, None, "any"),
    ],
)
def test_only_classes_that_exclude_each_other_share_one_probability(
    tmp_path: Path, labels: int, problem: str | None, total: str
) -> None:
    names = {index: f"class {index}" for index in range(labels)}
    about = {"problem_type": problem, "num_labels": labels, "id2label": names}
    tagger = Tagger(Loudness(), str(make_ast(tmp_path, lessons=0, **about)))
    sums = tagger.listen(sound("beep", 4), RATE, NOBODY)[:, 2:].sum(axis=1)
    assert tagger.classes == tuple(names.values())
    assert (sums == pytest.approx([1] * 4, abs=1e-4)) is (total == "one")


def test_the_name_says_which_weights(folders: Folders, tmp_path: Path) -> None:
    folder = shutil.copytree(folders["ast"], tmp_path / "mine")
    name = Tagger(Levels(), str(folder)).name
    assert name.startswith(f"{Levels.name} + mine ")
    (folder / "README.md").write_text("nothing that matters")
    assert Tagger(Levels(), str(folder)).name == name
    assert Tagger(Loudness(), str(folder)).name != name
    with (folder / "model.safetensors").open("ab") as file:
        file.write(b" ")
    other = Tagger(Levels(), str(folder)).name
    about = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").write_text(json.dumps(about | {"mean": 0.0}))
    assert len({name, other, Tagger(Levels(), str(folder)).name}) == 3


def rewrite(name: str, change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        about = json.loads((folder / name).read_text())
        change(about)
        (folder / name).write_text(json.dumps(about))

    return damage


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def forget_the_classifier(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    file = folder / "model.safetensors"
    kept = {key: value for key, value in load_file(file).items() if "classifier" not in key}
    save_file(kept, file, metadata={"format": "pt"})


def noise(name: str) -> Callable[[Path], None]:
    return lambda folder: bool((folder / name).write_bytes(b"noise")) and None


@pytest.mark.parametrize(
    ("kind", "damage", "reason"),
    [
        ("ast", shutil.rmtree, "neither a folder nor a model in the hub's cache"),
        ("ast", without("model.safetensors"), "no \\*.safetensors"),
        ("ast", without("config.json"), "config.json"),
        ("ast", noise("config.json"), "Expecting value"),
        ("ast", rewrite("config.json", lambda a: a.pop("id2label")), "names no classes"),
        ("ast", rewrite("config.json", lambda a: a.update(id2label=[1])), "names no classes"),
        ("ast", rewrite("config.json", lambda a: a.update(model_type="bert")), "bert"),
        ("ast", rewrite("config.json", lambda a: a.update(hidden_size=32)), "size mismatch"),
        ("ast", without("preprocessor_config.json"), "preprocessor_config.json"),
        ("ast", noise("model.safetensors"), "HeaderTooLarge|header"),
        ("ast", forget_the_classifier, "its weights lack classifier"),
        ("clap", without("preprocessor_config.json"), "preprocessor_config.json"),
        ("clap", without("tokenizer.json"), "no tokenizer.json"),
    ],
)
def test_what_cannot_be_loaded_is_refused_in_one_line(
    folders: Folders, tmp_path: Path, kind: str, damage: Callable[[Path], None], reason: str
) -> None:
    folder = shutil.copytree(folders[kind], tmp_path / "damaged")
    damage(folder)
    with pytest.raises(WeightsError, match=reason) as refusal:
        Tagger(Loudness(), str(folder)).listen(sound("beep", 1), RATE, NOBODY)
    said = str(refusal.value)
    assert said.startswith(f"no sound tagger can be loaded from {folder}: ")
    assert "VMR_MODELS__TAGGER" in said
    assert "\n" not in said


def test_pickled_weights_are_not_opened(folders: Folders, tmp_path: Path) -> None:
    folder, mark = shutil.copytree(folders["ast"], tmp_path / "pickled"), tmp_path / "mark"
    (folder / "model.safetensors").unlink()
    # Opened, this pickle would call open(mark, "w").
    program = f"cbuiltins\nopen\n(V{mark}\nVw\ntR.".encode()
    (folder / "pytorch_model.bin").write_bytes(program)
    with pytest.raises(WeightsError, match="pickled weights are not loaded"):
        Tagger(Loudness(), str(folder)).listen(sound("beep", 1), RATE, NOBODY)
    assert not mark.exists()


def test_a_models_own_code_is_not_run(folders: Folders, tmp_path: Path) -> None:
    folder, mark = shutil.copytree(folders["ast"], tmp_path / "coded"), tmp_path / "mark"
    (folder / "own.py").write_text(f"open({str(mark)!r}, 'w')\nclass Own: pass\n")
    own = {"AutoConfig": "own.Own", "AutoModelForAudioClassification": "own.Own"}
    rewrite("config.json", lambda a: a.update(auto_map=own, model_type="own"))(folder)
    with pytest.raises(WeightsError):
        Tagger(Loudness(), str(folder)).listen(sound("beep", 1), RATE, NOBODY)
    assert not mark.exists()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def put(hub: Path, name: str, folder: Path) -> Path:
    """The folder as the hub's client leaves it in its cache."""
    place, revision = hub / f"models--{name.replace('/', '--')}", "1f" * 20
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(revision)
    return Path(shutil.copytree(folder, place / "snapshots" / revision))


def test_a_known_tagger_in_the_cache_is_found(hub: Path, folders: Folders) -> None:
    assert nearby() is None
    put(hub, "someone/else", folders["ast"])
    assert nearby() is None
    put(hub, KNOWN[2], folders["ast"])
    assert nearby() == KNOWN[2]
    half = put(hub, KNOWN[0], folders["clap"])
    assert nearby() == KNOWN[0]
    (half / "model.safetensors").rename(half / "pytorch_model.bin")
    assert nearby() == KNOWN[2]


@pytest.mark.parametrize("offline", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_in_the_cache_needs_no_network(
    hub: Path, folders: Folders, monkeypatch: pytest.MonkeyPatch, kind: str, offline: bool
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", offline)
    name = {"ast": KNOWN[2], "clap": KNOWN[0]}[kind]
    put(hub, name, folders[kind])
    tagger = Tagger(Levels(), name)
    assert tagger.name.startswith(f"{Levels.name} + {name} ")
    heard = column(tagger, tagger.listen(sound("beep", 6), RATE, NOBODY), "beep")
    assert heard.min() > 0.8


@pytest.mark.parametrize("name", ["someone/no-such-tagger", "no such name", "/no/such/folder"])
def test_what_is_not_in_the_cache_is_refused(hub: Path, name: str) -> None:
    for ask in (
        lambda t: t.name,
        lambda t: t.classes,
        lambda t: t.listen(sound("", 1), RATE, NOBODY),
    ):
        with pytest.raises(WeightsError, match="neither a folder nor a model in the hub's cache"):
            ask(Tagger(Loudness(), name))


def test_it_is_quiet_and_leaves_transformers_as_it_was(
    folders: Folders, capfd: pytest.CaptureFixture[str]
) -> None:
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_info()
    try:
        for folder in folders.values():
            Tagger(Loudness(), str(folder)).listen(sound("beep", 1), RATE, NOBODY)
        assert logging.get_verbosity() == logging.INFO
        out, err = capfd.readouterr()
        assert (out, err) == ("", "")
    finally:
        logging.set_verbosity(level)
