"""widen: the search, worded anew."""

from __future__ import annotations

import json
from collections.abc import Sequence

from vmr_agent.counsel import Counsel, Question
from vmr_agent.prompts import load
from vmr_agent.questions.sheet import Answer
from vmr_agent.types import Moment, Query


class Rephrased(Answer):
    """Other words for the same."""

    scene: str
    spoken: str
    written: str
    paraphrases: list[str]


def rephrased(counsel: Counsel, film: str, query: Query, rejected: Sequence[Moment]) -> Query:
    """The question in other words; what was asked besides them stays."""
    nearest = [
        {
            "start": round(moment.span.start, 1),
            "end": round(moment.span.end, 1),
            "why": [f"{reason.source}: {reason.note}" for reason in moment.evidence[-4:]],
        }
        for moment in rejected[:3]
    ]
    inputs = {"query": json.dumps(query.text, ensure_ascii=False)}
    data = {"searched_for": [query.scene, *query.paraphrases], "nearest": nearest}
    found = counsel.ask(film, Question(load("widen"), inputs, data), Rephrased).record
    others = [" ".join(text.split())[:200] for text in (found.scene, *found.paraphrases)]
    scene, *more = [text for text in others if text] or [query.scene]
    return query.model_copy(
        update={
            "scene": scene,
            "paraphrases": tuple(more[:2]),
            "items": (),
            "spoken": " ".join(found.spoken.split())[:200] if query.spoken else "",
            "written": " ".join(found.written.split())[:200] if query.written else "",
        }
    )
