"""The whole agent with a grounder: its boundaries, and the hand rules' where it cannot say any."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
import toy_grounder as toy
from torch import nn

from vmr_agent import Settings, VMRAgent
from vmr_agent.adapters.grounder import SmallGrounder, shipped
from vmr_agent.errors import SettingsError
from vmr_agent.grounding import fusion
from vmr_agent.grounding.checkpoint import CARD, WEIGHTS
from vmr_agent.grounding.network import Network
from vmr_agent.protocols import GroundReply, GroundRequest
from vmr_agent.report import Fault, RunReport
from vmr_agent.testing import TRUTH, colour_toolbox
from vmr_agent.toolbox import Toolbox, build_toolbox

STEP = 0.2
"""Seconds: the colour film's moments last two or three, its curves have ten values in each."""


@pytest.fixture(scope="module")
def network() -> Network:
    return toy.trained()


@pytest.fixture
def folder(network: Network, tmp_path: Path) -> Path:
    return toy.written(tmp_path / "grounder", network, step=STEP)


def with_grounder(home: Path, folder: Path) -> Toolbox:
    return replace(colour_toolbox(home), grounder=SmallGrounder(folder))


def lacking(report: RunReport) -> list[Fault]:
    """What the room had to do without; the film's own want of sound is another matter."""
    return [fault for fault in report.faults if fault.room == "ground"]


def notes(report: RunReport) -> list[str]:
    return [why.note for each in report.moments for why in each.evidence]


def test_its_moments_are_the_answer(colours: Path, folder: Path, tmp_path: Path) -> None:
    report = VMRAgent(toolbox=with_grounder(tmp_path, folder)).run(colours, "the red one")
    assert report.status == "found"
    assert len(report.moments) == 2
    spans = sorted((each.span for each in report.moments), key=lambda each: each.start)
    for found, truth in zip(spans, TRUTH["red"], strict=True):
        assert found.iou(truth) > 0.8
    assert notes(report).count("boundaries from the grounding model") == 2
    assert report.models["grounding"].startswith("grounding network ")
    assert lacking(report) == []


def test_what_is_not_there_is_not_found(colours: Path, folder: Path, tmp_path: Path) -> None:
    report = VMRAgent(toolbox=with_grounder(tmp_path, folder)).run(colours, "purple")
    assert (report.status, report.moments) == ("not_found", ())
    assert lacking(report) == []


def test_artefacts_are_the_same_with_any_grounder(
    colours: Path, folder: Path, tmp_path: Path
) -> None:
    """Whoever changes it need not index anything again."""
    box = with_grounder(tmp_path, folder)
    bare = replace(box, grounder=None)
    assert box._digests == bare._digests
    assert bare.models["grounding"] == "relevance curves"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (CARD, b"{}", "no card"),
        (WEIGHTS, b"", "other weights"),
        (CARD, None, "no checkpoint"),
    ],
)
def test_with_broken_weights_the_hand_rules_answer(
    colours: Path, folder: Path, tmp_path: Path, name: str, content: bytes | None, told: str
) -> None:
    by_hand = VMRAgent(toolbox=colour_toolbox(tmp_path)).run(colours, "red")
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    report = VMRAgent(toolbox=with_grounder(tmp_path, folder)).run(colours, "red")
    assert report.moments == by_hand.moments
    (fault,) = lacking(report)
    assert fault.kind == "weights"
    assert told in fault.message
    assert fault.message.endswith("boundaries are those of the hand rules")


def test_a_card_that_does_not_fit_is_told_once_in_two_rounds(
    colours: Path, network: Network, tmp_path: Path
) -> None:
    folder = toy.written(tmp_path / "grounder", network, channels=("smell",))
    report = VMRAgent(toolbox=with_grounder(tmp_path, folder)).run(colours, "green")
    assert report.rounds == 2
    (fault,) = lacking(report)
    assert fault.kind == "weights"
    assert "channels smell" in fault.message


