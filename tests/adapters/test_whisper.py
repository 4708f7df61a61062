"""Speech, heard by the real recogniser with the packaged weights."""

import json
import os
import socket
import sys
import warnings
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmr_agent.adapters import whisper
from vmr_agent.adapters.voice import Silero
from vmr_agent.adapters.whisper import RATE, WhisperX, shared_out
from vmr_agent.errors import WeightsError
from vmr_agent.protocols import Array
from vmr_agent.settings import LANGUAGES, TranscribeSettings
from vmr_agent.spoken import FRAME
from vmr_agent.types import Utterance
from vmr_agent.video import sound

FILM = Path(__file__).parents[2] / "evals" / "demo" / "demo_film.mp4"
RECIPE = (31.85, 35.13)  # seconds of the film at which the voice was laid


def said(model: WhisperX, samples: Array) -> tuple[Utterance, ...]:
    """As the rooms have it: the detector first, then the recogniser."""
    return model.transcribe(samples, RATE, Silero().hear(samples))


@pytest.fixture(scope="module")
def light(weights_home: Path) -> WhisperX:
    return WhisperX(weights_home, full=False)


@pytest.fixture(scope="module")
def narration() -> Array:
    """A quarter of the demo film: three sentences and the recipe."""
    return next(iter(sound(FILM)))[1][: 36 * RATE]


@pytest.fixture(scope="module")
def heard(light: WhisperX, narration: Array) -> tuple[Utterance, ...]:
    return said(light, narration)


def seconds(length: float) -> Array:
    return np.arange(int(length * RATE), dtype=np.float32) / RATE


def noises() -> dict[str, Array]:
    source, t = np.random.default_rng(0), seconds(12)
    rolling = np.cumsum(source.normal(0, 1, len(t)))
    chord = sum(np.sin(2 * np.pi * f * t) for f in (220, 277, 330, 440)) / 8
    vibrato = np.cumsum(220 * (1 + 0.03 * np.sin(2 * np.pi * 5.5 * t))) / RATE
    singing = sum(np.sin(2 * np.pi * k * vibrato) / k for k in range(1, 12)) / 3
    beats = source.normal(0, 0.3, len(t)) * np.exp(-20 * (t % 0.5))
    made = {
        "silence": 0 * t,
        "hiss": source.normal(0, 0.1, len(t)),
        "rumble": rolling / np.abs(rolling).max() / 2,
        "chord": chord * np.abs(np.sin(2 * np.pi * 0.9 * t)),
        "vibrato": singing * (0.5 + 0.5 * np.sin(2 * np.pi * 2.5 * t)),
        "drums": beats,
    }
    return {name: np.asarray(samples, np.float32) for name, samples in made.items()}


def test_narration_is_heard_as_sentences(heard: tuple[Utterance, ...]) -> None:
    text = " ".join(utterance.text.lower() for utterance in heard)
    for words in ("only the cat is awake", "a cup of coffee", "brick wall", "two eggs"):
        assert words in text
    assert 4 <= len(heard) <= 6


def test_words_and_sentences_have_times(heard: tuple[Utterance, ...]) -> None:
    (recipe,) = [utterance for utterance in heard if "eggs" in utterance.text]
    assert recipe.span.start == pytest.approx(RECIPE[0], abs=0.35)
    assert recipe.span.end == pytest.approx(RECIPE[1], abs=0.35)
    for utterance in heard:
        assert utterance.timing == "attention"
        assert " ".join(word.text for word in utterance.words) == utterance.text
        spans = [word.span for word in utterance.words]
        assert (spans[0].start, spans[-1].end) == (utterance.span.start, utterance.span.end)
        assert all(a.end <= b.start for a, b in pairwise(spans))


@pytest.mark.parametrize("name", noises())
def test_nobody_speaks_in_noise(weights_home: Path, name: str) -> None:
    fresh = WhisperX(weights_home)
    assert said(fresh, noises()[name]) == ()
    assert "_recogniser" not in vars(fresh), "the recogniser was loaded for nothing"


