"""understand: the question, taken apart by a model (SMORE: query parsing)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator

from vmr_agent.counsel import Counsel, Question
from vmr_agent.prompts import load
from vmr_agent.questions.sheet import Answer, lower
from vmr_agent.types import Query, Relation
from vmr_agent.words import tokens

MOST = 6  # of anything that is named
FURTHEST = 9  # every time further is a candidate more, and what a question costs has an end
FILLERS = frozenset("a an the some something someone there it this that is are was were".split())
"""Words that make no other statement, as "in" and "out", "on" and "off", "not" do."""


class Related(Answer):
    """Another thing in the film that the question speaks of."""

    kind: Annotated[Literal["after", "before", "while", "without"], BeforeValidator(lower)]
    scene: str


class Reading(Answer):
    """What a model finds in a question."""

    scene: str
    objects: list[str]
    actions: list[str]
    attributes: list[str]
    sounds: list[str]
    spoken: str
    written: str
    relations: list[Related]
    occurrence: int
    combine: Annotated[Literal["all", "any"], BeforeValidator(lower)]
    items: list[str]
    paraphrases: list[str]
    altered: list[str]


def reading(counsel: Counsel, film: str, local: Query, speech: str) -> Query:
    """The question as a model reads it; what it leaves empty stays as the rules had it.

    ``speech`` are some words of what is said in the film: words are looked for in its language.
    """
    inputs = {"query": json.dumps(local.text, ensure_ascii=False)}
    question = Question(load("understand"), inputs, {"words_heard": speech})
    found = counsel.ask(film, question, Reading).record
    occurrence = found.occurrence if -1 <= found.occurrence <= FURTHEST else 0
    relations = tuple(
        Relation(kind=r.kind, scene=_line(r.scene)) for r in found.relations if _line(r.scene)
    )
    return local.model_copy(
        update={
            "scene": _line(found.scene) or local.scene,
            "objects": _some(found.objects) or local.objects,
            "actions": _some(found.actions) or local.actions,
            "attributes": _some(found.attributes),
            "sounds": tuple(dict.fromkeys((*local.sounds, *_words(found.sounds)))),
            "spoken": _line(found.spoken) or local.spoken,
            "written": _line(found.written) or local.written,
            "relations": relations[:2] or local.relations,
            "occurrence": occurrence or local.occurrence,
            "combine": found.combine,
            "items": _some(found.items)[:4],
            "paraphrases": _some(found.paraphrases)[:2] or local.paraphrases,
            "altered": _others(_some(found.altered), (local.text, found.scene))[:2],
        }
    )


def _some(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line for text in texts if (line := _line(text))))[:MOST]


def _others(texts: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Those that say something else: a question is no rival of itself."""
    said = {_statement(text) for text in known}
    return tuple(text for text in texts if _statement(text) not in said)


def _statement(text: str) -> tuple[str, ...]:
    return tuple(token for token in tokens(text) if token not in FILLERS)


def _words(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for text in texts[:MOST] for word in tokens(text))


def _line(text: str) -> str:
    """At most a sentence."""
    return " ".join(text.split())[:200]
