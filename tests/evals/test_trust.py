"""What a chat model's judgement is worth: measured with one that looks, and with one that lies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from colour_chat import asking, habit, judgements, look
from endpoint import endpoint

from evals.ask import Question
from evals.trust import Fit, error, fit
from vmr_agent import VMRAgent
from vmr_agent.adapters.chat import ChatServer
from vmr_agent.settings import ChatSettings, VerifySettings
from vmr_agent.testing import TRUTH, colour_toolbox

QUESTIONS = [
    Question("the red one", TRUTH["red"]),
    Question("the green one", TRUTH["green"]),
    Question("a purple one", ()),
]


def test_the_error_is_how_far_what_is_said_lies_from_what_holds() -> None:
    assert error([(0.95, True)] * 19 + [(0.95, False)]) == pytest.approx(0)
    assert error([(0.95, False)] * 10) == pytest.approx(0.95)
    assert error([(0.55, True), (0.05, False), (1.0, True)]) == pytest.approx(0.5 / 3)
    assert error([]) == 0


def measured(home: Path, film: Path, trust: float, **habits: Any) -> tuple[Fit, int]:
    """The verdicts under this trust, and the requests it took."""
    others = {"verify": VerifySettings(trust=trust)}
    with asking(home, habit(**habits), others=others) as (agent, served):
        found = fit(lambda query: agent.run(film, query), QUESTIONS)
        return found, len(served.requests)


def test_a_model_that_lies_is_best_not_trusted(tmp_path: Path, colours: Path) -> None:
    def lying(text: str, seen: Any) -> dict[str, Any]:
        opposite = {"yes": "no", "no": "yes"}
        told = judgements(text, seen)
        return {c: {s: opposite[said] for s, said in row.items()} for c, row in told.items()}

    honest, _ = measured(tmp_path / "honest", colours, 0.8)
    lied, _ = measured(tmp_path / "lying", colours, 0.8, verify=lying)
    assert (honest.right, honest.verdicts >= 4) == (1, True)
    assert honest.log_loss < lied.log_loss
    assert honest.brier < lied.brier


def test_a_sweep_asks_the_model_once(tmp_path: Path, colours: Path) -> None:
    asked = []
    with endpoint(look) as served:
        chat = ChatSettings(model="looker", base_url=served.url)
        box = replace(colour_toolbox(tmp_path), chat=ChatServer(chat))
        for trust in (0.4, 0.8):
            terms = {"chat": chat, "verify": VerifySettings(trust=trust)}
            settings = box.settings.model_copy(update=terms)
            agent = VMRAgent(toolbox=replace(box, settings=settings))
            fit(lambda query, agent=agent: agent.run(colours, query), QUESTIONS)  # type: ignore[misc]
            asked.append(len(served.requests))
    assert asked[0] == asked[1] > 0
