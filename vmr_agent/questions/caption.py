"""caption: what is to be seen in it, with the question in mind (SMORE: query-guided captions)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from vmr_agent.counsel import Counsel, Question
from vmr_agent.prompts import load
from vmr_agent.questions.sheet import sheet
from vmr_agent.questions.views import View
from vmr_agent.types import IMPORTANCE

LONGEST = 200  # characters of a caption


def captions(counsel: Counsel, film: str, query: str, seen: Sequence[View]) -> dict[str, str]:
    """A caption of each stretch, by its id; those that went unanswered are left out.

    It is empty where there is nothing to say. Without a ``query`` they are generic, and kept by
    whoever asks, or by nobody.
    """
    inputs = {"query": json.dumps(query, ensure_ascii=False)}
    data = {"candidates": [view.facts for view in seen]}
    pictures = tuple(shown for view in seen for shown in view.pictures)
    question = Question(load("caption"), inputs, data, pictures, kept=bool(query))
    found = counsel.ask(film, question, sheet([view.id for view in seen], str)).record
    lines = {name: " ".join(text.split())[:LONGEST] for name, text in found if text is not None}
    return {name: "" if line == IMPORTANCE else line for name, line in lines.items()}
