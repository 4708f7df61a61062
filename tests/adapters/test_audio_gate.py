"""The gate as the agent asks it: right where it learned to be, a number everywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import toy_gate as toy
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook

from evals import hearing
from vmr_agent.adapters.gate import MOST, AudioGate, question, shipped
from vmr_agent.errors import MachineError, WeightsError
from vmr_agent.grounding.checkpoint import CARD, WEIGHTS
from vmr_agent.grounding.gate import Gated
from vmr_agent.protocols import Bounded, GateRequest
from vmr_agent.types import Span


@pytest.fixture(scope="module")
def gated() -> Gated:
    return toy.trained()


@pytest.fixture(scope="module")
def folder(gated: Gated, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy.written(tmp_path_factory.mktemp("gate"), gated)


@pytest.fixture
def request_() -> GateRequest:
    made = hearing.request(next(toy.films(1, seed=3)))
    assert made is not None
    return made


def test_it_hears_which_side_is_right(folder: Path) -> None:
    gate, told = AudioGate(folder), dict[str, list[float]]()
    for made in toy.films(120, seed=1):
        request = hearing.request(made)
        assert request is not None
        told.setdefault(made.right, []).append(gate.importance(request))
    assert np.mean(told["heard"]) > np.mean(told["seen"]) + 0.1
    assert all(0 <= each <= 1 for some in told.values() for each in some)


def test_the_same_question_has_the_same_answer(folder: Path, request_: GateRequest) -> None:
    gate = AudioGate(folder)
    assert gate.importance(request_) == AudioGate(folder).importance(request_)


def test_an_hour_has_no_more_steps_than_it_may() -> None:
    hour = np.linspace(0.1, 0.4, 7201, dtype=np.float32)
    at = (Bounded(Span(start=3590, end=3600.5), 0.4),)
    seen = question(GateRequest(0.5, hour, 0 * hour, at, at))
    assert 0.8 * MOST < len(seen.curves) <= MOST
    assert seen.candidates[0][0, 1] == pytest.approx(3600.5 / 4)
    assert (seen.curves[:, 1] == 0).all()
    assert (np.diff(seen.curves[:, 0]) > 0).all()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [(CARD, b"{}", "no card"), (WEIGHTS, b"", "other weights"), (CARD, None, "no checkpoint")],
)
def test_broken_files_are_named(
    gated: Gated, request_: GateRequest, tmp_path: Path, name: str, content: bytes | None, told: str
) -> None:
    folder = toy.written(tmp_path / "gate", gated)
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(WeightsError, match=told):
        AudioGate(folder).importance(request_)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"kind": "ground"}, "trained for kind ground, not audio-gate"),
        ({"channels": ("a", "b")}, r"channels \('a', 'b'\), not \('seen', 'heard'\)"),
        ({"sources": ("heard", "seen")}, "trained for sources"),
        ({"step": 0.1}, "steps of 0.1 s, not 0.5 s: lower VMR_RETRIEVE__STEP"),
    ],
)
def test_weights_for_something_else_are_refused_by_name(
    gated: Gated, request_: GateRequest, tmp_path: Path, other: dict[str, object], told: str
) -> None:
    with pytest.raises(WeightsError, match=told):
        AudioGate(toy.written(tmp_path, gated, **other)).importance(request_)


def test_weights_that_give_no_numbers_are_refused(
    gated: Gated, request_: GateRequest, tmp_path: Path
) -> None:
    """They are numbers, too large to be multiplied: no check of the files finds that."""
    huge = deepcopy(gated)
    for part in huge.network.trunk.parameters():
        nn.init.constant_(part, 3e38)
    with pytest.raises(WeightsError, match="gives no numbers"):
        AudioGate(toy.written(tmp_path, huge)).importance(request_)


@pytest.fixture
def no_memory() -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise torch.OutOfMemoryError("out of memory")

    handle = register_module_forward_pre_hook(refuse)
    yield
    handle.remove()


@pytest.mark.usefixtures("no_memory")
def test_a_machine_without_memory_says_what_to_set(folder: Path, request_: GateRequest) -> None:
    with pytest.raises(MachineError, match="set VMR_MODELS__GATE=off"):
        AudioGate(folder).importance(request_)


def test_its_name_changes_with_its_files(gated: Gated, folder: Path, tmp_path: Path) -> None:
    other = toy.written(tmp_path, gated, seed=1)
    assert AudioGate(folder).name != AudioGate(other).name
    assert AudioGate(tmp_path / "gone").name == "audio gate without weights"


def test_what_is_shipped_can_be_loaded(request_: GateRequest) -> None:
    if (there := shipped()) is not None:
        assert 0 <= AudioGate(there).importance(request_) <= 1
        assert json.loads((there / CARD).read_text())["kind"] == "audio-gate"
        silent = replace(request_, heard=0 * request_.heard, heard_at=())
        assert np.isfinite(AudioGate(there).importance(silent))
