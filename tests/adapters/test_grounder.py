"""The network as the agent's grounder: right where it learned to be, legal everywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import toy_grounder as toy
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.modules.module import register_module_forward_pre_hook

from vmr_agent.adapters.grounder import ENDS, MOST, End, SmallGrounder, shipped
from vmr_agent.errors import MachineError, WeightsError
from vmr_agent.grounding.checkpoint import CARD, WEIGHTS
from vmr_agent.grounding.network import Network
from vmr_agent.protocols import Array, Bounded, GroundReply, GroundRequest
from vmr_agent.types import Channel, Span


@pytest.fixture(scope="module")
def network() -> Network:
    return toy.trained()


@pytest.fixture(scope="module")
def folder(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy.written(tmp_path_factory.mktemp("grounder"), network)


@pytest.fixture(scope="module")
def grounder(folder: Path) -> SmallGrounder:
    return SmallGrounder(folder)


def asked(
    rows: Mapping[Channel, Array],
    *clips: tuple[float, float],
    step: float = 0.5,
    cuts: tuple[float, ...] = (0.0,),
    candidates: tuple[tuple[float, float, float], ...] = (),
    duration: float | None = None,
) -> GroundRequest:
    curves = np.stack([*rows.values()]) if rows else np.zeros((0, 240), np.float32)
    return GroundRequest(
        text="a cat",
        clips=tuple(Span(start=a, end=b) for a, b in clips),
        duration=duration or curves.shape[1] * step,
        step=step,
        channels=tuple(rows),
        curves=curves,
        cuts=cuts,
        candidates=tuple(Bounded(Span(start=a, end=b), c) for a, b, c in candidates),
        look=lambda _: (),
    )


def curve(*bumps: tuple[float, float], seconds: float = 60, step: float = 0.5) -> Array:
    """Relevance with noise; 0.9 in the bumps."""
    odds = np.random.default_rng(0).normal(-4, 0.5, round(seconds / step))
    for start, end in bumps:
        odds[round(start / step) : round(end / step)] += 6.2
    return (1 / (1 + np.exp(-odds))).astype(np.float32)


def simulated(count: int, seed: int) -> Iterator[tuple[GroundRequest, np.ndarray]]:
    """Films of the toy world as the agent asks about them, and their moments in seconds."""
    for seen in toy.films(count, seed):
        yield seen.request, seen.moments


def iou(window: Bounded, moments: np.ndarray) -> float:
    spans = [Span(start=float(a), end=float(b)) for a, b in moments]
    return max((window.span.iou(true) for true in spans), default=0.0)


def test_it_finds_what_it_learned_to_find(grounder: SmallGrounder) -> None:
    firsts, there, absent, numbers = [], [], [], []
    for request, moments in simulated(80, seed=1):
        reply = grounder.ground(request)
        (there if len(moments) else absent).append(reply.present)
        if len(moments):
            firsts.append(iou(reply.moments[0], moments))
            numbers.append(int(np.argmax(reply.number)) == len(moments))
    assert np.mean(firsts) > 0.65
    assert np.mean(there) > np.mean(absent) + 0.3
    assert np.mean(numbers) > 0.5


def test_its_chances_are_probabilities(grounder: SmallGrounder) -> None:
    """Of those that are about as likely, about so many are right."""
    told, right = [], []
    for request, moments in simulated(80, seed=2):
        if len(moments):
            for window in grounder.ground(request).moments:
                told.append(window.chance)
                right.append(iou(window, moments) >= 0.5)
    bins = np.minimum((np.array(told) * 5).astype(int), 4)
    error = sum(
        abs(np.mean(np.array(told)[bins == n]) - np.mean(np.array(right)[bins == n]))
        * np.mean(bins == n)
        for n in np.unique(bins)
    )
    assert error < 0.12


def test_two_moments_in_two_clips_end_where_the_curve_does(grounder: SmallGrounder) -> None:
    row = curve((10.5, 18), (40, 51.5))
    given_ = ((10.5, 18, 0.9), (40, 51.5, 0.9))
    request = asked({"picture": row}, (6, 22), (36, 56), candidates=given_)
    reply = grounder.ground(request)
    one, other = sorted((each.span for each in reply.moments[:2]), key=lambda span: span.start)
    assert one.iou(Span(start=10.5, end=18)) > 0.85
    assert other.iou(Span(start=40, end=51.5)) > 0.85
    assert reply.present > 0.5
    assert sum(reply.number) == pytest.approx(1, abs=1e-4)
    assert reply.lacking == ""
    assert grounder.ground(request) == reply


def test_an_end_near_a_cut_is_at_the_cut(grounder: SmallGrounder) -> None:
    request = asked(
        {"picture": curve((20, 30))},
        (16, 34),
        cuts=(0.0, 19.8, 30.3, 45),
        candidates=((20, 30, 0.9),),
    )
    (first, *_) = grounder.ground(request).moments
    assert (first.span.start, first.span.end) == (19.8, 30.3)


def test_what_is_done_to_ends_can_be_left_out(folder: Path) -> None:
    clip, cuts, there = (16, 29.3), (0.0, 19.8, 30.3, 45), ((20, 30, 0.9),)
    request = asked({"picture": curve((20, 30))}, clip, cuts=cuts, candidates=there)
    ways: list[tuple[End, ...]] = [ENDS, ("adjusted",), ("refined",), ()]
    both, unmoved, unheld, raw = (SmallGrounder(folder).ending(*ends) for ends in ways)
    first = [each.ground(request).moments[0].span for each in (both, unmoved, unheld, raw)]
    assert (first[0].start, first[0].end) == (19.8, 29.3)
    assert (first[1].start, first[1].end) == (20, 29.3)
    assert (first[2].start, first[2].end) == (19.8, 30.3)
    assert (first[3].start, first[3].end) == (20, 30)
    assert len({each.name for each in (both, unmoved, unheld, raw)}) == 4


def test_a_minute_of_an_hour_is_judged_like_a_minute(grounder: SmallGrounder) -> None:
    """What lies far from all clips counts for nothing, and takes no time."""
    minute = curve((20, 30))
    hour = np.concatenate([minute, np.tile(curve(), 59)])
    found = [
        grounder.ground(asked({"picture": row}, (16, 34), candidates=((20, 30, 0.9),)))
        for row in (minute, hour)
    ]
    assert found[0] == found[1]


def test_the_order_of_channels_and_those_that_say_nothing_change_nothing(
    grounder: SmallGrounder,
) -> None:
    row, silent = curve((20, 30)), np.zeros(120, np.float32)
    found = [
        grounder.ground(asked(rows, (16, 34), candidates=((20, 30, 0.9),)))
        for rows in (
            {"picture": row},
            {"speech": silent, "picture": row},
            {"picture": row, "text": silent},
        )
    ]
    assert found[0] == found[1] == found[2]


def test_without_clips_or_curves_nothing_is_said(grounder: SmallGrounder) -> None:
    nothing = GroundReply((), present=0.0)
    assert grounder.ground(asked({"picture": curve()})) == nothing
    assert grounder.ground(asked({}, (2, 9))) == nothing


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.floats(0, 55), st.floats(0.3, 60)), min_size=1, max_size=4),
    st.lists(st.tuples(st.floats(0, 58), st.floats(0.1, 30), st.floats(0, 1)), max_size=12),
    st.sampled_from([0.2, 0.5, 1.0, 3.0]),
    st.integers(0, 9),
)
def test_any_request_is_answered_within_its_clips(
    grounder: SmallGrounder,
    clips: list[tuple[float, float]],
    candidates: list[tuple[float, float, float]],
    step: float,
    seed: int,
) -> None:
    duration = 59.7
    steps = int(np.ceil(duration / step))
    row = np.random.default_rng(seed).random(steps).astype(np.float32)
    edges, behind = [], 0.0
    for start, length in sorted(clips):
        if start > behind:
            behind = min(duration, start + length)
            edges.append((start, behind))
    rules = tuple((a, min(duration, a + b), c) for a, b, c in candidates)
    request = asked({"picture": row}, *edges, step=step, candidates=rules, duration=duration)
    reply = grounder.ground(request)
    assert 0 <= reply.present <= 1
    assert len(reply.moments) <= MOST
    assert bool(reply.moments) == bool(edges)
    chances = [each.chance for each in reply.moments]
    assert chances == sorted(chances, reverse=True)
    assert all(0 <= each <= 1 for each in chances)
    for each in reply.moments:
        assert any(
            clip.start - 1e-6 <= each.span.start < each.span.end <= clip.end + 1e-6
            for clip in request.clips
        )


def test_its_name_has_its_weights_and_its_card(
    folder: Path, network: Network, tmp_path: Path
) -> None:
    same = toy.written(tmp_path / "same", network)
    other = toy.written(tmp_path / "other", network, sharpness=2.0)
    names = [SmallGrounder(each).name for each in (folder, same, other)]
    assert names[0] == names[1] != names[2]
    assert SmallGrounder(tmp_path / "gone").name == "grounding network without weights"


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"channels": ("fused", "smell")}, r"channels smell, .* there are fused"),
        ({"sources": ("moment_detr",)}, "sources"),
        ({"form": 99}, "form 99"),
        ({"step": 0.1}, r"steps of 0\.1 s, not 0\.5 s: lower VMR_RETRIEVE__STEP"),
        ({"width": 8}, "other weights"),
    ],
)
def test_a_card_that_does_not_fit_is_refused_by_name(
    network: Network, tmp_path: Path, other: dict[str, object], told: str
) -> None:
    folder = toy.written(tmp_path, network, **other)
    with pytest.raises(WeightsError, match=told):
        SmallGrounder(folder).ground(asked({"picture": curve()}, (2, 9)))


def test_broken_files_are_refused(folder: Path, network: Network, tmp_path: Path) -> None:
    request = asked({"picture": curve()}, (2, 9))
    for name, content in ((WEIGHTS, b""), (CARD, b"{}"), (CARD, json.dumps({"form": 1}).encode())):
        broken = toy.written(tmp_path / name, network)
        (broken / name).write_bytes(content)
        with pytest.raises(WeightsError):
            SmallGrounder(broken).ground(request)
    with pytest.raises(WeightsError, match="no checkpoint"):
        SmallGrounder(tmp_path / "gone").ground(request)


def test_steps_that_the_card_asks_for(network: Network, tmp_path: Path) -> None:
    """A second by itself; where the weights are for two, a moment is half as many steps."""
    request = asked({"picture": curve((20, 40))}, (14, 46), candidates=((20, 40, 0.9),))
    for step in (None, 2.0):
        reply = SmallGrounder(toy.written(tmp_path / str(step), network, step=step)).ground(request)
        assert reply.moments[0].span.iou(Span(start=20, end=40)) > 0.9


@pytest.fixture
def no_room() -> Iterator[list[str]]:
    """A card without memory: ``meta`` is a device that torch always has, besides the CPU."""
    refused: list[str] = []

    def refuse(_: object, given: tuple[object, ...]) -> None:
        tensors = [each for each in given if isinstance(each, torch.Tensor)]
        if any(each.device.type == "meta" for each in tensors):
            refused.append("meta")
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    handle = register_module_forward_pre_hook(refuse)
    yield refused
    handle.remove()


def test_a_card_without_memory_gives_way_to_the_cpu(
    folder: Path, grounder: SmallGrounder, no_room: list[str]
) -> None:
    request = asked({"picture": curve((20, 30))}, (16, 34), candidates=((20, 30, 0.9),))
    cramped = SmallGrounder(folder, "meta")
    reply = cramped.ground(request)
    assert "lower VMR_RETRIEVE__TOP_K, or set VMR_MODELS__DEVICE=cpu" in reply.lacking
    assert replace(reply, lacking="") == grounder.ground(request)
    assert cramped.ground(request).lacking == ""
    assert no_room == ["meta"]


def test_a_machine_without_memory_says_what_to_lower(folder: Path) -> None:
    def refuse(*_: object) -> None:
        raise torch.OutOfMemoryError("out of memory")

    handle = register_module_forward_pre_hook(refuse)
    try:
        with pytest.raises(MachineError, match="lower VMR_RETRIEVE__TOP_K"):
            SmallGrounder(folder).ground(asked({"picture": curve()}, (2, 9)))
    finally:
        handle.remove()


def test_what_is_shipped_can_be_loaded() -> None:
    if (there := shipped()) is not None:
        reply = SmallGrounder(there).ground(asked({"picture": curve((20, 30))}, (16, 34)))
        assert reply.moments
