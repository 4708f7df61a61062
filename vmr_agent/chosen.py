"""Settings in words, as command lines have them: ``verify.accept=0.6``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from vmr_agent.errors import SettingsError
from vmr_agent.settings import Settings, from_environment

SHOWN = 60  # letters of a wrong value that are repeated


def chosen(words: Sequence[str], without: Sequence[str] = ()) -> Settings:
    """The settings in force, changed by ``group.name=value``, value as JSON or as it is.

    ``without`` are rooms whose work is left out. Raises SettingsError in one line.
    """
    given: dict[str, Any] = {"without": [*without]} if without else {}
    for word in words:
        name, sign, value = word.partition("=")
        if not (sign and name):
            raise SettingsError(f"{word!r} is not SETTING=VALUE, like verify.accept=0.6")
        *groups, last = name.split(".")
        _group(given, groups, name)[last] = _value(value)
    from_environment()  # says first what is wrong there
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError(_told(error)) from None


def names(kind: type[BaseModel] = Settings, before: str = "") -> Iterator[str]:
    """What can be set, in the order of the source: ``profile``, …, ``verify.accept``."""
    for name, field in kind.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from names(inner, f"{before}{name}.")
        else:
            yield f"{before}{name}"


def _told(error: ValidationError) -> str:
    first = error.errors()[0]
    name = ".".join(map(str, first["loc"])) or "settings"
    if first["type"] == "extra_forbidden":
        return f"{name}: there is no such setting"
    if first["type"] == "model_type":
        member = next((each for each in names() if each.startswith(f"{name}.")), name)
        return f"{name} is a group of settings: set one of them, like {member}=…"
    # What was set may be a key, and may be long.
    secret = name.startswith(("chat", "serve.token"))
    shown = not secret and isinstance(first["input"], str | int | float)
    given = f", not {str(first['input'])[:SHOWN]!r}" if shown else ""
    return f"{name}: {first['msg'].removeprefix('Value error, ')}{given}"


def _group(given: dict[str, Any], groups: Sequence[str], name: str) -> dict[str, Any]:
    for part in groups:
        given = given.setdefault(part, {})
        if not isinstance(given, dict):
            raise SettingsError(f"{name}: {part} is given as a whole already")
    return given


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