@pytest.mark.parametrize(
    "name",
    [n if n in ("hiss", "chord") else pytest.param(n, marks=pytest.mark.slow) for n in noises()],
)
def test_what_whisper_makes_up_over_noise_is_dropped_even_without_the_detector(
    light: WhisperX, name: str
) -> None:
    taken_for_speech = np.ones(len(noises()[name]) // FRAME, np.float32)
    assert light.transcribe(noises()[name], RATE, taken_for_speech) == ()


@pytest.mark.parametrize("length", [0, 1, 500, RATE // 4])
def test_next_to_no_sound_gives_nothing(light: WhisperX, length: int) -> None:
    assert said(light, np.zeros(length, np.float32)) == ()


def test_speech_between_noises_keeps_its_place(light: WhisperX, narration: Array) -> None:
    recipe = narration[31 * RATE : 36 * RATE]
    found = said(light, np.concatenate([noises()["hiss"], recipe, noises()["chord"]]))
    (only,) = found
    assert "eggs" in only.text
    assert only.span.start == pytest.approx(12 + RECIPE[0] - 31, abs=0.4)


def test_the_gates_are_the_settings(weights_home: Path, narration: Array) -> None:
    strict = TranscribeSettings(min_logprob=0.0)
    recipe = narration[31 * RATE : 36 * RATE]
    assert said(WhisperX(weights_home, settings=strict, full=False), recipe) == ()


def test_the_languages_to_choose_from_are_whispers_own() -> None:
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    assert set(_LANGUAGE_CODES) == LANGUAGES


def test_a_language_wrongly_guessed_is_recognised_again(
    weights_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the language is found out, the one heard last is tried: only time may depend on it."""
    hears = WhisperX(weights_home, language=None, full=False)
    told, tried = iter(["en", "en", "de", "de"]), []
    monkeypatch.setattr(hears, "_tell", lambda *_: next(told))

    def recognised(language: str, *_: Any) -> list[Any]:
        tried.append(language)
        return [language]

    monkeypatch.setattr(hears, "_in", recognised)
    found = [hears._recognise(np.zeros(RATE, np.float32), [(0.0, 1.0)]) for _ in range(4)]
    assert found == [([language], language) for language in ("en", "en", "de", "de")]
    assert tried == ["en", "en", "en", "de", "de"]


@given(st.integers(0, 60), st.integers(1, 8), st.integers(1, 16))
def test_windows_are_shared_out_evenly(count: int, most: int, hands: int) -> None:
    windows = [(float(n), n + 1.0) for n in range(count)]
    batches = shared_out(windows, most, hands)
    assert [window for batch in batches for window in batch] == windows
    sizes = [len(batch) for batch in batches]
    assert max(sizes, default=0) <= most
    assert max(sizes, default=0) - min(sizes, default=0) <= 1
    if count >= hands * -(-count // (most * hands)):
        assert len(batches) % hands == 0, "every hand has as many"


def test_another_rate_is_refused(light: WhisperX) -> None:
    with pytest.raises(ValueError, match="16000 samples per second, got 44100"):
        light.transcribe(np.zeros(100, np.float32), 44_100, np.zeros(1, np.float32))


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path, narration: Array) -> None:
    with pytest.raises(WeightsError, match=r"VMR_MODELS__WHISPER"):
        said(WhisperX(tmp_path, str(tmp_path), full=False), narration)


def test_nothing_is_fetched_or_said_and_torch_stays_out(
    weights_home: Path, narration: Array, capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def refuse(*args: object) -> None:
        raise AssertionError("network")

    before = set(sys.modules)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = WhisperX(weights_home, full=False)
        assert said(model, narration[31 * RATE :])
    assert capfd.readouterr() == ("", "")
    assert not {"torch", "whisperx"} & (set(sys.modules) - before)
    assert model.name == "whisper-base (packaged, int8)"


@pytest.fixture
def aligner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A tiny wav2vec2 with random weights, laid where whisperx looks for the English one."""
    import torch
    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2CTCTokenizer,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForCTC,
        Wav2Vec2Processor,
    )

    letters = ["<pad>", "<s>", "</s>", "<unk>", "|", *"abcdefghijklmnopqrstuvwxyz'"]
    folder = tmp_path / "aligner"
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps({c: i for i, c in enumerate(letters)}))
    torch.manual_seed(0)
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    conv = {"conv_dim": [16] * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4}
    config = Wav2Vec2Config(vocab_size=len(letters), intermediate_size=16, **size, **conv)
    Wav2Vec2ForCTC(config).save_pretrained(folder)
    tokenizer = Wav2Vec2CTCTokenizer(str(folder / "vocab.json"))
    Wav2Vec2Processor(Wav2Vec2FeatureExtractor(), tokenizer).save_pretrained(folder)
    punkt = tmp_path / "nltk" / "tokenizers" / "punkt_tab" / "english"
    punkt.mkdir(parents=True)
    for name in ("collocations.tab", "sent_starters.txt", "abbrev_types.txt", "ortho_context.tab"):
        (punkt / name).touch()
    with whisper._quiet():
        import nltk
        from whisperx import alignment
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path / "nltk")])
    monkeypatch.delitem(alignment.DEFAULT_ALIGN_MODELS_TORCH, "en")
    monkeypatch.setitem(alignment.DEFAULT_ALIGN_MODELS_HF, "en", str(folder))
    yield folder
    nltk.data.clear_cache()


@pytest.mark.slow
def test_whisperx_in_full_hears_the_same_and_aligns(
    weights_home: Path, narration: Array, aligner: Path, heard: tuple[Utterance, ...],
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    capfd.readouterr()
    full = WhisperX(weights_home, full=True)
    found = said(full, narration)
    assert capfd.readouterr() == ("", "")
    assert full.name == "whisper-base (packaged, int8, aligning)"
    assert {utterance.timing for utterance in found} == {"aligned"}
    text = " ".join(utterance.text for utterance in found)
    assert text == " ".join(utterance.text for utterance in heard)


def test_without_an_aligner_whisperx_in_full_falls_back(
    weights_home: Path, narration: Array, heard: tuple[Utterance, ...], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    full = WhisperX(weights_home, full=True)
    assert said(full, narration) == heard


def test_an_aligner_is_looked_for_without_importing_anything(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    assert not whisper._aligner_nearby()
    (tmp_path / "hub" / "models--someone--wav2vec2-large-xlsr-53-dutch").mkdir(parents=True)
    assert whisper._aligner_nearby()


CLIPS = os.environ.get("VMR_CLIPS")
EXPECTED: dict[str, Any] = {
    "jfk.flac": "ask what you can do for your country",
    "nasa_telescope.mp4": "space telescope",
    "drummer.mp4": None,
    "dog_barking.mp4": None,
}


@pytest.mark.skipif(not CLIPS, reason="REAL SPEECH NOT TESTED: set VMR_CLIPS to a folder of clips")
@pytest.mark.parametrize("clip", EXPECTED)
def test_real_recordings(light: WhisperX, clip: str) -> None:
    found = said(light, next(iter(sound(Path(CLIPS or "") / clip)))[1])
    if EXPECTED[clip] is None:
        assert found == ()
    else:
        assert EXPECTED[clip] in " ".join(utterance.text.lower() for utterance in found)
