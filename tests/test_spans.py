"""What a model says of where moments are: exactly what was asked for, or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmr_agent.spans import LONGEST, read
from vmr_agent.types import Span

CLIP = Span(start=100, end=130)
SLACK = 0.5


def told(*pairs: tuple[Any, Any]) -> str:
    return json.dumps({"moments": [{"start": start, "end": end} for start, end in pairs]})


def found(text: str) -> list[tuple[float, float]]:
    return [(span.start, span.end) for span in read(text, CLIP, SLACK)]


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        (told((2.0, 5.5)), [(102, 105.5)]),
        (told((2, 5)), [(102, 105)]),
        (told((9, 11), (2.5, 4)), [(109, 111), (102.5, 104)]),
        (told((2, 5), (2, 5), (2.0, 5.0)), [(102, 105)]),
        (told((0, 30)), [(100, 130)]),
        (told(), []),
        (f"  {told((2, 5))}\n", [(102, 105)]),
        (f"```json\n{told((2, 5))}\n```", [(102, 105)]),
        (f"```\n{told((2, 5))}\n```\n", [(102, 105)]),
        ('{"moments":\n [ {"end": 5e0, "start": 2} ]\n}', [(102, 105)]),
    ],
)
def test_what_was_asked_for(text: str, spans: list[tuple[float, float]]) -> None:
    assert found(text) == spans


@pytest.mark.parametrize(
    ("pair", "span"),
    [
        ((-0.5, 5), (100, 105)),
        ((25, 30.5), (125, 130)),
        ((-0.5, 30.5), (100, 130)),
        ((-0.51, 5), None),
        ((25, 30.51), None),
        ((30, 30.5), None),
        ((-0.5, 0), None),
        ((5, 5), None),
        ((5, 2), None),
        ((102, 105), None),
        ((1e300, 1e301), None),
        ((29.999999999999996, 30), None),  # nothing is left of it on the clock of the film
    ],
)
def test_what_reaches_over_an_end(pair: tuple[float, float], span: Any) -> None:
    assert found(told(pair)) == ([] if span is None else [pytest.approx(span, abs=1e-9)])
    beside = found(told(pair, (1, 2)))
    assert beside == [*found(told(pair)), (101, 102)]


HOSTILE = [
    "",
    " ",
    "null",
    "[]",
    "{}",
    "0",
    '"{}"',
    "no",
    "Yes, from 2 to 5 seconds.",
    "[[2, 5]]",
    '[{"start": 2, "end": 5}]',
    '{"moments": null}',
    '{"moments": {}}',
    '{"moments": {"start": 2, "end": 5}}',
    '{"moments": "2-5"}',
    '{"moments": [[2, 5]]}',
    '{"moments": ["2-5"]}',
    '{"moments": [{"start": 2}]}',
    '{"moments": [{"start": 2, "end": 5, "label": "car"}]}',
    '{"moments": [{"start": 2, "end": 5}], "note": ""}',
    '{"Moments": [{"start": 2, "end": 5}]}',
    '{"moments": [{"start": "2", "end": "5"}]}',
    '{"moments": [{"start": "00:02", "end": "00:05"}]}',
    '{"moments": [{"start": null, "end": 5}]}',
    '{"moments": [{"start": true, "end": 5}]}',
    '{"moments": [{"start": [2], "end": [5]}]}',
    '{"moments": [{"start": NaN, "end": 5}]}',
    '{"moments": [{"start": 2, "end": Infinity}]}',
    '{"moments": [{"start": -Infinity, "end": 5}]}',
    '{"moments": [{"start": 2, "end": 1e999}]}',
    '{"moments": [{"start": 2, "end": 1' + 400 * "0" + "}]}",
    '{"moments": [{"start": 2, "end": 1' + 9000 * "0" + "}]}",
    '{"moments": [{"start": 2, "end": 5}, {"start": 9}]}',
    '{"moments": [{"start": 2, "end": 5}, ]}',
    '{"moments": [{"start": 2, "end": 5}]',
    '{"moments": [{"start": 2, "end": 5}]}}',
    '{"moments": [{"start": 2, "end": 5}]} That is all.',
    'Here it is: {"moments": [{"start": 2, "end": 5}]}',
    '{"moments": [{"start": 2, "end": 5}]}\n{"moments": []}',
    '{"moments": [], "moments": [{"start": 2, "end": 5}]}',
    '{"moments": [{"start": 2, "start": 3, "end": 5}]}',
    '```json\n{"moments": [{"start": 2, "end": 5}]}',
    'Sure!\n```json\n{"moments": [{"start": 2, "end": 5}]}\n```',
    '<think>hm</think>{"moments": [{"start": 2, "end": 5}]}',
    "{'moments': [{'start': 2, 'end': 5}]}",
    '{"moments": [{"start": 0x2, "end": 5}]}',
    '{"moments": [{"start": 02, "end": 5}]}',
    '{"moments": [{"start": 2,5, "end": 5}]}',
    "[" * 100_000,
    '{"moments": ' * 5000,
    '{"moments": [' + ",".join(['{"start": 2, "end": 5}'] * 2000) + "]}",
    "\ud800",
    "\x00",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_anything_else_is_nothing(text: str) -> None:
    assert found(text) == []


def test_an_answer_is_no_longer_than_it_may_be() -> None:
    text = told((2, 5))
    assert found(text[:-1] + " " * (LONGEST - len(text)) + "}") == [(102, 105)]
    assert found(text[:-1] + " " * (LONGEST - len(text) + 1) + "}") == []


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
)
NEARLY = st.fixed_dictionaries(
    {"moments": st.lists(st.fixed_dictionaries({"start": ANYTHING, "end": ANYTHING}))}
)


@given(st.text() | ANYTHING.map(json.dumps) | NEARLY.map(json.dumps))
def test_whatever_is_said_no_span_lies_outside(text: str) -> None:
    for span in read(text, CLIP, SLACK):
        assert CLIP.start <= span.start < span.end <= CLIP.end


@given(
    st.floats(0, 40_000),
    st.floats(0.1, 600),
    st.lists(st.tuples(st.floats(-5, 605), st.floats(-5, 605))),
    st.floats(0, 2),
)
def test_each_span_is_one_that_was_named(
    begin: float, length: float, pairs: list[tuple[float, float]], slack: float
) -> None:
    clip = Span(start=begin, end=begin + length)
    spans = read(told(*pairs), clip, slack)
    assert len(set(spans)) == len(spans) <= len(pairs)
    for span in spans:
        assert any(
            abs(span.start - begin - start) <= slack + 1e-6
            and abs(span.end - begin - end) <= slack + 1e-6
            for start, end in pairs
        )
    for start, end in pairs:
        if 0 <= start < end - 1e-6 and end <= clip.length:
            assert any(abs(span.start - begin - start) < 1e-6 for span in spans)
