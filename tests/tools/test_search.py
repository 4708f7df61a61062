"""Search over all films: each kind best first, dealt out in turn."""

from __future__ import annotations

import numpy as np
import pytest
from shelved import span, video

from vmr_agent.protocols import Array, Row
from vmr_agent.testing import ColourEncoder, ListIndex, WordSentences
from vmr_agent.tools import search, understand
from vmr_agent.types import Channel, Hit

MEANING, ENCODER = WordSentences(), ColourEncoder()


def index() -> ListIndex:
    filled = ListIndex()
    near, far = np.float32(0.9), np.float32(0.3)
    rows: list[Row] = [
        ("picture", span(0, 1), ENCODER.place("red") * far),
        ("picture", span(1, 2), ENCODER.place("red")),
        ("picture", span(2, 3), ENCODER.place("red") * near),
        ("speech", span(5, 6), MEANING.embed(["a red thing"])[0] * far),
        ("text", span(8, 9), MEANING.embed(["WAY OUT"])[0]),
    ]
    filled.put(video(), "entry", rows)
    return filled


def found(query: str, limit: int) -> list[tuple[Channel, float]]:
    hits = search(understand(query), index(), ENCODER, MEANING, limit)
    return [(hit.kind, hit.span.start) for hit in hits]


def test_kinds_are_dealt_out_in_turn_best_of_each_first() -> None:
    assert found("a red thing", 10) == [
        ("picture", 1),
        ("speech", 5),
        ("text", 8),
        ("picture", 2),
        ("picture", 0),
    ]


@pytest.mark.parametrize("limit", [0, 1, 2, 4])
def test_no_more_than_asked_for(limit: int) -> None:
    assert found("a red thing", limit) == found("a red thing", 10)[:limit]


def test_an_empty_library_has_no_hits() -> None:
    assert search(understand("a red thing"), ListIndex(), ENCODER, MEANING, 10) == ()


def test_each_kind_is_asked_what_the_question_asks_of_it() -> None:
    asked: dict[str, Array] = {}

    class Listening(ListIndex):
        def query(self, kind: Channel, vector: Array, limit: int) -> list[Hit]:
            asked[kind] = vector
            return []

    search(understand('he says "blue whale"'), Listening(), ENCODER, MEANING, 10)
    assert asked["speech"] == pytest.approx(MEANING.embed(["blue whale"])[0])
    assert asked["picture"] == pytest.approx(ENCODER.place("blue whale"))
    assert asked["text"] == pytest.approx(MEANING.embed(['he says "blue whale"'])[0])
