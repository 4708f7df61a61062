"""A network on disk: it comes back the same, or is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from vmr_agent.errors import WeightsError
from vmr_agent.grounding.checkpoint import (
    CARD,
    WEIGHTS,
    Card,
    load,
    load_gated,
    load_selector,
    read,
    save,
)
from vmr_agent.grounding.gate import Gated
from vmr_agent.grounding.network import Network, Sizes
from vmr_agent.grounding.selector import Nature, Selector

CHANNELS, SOURCES = ("fused",), ("retrieval",)


def card(**other: object) -> Card:
    known = {
        "channels": CHANNELS,
        "sources": SOURCES,
        "step": None,
        "width": 32,
        "hidden": 64,
        "sharpness": 1.25,
        "data": "simulated",
        "licence": "Apache-2.0",
        "commit": "0000000",
        "seed": 0,
        "metrics": {},
    }
    return Card.model_validate(known | other)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(1)
    save(Network(Sizes(2, 1)), card(), tmp_path / "grounder")
    return tmp_path / "grounder"


def test_it_comes_back_the_same(folder: Path) -> None:
    torch.manual_seed(1)
    made = Network(Sizes(2, 1)).state_dict()
    network, read = load(folder, CHANNELS, SOURCES)
    assert read == card()
    assert all(torch.equal(part, made[name]) for name, part in network.state_dict().items())
    assert sorted(path.name for path in folder.iterdir()) == [CARD, WEIGHTS]


def test_a_gated_network_comes_back_with_its_gate(tmp_path: Path) -> None:
    two = ("picture", "both")
    torch.manual_seed(2)
    made = Gated(Sizes(4, 2))
    save(made, card(kind="audio-gate", channels=two, sources=two), tmp_path)
    gated, told = load_gated(tmp_path, two, two)
    assert (told, gated.training, gated.fixed) == (read(tmp_path), False, None)
    weights = made.state_dict()
    assert all(torch.equal(part, weights[name]) for name, part in gated.state_dict().items())
    with pytest.raises(WeightsError, match=r"kind audio-gate, not ground: .*vmr train ground"):
        load(tmp_path, two, two)


def test_a_selector_comes_back_with_what_it_knows_of_the_dear_curve(tmp_path: Path) -> None:
    curves = ("picture", "speech", "looked at")
    torch.manual_seed(3)
    made = Selector(Sizes(4, 1), Nature(0.8, 0.3))
    save(made, card(kind="selector", channels=curves), tmp_path)
    selector, told = load_selector(tmp_path, curves, SOURCES)
    assert (told, selector.training) == (read(tmp_path), False)
    assert selector.nature.tolist() == pytest.approx([0.8, 0.3])
    weights = made.state_dict()
    assert all(torch.equal(part, weights[name]) for name, part in selector.state_dict().items())
    other = ("looked at", "speech", "picture")
    for asked, sources, named in (
        (other, SOURCES, r"channels \('picture', .*vmr train selector"),
        (curves, ("detector",), "sources"),
    ):
        with pytest.raises(WeightsError, match=f"was trained for {named}"):
            load_selector(tmp_path, asked, sources)
    with pytest.raises(WeightsError, match=r"kind selector, not ground: .*vmr train ground"):
        load(tmp_path, curves, SOURCES)


def test_a_selector_is_wanted_where_there_is_none(folder: Path) -> None:
    with pytest.raises(WeightsError, match=r"kind ground, not selector: .*vmr train selector"):
        load_selector(folder, CHANNELS, SOURCES)
    told = json.loads((folder / CARD).read_text())
    two = (*CHANNELS, "dear")
    (folder / CARD).write_text(json.dumps(told | {"kind": "selector", "channels": two}))
    with pytest.raises(WeightsError, match="other weights"):
        load_selector(folder, two, SOURCES)


def test_a_network_without_a_gate_is_refused_where_one_is_wanted(folder: Path) -> None:
    with pytest.raises(WeightsError, match=r"kind ground, not audio-gate: .*vmr train audio-gate"):
        load_gated(folder, CHANNELS, SOURCES)


def test_a_card_that_calls_itself_gated_is_not_believed(folder: Path) -> None:
    told = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps(told | {"kind": "audio-gate"}))
    with pytest.raises(WeightsError, match="other weights"):
        load_gated(folder, CHANNELS, SOURCES)


@pytest.mark.parametrize(
    ("channels", "sources", "named"),
    [(("picture",), SOURCES, "channels"), (CHANNELS, ("moment_detr",), "sources")],
)
def test_what_was_made_for_something_else_is_refused(
    folder: Path, channels: tuple[str, ...], sources: tuple[str, ...], named: str
) -> None:
    with pytest.raises(WeightsError, match=f"was trained for {named}"):
        load(folder, channels, sources)


def test_another_form_is_refused(folder: Path) -> None:
    told = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps(told | {"form": 99}))
    with pytest.raises(WeightsError, match="form 99"):
        load(folder, CHANNELS, SOURCES)


@pytest.mark.parametrize("text", ["", "{}", "[1]", "not json"])
def test_a_card_that_is_none_is_named(folder: Path, text: str) -> None:
    (folder / CARD).write_text(text)
    with pytest.raises(WeightsError, match="no card"):
        load(folder, CHANNELS, SOURCES)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sharpness", float("nan")),
        ("sharpness", float("inf")),
        ("sharpness", 0),
        ("candidates", 0),
        ("candidates", 10**9),
        ("width", -3),
        ("width", 10**9),
        ("hidden", 0),
        ("step", -1.0),
        ("channels", ["fused", "fused"]),
    ],
)
def test_a_card_with_a_number_that_cannot_be_is_refused(
    folder: Path, field: str, value: object
) -> None:
    told = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps(told | {field: value}))
    with pytest.raises(WeightsError, match=r"is no card of a network"):
        load(folder, CHANNELS, SOURCES)


def test_a_folder_without_a_card_is_no_checkpoint(folder: Path) -> None:
    (folder / CARD).unlink()
    with pytest.raises(WeightsError, match=r"no card\.json"):
        load(folder, CHANNELS, SOURCES)


@pytest.mark.parametrize("size", [0, 10, 2000])
def test_weights_cut_off_are_refused(folder: Path, size: int) -> None:
    whole = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(whole[:size])
    with pytest.raises(WeightsError, match="other weights"):
        load(folder, CHANNELS, SOURCES)


def test_weights_of_another_size_are_refused(folder: Path) -> None:
    save(Network(Sizes(2, 1, width=16)), card(), folder)
    with pytest.raises(WeightsError, match="other weights"):
        load(folder, CHANNELS, SOURCES)


def test_weights_that_are_no_numbers_are_refused(folder: Path) -> None:
    network = Network(Sizes(2, 1))
    with torch.no_grad():
        next(network.parameters())[0] = float("nan")
    save(network, card(), folder)
    with pytest.raises(WeightsError, match="no numbers"):
        load(folder, CHANNELS, SOURCES)
