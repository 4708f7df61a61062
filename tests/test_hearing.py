"""The whole agent with a gate, on a film in which red is shown once and spoken of elsewhere."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import media
import numpy as np
import pytest
import toy_gate as toy
from shelved import say

from vmr_agent import Settings, VMRAgent
from vmr_agent.adapters.gate import AudioGate, shipped
from vmr_agent.errors import SettingsError
from vmr_agent.grounding.checkpoint import CARD
from vmr_agent.protocols import Array, Gate, GateRequest
from vmr_agent.report import Fault, RunReport
from vmr_agent.show import sentence
from vmr_agent.testing import colour_toolbox
from vmr_agent.toolbox import Toolbox, build_toolbox
from vmr_agent.types import Utterance

SHOWN, SPOKEN = (0.0, 2.0), (6.0, 6.5)
"""Seconds in which red is to be seen, and to be heard of."""


class Speaker:
    """Hears of red, six seconds into any sound."""

    name = "speaker"

    def transcribe(self, samples: Array, rate: int, voice: Array) -> tuple[Utterance, ...]:
        return (say(2.0, "bla bla bla"), say(6.0, "red"))


class Fixed:
    """A gate that says the same of all questions, and remembers what it was asked."""

    def __init__(self, importance: float) -> None:
        self.name, self._importance = f"always {importance}", importance
        self.asked: list[GateRequest] = []

    def importance(self, request: GateRequest) -> float:
        self.asked.append(request)
        return self._importance


@pytest.fixture(scope="module")
def talkie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds: red, green, blue, yellow, and a beep."""
    folder = tmp_path_factory.mktemp("film")
    sound = [(0.0, media.humming(8.0, 1.0))]
    return media.film(folder / "film.mp4", frames=200, cuts=(50, 100, 150), sound=sound)


def with_gate(home: Path, gate: Gate | None) -> Toolbox:
    return replace(colour_toolbox(home), transcriber=Speaker(), gate=gate)


def answer(home: Path, film: Path, gate: Gate | None, question: str = "red") -> RunReport:
    return VMRAgent(toolbox=with_gate(home, gate)).run(film, question)


def found(report: RunReport) -> set[str]:
    """Which of the two places are in the answer."""
    shown = any(m.span.start < SHOWN[1] for m in report.moments)
    spoken = any(m.span.end > SPOKEN[0] for m in report.moments)
    return {*(["shown"] if shown else []), *(["spoken"] if spoken else [])}


def lacking(report: RunReport) -> list[Fault]:
    return [fault for fault in report.faults if fault.room == "retrieve"]


@pytest.mark.parametrize(
    ("gate", "places"),
    [
        (None, {"shown", "spoken"}),
        (Fixed(0.5), {"shown", "spoken"}),
        (Fixed(0.02), {"shown"}),
        (Fixed(0.98), {"shown", "spoken"}),
        (Fixed(1.0), {"spoken"}),
    ],
)
def test_what_counts_little_is_not_the_answer(
    talkie: Path, tmp_path: Path, gate: Gate | None, places: set[str]
) -> None:
    """The colours of this film are seen beyond any doubt, which only 1 takes away."""
    assert found(answer(tmp_path, talkie, gate)) == places


def test_an_even_gate_answers_as_none_does(talkie: Path, tmp_path: Path) -> None:
    bare, even = (answer(tmp_path, talkie, gate) for gate in (None, Fixed(0.5)))
    assert [(m.span, m.score) for m in bare.moments] == [(m.span, m.score) for m in even.moments]


def test_a_real_gate_is_asked_and_says_so(talkie: Path, tmp_path: Path) -> None:
    gate = AudioGate(toy.written(tmp_path / "gate", toy.trained(), step=None))
    asked = Fixed(0.5)
    answer(tmp_path, talkie, asked)
    (request,) = asked.asked
    counts = gate.importance(request)
    report = answer(tmp_path, talkie, gate)
    note = f"what is heard counts {counts:.2f}, what is seen {1 - counts:.2f}"
    told = [why for m in report.moments for why in m.evidence if why.note == note]
    assert told
    assert {why.source for why in told} == {"retrieval"}
    assert told[0].score == pytest.approx(counts)
    assert note in sentence(report)
    assert note in json.dumps(report.model_dump(mode="json"))
    assert report.models["gate"] == gate.name
    assert lacking(report) == []


def test_what_it_is_asked_of_the_film(talkie: Path, tmp_path: Path) -> None:
    gate = Fixed(0.5)
    answer(tmp_path, talkie, gate)
    (request,) = gate.asked
    assert len(request.seen) == len(request.heard)
    assert len(request.seen) * request.step == pytest.approx(8, abs=0.3)
    heard = np.flatnonzero(request.heard > 0.5) * request.step
    assert heard.min() == pytest.approx(SPOKEN[0], abs=0.11)
    assert heard.max() < SPOKEN[1]
    assert np.flatnonzero(request.seen > 0.5).max() * request.step < SHOWN[1]


@pytest.mark.parametrize("question", ["they talk about red", "a loud red thing", "purple"])
def test_where_there_is_nothing_to_weigh_nobody_is_asked(
    talkie: Path, tmp_path: Path, question: str
) -> None:
    gate = Fixed(0.0)
    report, bare = (answer(tmp_path, talkie, each, question) for each in (gate, None))
    assert gate.asked == []
    assert report.moments == bare.moments
    assert report.rejected == bare.rejected


def test_a_film_without_sound_gives_what_it_gave_before(colours: Path, tmp_path: Path) -> None:
    """The very same curves, not only like ones."""
    gate = Fixed(1.0)
    for question in ("the red one", "green", "purple"):
        told, bare = (answer(tmp_path, colours, each, question) for each in (gate, None))
        assert told.moments == bare.moments
        assert told.rejected == bare.rejected
    assert gate.asked == []
    assert not [*(tmp_path / "shelf").rglob("weighed*")]


def test_another_gate_makes_other_curves_and_indexes_nothing_again(
    talkie: Path, tmp_path: Path
) -> None:
    boxes = [with_gate(tmp_path, gate) for gate in (None, Fixed(0.4), Fixed(0.6))]
    digests = [dict(box._digests) for box in boxes]
    assert len({each.pop("weighed") for each in digests}) == 3
    assert digests[0] == digests[1] == digests[2]
    assert [box.models["gate"] for box in boxes] == ["off", "always 0.4", "always 0.6"]


def test_without_weights_both_sides_count_alike(talkie: Path, tmp_path: Path) -> None:
    folder = toy.written(tmp_path / "gate", toy.trained())
    (folder / CARD).write_text("{}")
    bare = answer(tmp_path, talkie, None)
    for _ in range(2):  # curves are shelved by then
        report = answer(tmp_path, talkie, AudioGate(folder))
        assert report.moments == bare.moments
        (fault,) = lacking(report)
        assert fault.kind == "weights"
        assert "no card" in fault.message
        assert fault.message.endswith("what is seen and what is heard count alike")


def test_the_setting_decides(tmp_path: Path) -> None:
    folder = toy.written(tmp_path / "gate", toy.trained())

    def built(gate: str) -> Toolbox:
        return build_toolbox(Settings(home=tmp_path, models={"gate": gate}))

    assert built("off").gate is None
    assert built("off").models["gate"] == "off"
    assert (built("auto").gate is None) == (shipped() is None)
    assert built(str(folder)).models["gate"] == AudioGate(folder).name
    with pytest.raises(SettingsError, match="use auto, off, or the folder"):
        built(str(tmp_path / "gone"))
