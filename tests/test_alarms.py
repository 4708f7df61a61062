"""False alarms as asked for: on the colour film, which has some of what it is asked about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from vmr_agent import RunReport, Settings, VMRAgent, alarms
from vmr_agent.testing import colour_toolbox
from vmr_agent.toolbox import Toolbox

THINGS = ("the blue one", "a blue cup", *(f"thing number {n}" for n in range(37)))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer questions than are shipped."""
    monkeypatch.setattr(alarms, "nothing", lambda: THINGS)


def strict(home: Path, rate: float | None) -> Toolbox:
    box = colour_toolbox(home)
    verify = box.settings.verify.model_copy(update={"false_alarms": rate})
    return replace(box, settings=box.settings.model_copy(update={"verify": verify}))


def asked(home: Path, film: Path, rate: float | None, query: str = "the red one") -> RunReport:
    return VMRAgent(toolbox=strict(home, rate)).run(film, query)


def accepts(report: RunReport) -> float:
    return float(report.settings["verify"]["accept"])


def test_where_two_of_forty_are_there_one_in_ten_is_easy(
    tmp_path: Path, colours: Path, few: None
) -> None:
    """The fourth highest score is that of something the film does not have."""
    plain, loose, tight = (asked(tmp_path, colours, rate) for rate in (None, 0.1, 0.05))
    assert accepts(plain) == 0.5
    assert accepts(loose) < 0.01
    assert accepts(tight) > 0.5
    assert loose.status == "found"


def test_no_more_than_the_asked_share_finds_something(
    tmp_path: Path, colours: Path, few: None
) -> None:
    agent = VMRAgent(toolbox=strict(tmp_path, 0.05))
    found = [thing for thing in THINGS if agent.run(colours, thing).moments]
    assert len(found) <= 2


def test_a_film_is_asked_once_and_little_is_left_of_it(
    tmp_path: Path, colours: Path, few: None
) -> None:
    agent = VMRAgent(toolbox=strict(tmp_path, 0.1))
    first = list(agent.stream(colours, "the red one"))
    again = list(agent.stream(colours, "the blue one"))
    assert len(first) - len(again) >= len(THINGS)
    sizes = agent.shelved()[0].sizes
    assert 0 < sizes["alarms"] < 4000
    left = [path.name for path in (tmp_path / "shelf").rglob("*") if "curves" in str(path)]
    assert len([name for name in left if name.endswith(".npz")]) == 2


def test_what_is_asked_about_words_is_held_against_questions_about_words(
    tmp_path: Path, colours: Path, few: None
) -> None:
    """Nobody speaks in it and nothing is written: no score at all."""
    report = asked(tmp_path, colours, 0.05, 'somebody says "the blue one is gone"')
    assert accepts(report) < 0.01
    assert report.status == "not_found"


def test_what_is_shipped_is_long_enough_for_the_least_rate() -> None:
    things = alarms.nothing()
    assert len(things) == len(set(things)) > 500
    assert all(thing == " ".join(thing.split()) for thing in things)


@pytest.mark.parametrize(
    "given",
    [
        {"verify": {"false_alarms": 0}},
        {"verify": {"false_alarms": 0.9}},
        {"verify": {"false_alarms": 0.1}, "chat": {"model": "looker"}},
        {"verify": {"false_alarms": 0.1}, "models": {"grounder": "vision:some-model"}},
    ],
)
def test_what_cannot_be_kept_is_said_at_the_door(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="false_alarms"):
        Settings(**given)
