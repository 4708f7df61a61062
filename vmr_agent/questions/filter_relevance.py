"""filter_relevance: is what was asked for to be seen in it? (SMORE: QA filter)."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from vmr_agent.counsel import Counsel, Question
from vmr_agent.prompts import load
from vmr_agent.questions.sheet import ballot, weighed
from vmr_agent.questions.views import View
from vmr_agent.types import Query

ABSENT = 0.02  # what a bare no is worth: four of them are no perhaps, one of four is a no to all


def sightings(counsel: Counsel, film: str, query: Query, seen: Sequence[View]) -> dict[str, float]:
    """How relevant each stretch is, in [0, 1], by its id; those that went unanswered are left out.

    ``1 - prod(1 - p)`` over the items where any is enough, ``prod(p) ** (1 / n)`` for all (SMORE).
    """
    asked = {f"i{n}": item for n, item in enumerate(query.items or (query.scene,), 1)}
    inputs = {"query": json.dumps(query.text, ensure_ascii=False)}
    # The items are a model's, who has read a little of the film: data as well.
    data = {"items": asked, "candidates": [view.facts for view in seen]}
    pictures = tuple(shown for view in seen for shown in view.pictures)
    question = Question(load("filter_relevance"), inputs, data, pictures, probabilities=True)
    heard = counsel.ask(film, question, ballot([view.id for view in seen], asked))
    found = weighed(heard, no=ABSENT)
    return {place: _all_told([*row.values()], query) for place, row in found.items()}


def _all_told(chances: Sequence[float], query: Query) -> float:
    if query.combine == "any":
        return 1 - math.prod(1 - chance for chance in chances)
    return math.prod(chances) ** (1 / len(chances))
