"""What a model fills in: one field for every id, read as people write it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from shelved import span
from test_counsel import FILM, Scripted, counsel

from vmr_agent.answers import read, schema
from vmr_agent.errors import ChatAnswerError
from vmr_agent.questions import View, reading, sightings
from vmr_agent.questions.sheet import ballot
from vmr_agent.questions.understand import Reading
from vmr_agent.settings import FilterSettings
from vmr_agent.tools import understand
from vmr_agent.types import Query

FIELDS = Reading.model_fields
SETTINGS = FilterSettings()
KIND = ballot(["c1", "c2"], ["i1", "i2"])


@pytest.mark.parametrize("word", ["yes", "Yes", " YES ", True])
def test_a_yes_is_a_yes_however_it_is_written(word: Any) -> None:
    told = read(json.dumps({"c1": {"i1": word, "i2": "no"}, "c2": {"i1": "NO"}}), KIND).record
    assert told.model_dump(exclude_none=True) == {
        "c1": {"i1": "yes", "i2": "no"},
        "c2": {"i1": "no"},
    }


def test_what_was_not_asked_for_or_does_not_fit_is_left_out() -> None:
    told = read('{"c1": {"i1": "perhaps", "i2": "no"}, "c9": {"i1": "yes"}}', KIND).record
    assert told.model_dump(exclude_none=True) == {"c1": {"i2": "no"}}
    with pytest.raises(ChatAnswerError, match="nothing that was asked for"):
        read('{"c9": {"i1": "yes"}}', KIND)


def test_every_field_is_named_and_required() -> None:
    told = schema(KIND)
    assert told["required"] == ["c1", "c2"]
    assert told["properties"]["c2"]["required"] == ["i1", "i2"]
    assert told["properties"]["c1"]["properties"]["i1"]["enum"] == ["yes", "no"]


def reads(home: Path, text: str, **told: Any) -> Query:
    """A question as it is read by a model that tells so much about it."""
    kinds = {name: [] if "list" in str(field.annotation) else "" for name, field in FIELDS.items()}
    answer = {**kinds, "scene": text, "occurrence": 0, "combine": "all", **told}
    return reading(counsel(home, Scripted(json.dumps(answer))), FILM, understand(text), "")


def test_the_nearest_rivals_differ_in_a_little_word(tmp_path: Path) -> None:
    rivals = ["he goes out of the house", "she goes into the house"]
    for number, same in enumerate(
        ("He goes into the house!", "He is someone that goes into a house")
    ):
        told = reads(tmp_path / str(number), "he goes into the house", altered=[same, *rivals])
        assert told.altered == tuple(rivals)


@pytest.mark.parametrize(("told", "read_as"), [(2, 2), (-1, -1), (9, 9), (10, 0), (10**6, 0)])
def test_a_model_counts_no_further_than_anybody_asks_for(
    tmp_path: Path, told: int, read_as: int
) -> None:
    """Each time further is one more candidate in a request."""
    assert reads(tmp_path, "she jumps again", occurrence=told).occurrence == read_as


def relevance(home: Path, combine: str, row: Mapping[str, str]) -> float:
    """How relevant a stretch is of which a model without probabilities has said this."""
    home = home / "-".join((combine, *row.values()))  # answers are kept
    chat = Scripted(json.dumps({"c1": dict(row)}))
    query = Query(text="a cat", scene="a cat", items=tuple(row), combine=combine)
    view = View("c1", span(0, 5), {"id": "c1"}, ())
    return sightings(counsel(home, chat), FILM, query, [view])["c1"]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_any_and_all(tmp_path: Path, count: int) -> None:
    names = [f"i{n}" for n in range(1, count + 1)]
    no, yes = dict.fromkeys(names, "no"), dict.fromkeys(names, "yes")
    for combine in ("any", "all"):
        assert relevance(tmp_path, combine, no) < SETTINGS.drop, "no to everything is a no"
        assert relevance(tmp_path, combine, yes) >= SETTINGS.keep
    if count > 1:
        assert relevance(tmp_path, "any", {**no, "i1": "yes"}) >= SETTINGS.keep
        assert relevance(tmp_path, "all", {**yes, "i1": "no"}) < SETTINGS.keep
