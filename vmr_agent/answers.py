"""What a chat model writes, made into records: the schema it is given, and how it is read.

    schema(Answer)          # for the endpoint: objects, arrays, strings, numbers and enums, no more
    read(text, Answer)      # strict; then without fences and thoughts; then the first object in it

Bounds and finiteness are the record's own: endpoints refuse schemas that state them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from vmr_agent.errors import ChatAnswerError

A = TypeVar("A", bound=BaseModel)

KEPT = ("type", "enum", "description", "items", "properties")
"""What every endpoint understands of a JSON schema."""
THOUGHT = re.compile(
    r"\A(?:(?!<think).)*?</think(?:ing)?>|<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
"""What was thought aloud; some templates open it for the model, and only its end is written."""
FENCE = re.compile(r"```[a-zA-Z]*\n?(.*?)(?:```|\Z)", re.DOTALL)
STARTS = 50  # opening braces from which an object is tried: prose may have some of its own
DEEP = 40  # levels of nesting no answer of ours has
LONGEST = 200_000  # characters of an answer that are looked at
SHOWN = 200  # characters of what is wrong with an answer


class Read(NamedTuple):
    """An answer, and the text it was read from."""

    record: Any
    text: str
    """The JSON object, as it was written."""
    start: int
    """Characters before it."""


def schema(kind: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of an answer, every field required, with nothing that servers refuse."""
    whole = kind.model_json_schema()
    return _plain(whole, whole.get("$defs", {}))


def _plain(node: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        return _plain(defs[node["$ref"].rpartition("/")[2]], defs)
    if "const" in node:
        node = {**node, "enum": [node["const"]]}
    plain = {key: node[key] for key in KEPT if key in node}
    if "items" in plain:
        plain["items"] = _plain(plain["items"], defs)
    if "properties" in plain:
        plain["properties"] = {
            name: _plain(field, defs) for name, field in plain["properties"].items()
        }
        plain |= {"required": [*plain["properties"]], "additionalProperties": False}
    return plain


def read(text: str, kind: type[A]) -> Read:
    """The answer in a text. Raises ChatAnswerError that says what is wrong, for the model to read.

    ``read('<think>hm</think>```json\\n{"shown": "yes"}\\n```', Answer)``
    """
    misfit = broken = ""
    for candidate, start in _candidates(text[:LONGEST]):
        try:
            found = json.loads(candidate, parse_constant=_not_finite)
            return Read(kind.model_validate(found), candidate, start)
        except ValidationError as error:  # also of the right shape, but out of bounds
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            misfit = misfit or f"{where}: {first['msg']}".removeprefix(": ")
        except (ValueError, RecursionError) as error:
            broken = broken or f"it is not JSON: {error}"
    raise ChatAnswerError((misfit or broken)[:SHOWN])


def _candidates(text: str) -> Iterator[tuple[str, int]]:
    """(what may be the object, characters before it): the whole, then what is inside."""
    yield text, 0
    # Blanked, not cut out: places in the text stay what they are.
    bare = THOUGHT.sub(lambda match: " " * len(match[0]), text)
    for match in FENCE.finditer(bare):
        yield match[1], match.start(1)
    start = -1
    for _ in range(STARTS):
        start = bare.find("{", start + 1)
        end = _balanced(bare, start) if start >= 0 else None
        if end is not None:
            yield bare[start:end], start
            start = end - 1
        elif start < 0:
            return


def _balanced(text: str, start: int) -> int | None:
    """Where the object that opens at ``start`` closes; None if it does not, or is too deep."""
    depth, quoted, escaped = 0, False, False
    for index in range(start, len(text)):
        letter = text[index]
        if quoted:
            quoted = escaped or letter != '"'
            escaped = letter == "\\" and not escaped
        elif letter == '"':
            quoted = True
        elif letter in "{[":
            depth += 1
            if depth > DEEP:
                return None
        elif letter in "}]":
            depth -= 1
            if depth == 0:
                return index + 1
    return None


def _not_finite(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