def test_weights_that_give_no_numbers_are_gone_on_without(
    colours: Path, folder: Path, network: Network, tmp_path: Path
) -> None:
    """They are numbers, too large to be multiplied: no check of the files finds that."""
    huge = deepcopy(network)
    nn.init.constant_(huge.head[-1].weight, 3e38)
    toy.written(folder, huge, step=STEP)
    report = VMRAgent(toolbox=with_grounder(tmp_path, folder)).run(colours, "red")
    assert report.status == "found"
    assert "gives no numbers" in lacking(report)[0].message


class Cramped:
    """A grounder that had to do without something."""

    name = "cramped"

    def __init__(self, grounder: SmallGrounder) -> None:
        self._grounder = grounder

    def ground(self, request: GroundRequest) -> GroundReply:
        return replace(self._grounder.ground(request), lacking="lower VMR_RETRIEVE__TOP_K")


def test_what_it_had_to_do_without_is_in_the_report(
    colours: Path, folder: Path, tmp_path: Path
) -> None:
    box = replace(colour_toolbox(tmp_path), grounder=Cramped(SmallGrounder(folder)))
    report = VMRAgent(toolbox=box).run(colours, "red")
    (fault,) = lacking(report)
    assert (fault.kind, fault.message) == ("memory", "lower VMR_RETRIEVE__TOP_K")
    assert "boundaries from the grounding model" in notes(report)


def test_without_the_room_nobody_is_asked(colours: Path, folder: Path, tmp_path: Path) -> None:
    (folder / CARD).unlink()
    box = with_grounder(tmp_path, folder)
    box = replace(box, settings=box.settings.model_copy(update={"without": ("ground",)}))
    assert lacking(VMRAgent(toolbox=box).run(colours, "red")) == []


class Watching:
    """A grounder that only looks at what it is given."""

    name = "watching"
    request: GroundRequest

    def ground(self, request: GroundRequest) -> GroundReply:
        self.request = request
        self.frames = request.look([clip.middle for clip in request.clips])
        return GroundReply((), present=0.5)


def test_what_a_grounder_is_given(colours: Path, tmp_path: Path) -> None:
    watching = Watching()
    box = replace(colour_toolbox(tmp_path), grounder=watching)
    report = VMRAgent(toolbox=box).run(colours, "the red one")
    request = watching.request
    assert report.status == "found"
    assert request.text == "the red one"
    assert request.channels == ("picture",)
    assert request.curves.shape == (1, 160)
    assert request.step == pytest.approx(0.1)
    assert request.duration == pytest.approx(16, abs=0.1)
    assert request.cuts == pytest.approx((0, 2, 5, 10, 12, 14), abs=0.05)
    starts = [clip.start for clip in request.clips]
    assert starts == sorted(starts)
    assert len(request.candidates) == 2
    assert all(any(c.span.overlap(t) for t in TRUTH["red"]) for c in request.candidates)
    times = [time for time, _ in watching.frames]
    assert times == sorted(set(times))
    assert all(image.shape == (48, 64, 3) for _, image in watching.frames)


def test_the_setting_decides(folder: Path, tmp_path: Path) -> None:
    def built(grounder: str) -> Toolbox:
        return build_toolbox(Settings(home=tmp_path, models={"grounder": grounder}))

    assert built("rules").grounder is None
    assert (built("auto").grounder is None) == (shipped() is None)
    assert built(str(folder)).models["grounding"] == SmallGrounder(folder).name
    with pytest.raises(SettingsError, match="use auto, rules, vision:MODEL, or the folder"):
        built(str(tmp_path / "gone"))


def test_a_large_model_counts_as_much_as_a_file_says(tmp_path: Path) -> None:
    def built(**vision: object) -> Toolbox:
        chosen = {"grounder": f"vision:{tmp_path}"}
        return build_toolbox(Settings(home=tmp_path, models=chosen, vision=vision))

    for name in (
        "config.json",
        "preprocessor_config.json",
        "tokenizer_config.json",
        "w.safetensors",
    ):
        (tmp_path / name).write_text("{}")
    path = tmp_path / "fusion.json"
    fusion.save(fusion.fit([0.2, 0.7, 0.4], [0.1, 0.9, 0.6], [False, True, False], "three"), path)
    assert built().grounder.name != built(fusion=path).grounder.name
    path.write_text("{}")
    with pytest.raises(SettingsError, match=r"vision.fusion: .* is no fusion"):
        built(fusion=path)
