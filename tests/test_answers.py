"""From what a chat model writes to a record, and no further than its bounds."""

from __future__ import annotations

import json
import time
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, FiniteFloat

from vmr_agent.answers import read, schema
from vmr_agent.errors import ChatAnswerError


class Part(BaseModel):
    id: str
    shown: Literal["yes", "no"]


class Whole(BaseModel):
    parts: list[Part]
    share: Annotated[FiniteFloat, Field(ge=0, le=1)]


GOOD = {"parts": [{"id": "c1", "shown": "yes"}], "share": 0.5}
TEXT = json.dumps(GOOD)


def test_a_schema_has_only_what_servers_take() -> None:
    assert schema(Whole) == {
        "type": "object",
        "properties": {
            "parts": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "id": {"type": "string"},
                        "shown": {"type": "string", "enum": ["yes", "no"]},
                    },
                    "required": ["id", "shown"],
                    "additionalProperties": False,
                },
            },
            "share": {"type": "number"},
        },
        "required": ["parts", "share"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"\n {TEXT}\n",
        f"```json\n{TEXT}\n```",
        f"```\n{TEXT}",
        f"<think>maybe {{}} or {TEXT[:-1]}</think>{TEXT}",
        f"<think>{json.dumps({**GOOD, 'share': 0.1})}</think>\n{TEXT}",
        f"Perhaps {json.dumps({**GOOD, 'share': 0.1})}? No, more.</think>\n{TEXT}",
        f"Here it is: {TEXT} Is there anything else?",
        f'I {{think}} so. {{"note": "}}"}} {TEXT}',
        json.dumps({**GOOD, "more": 1}),
        json.dumps({**GOOD, "share": "0.5"}),
    ],
)
def test_the_object_is_found(text: str) -> None:
    found = read(text, Whole)
    assert found.record == Whole.model_validate(GOOD)
    assert text[found.start :].startswith(found.text)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "JSON"),
        ("I cannot say", "JSON"),
        ("[1, 2]", "valid dictionary"),
        ("null", "valid dictionary"),
        (TEXT[:-1], "parts"),
        (json.dumps({**GOOD, "share": 2}), "share"),
        (json.dumps({**GOOD, "share": float("nan")}), "NaN"),
        (TEXT.replace("0.5", "1e999"), "share"),
        (TEXT.replace("yes", "perhaps"), r"parts\.0\.shown"),
        (json.dumps({"parts": []}), "share"),
        ("<think>" + TEXT, "JSON"),
        ("[" * 100_000, "JSON"),
        ("{" * 100_000, "JSON"),
        ('{"a":' * 5000, "JSON"),
    ],
)
def test_what_cannot_be_used_says_why(text: str, wrong: str) -> None:
    with pytest.raises(ChatAnswerError, match=wrong) as caught:
        read(text, Whole)
    assert len(str(caught.value)) <= 200


@given(st.text() | st.text(alphabet='{}[]",:`<think/> \\x1'))
def test_nothing_that_is_written_brings_it_down(text: str) -> None:
    try:
        found = read(text, Whole)
    except ChatAnswerError:
        return
    assert 0 <= found.record.share <= 1


def test_megabytes_take_no_time() -> None:
    began = time.monotonic()
    for text in ('{"' + "y" * 8_000_000, "{ " * 4_000_000, "`" * 8_000_000, "<think>" * 500_000):
        with pytest.raises(ChatAnswerError):
            read(text, Whole)
    assert time.monotonic() - began < 10
