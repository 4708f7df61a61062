"""What is public: listed whole, documented, and with its errors named."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest
from pydantic import BaseModel

import vmr_agent
from evals.manual import API, surface
from evals.surface import PUBLIC, names, shapeless, untold

LISTED = [(each.module, each.name) for each in names()]


def test_the_page_has_every_public_name() -> None:
    assert API.read_text(encoding="utf-8") == surface(), "run python -m evals.manual"
    assert {name for module, name in LISTED if module == "vmr_agent"} == set(vmr_agent.__all__)
    assert len(LISTED) == len(set(LISTED)) > 100


@pytest.mark.parametrize(("module", "name"), LISTED)
def test_a_public_name_says_what_it_is(module: str, name: str) -> None:
    thing = getattr(import_module(module), name)
    if not (inspect.isclass(thing) or inspect.isfunction(thing)):
        return
    assert (thing.__doc__ or "").strip().partition("\n\n")[0].endswith((".", ":", "?")), (
        "a sentence"
    )
    members = vars(thing).items() if inspect.isclass(thing) else ()
    for member, function in members:
        if inspect.isfunction(function) and not member.startswith("_"):
            assert function.__doc__, f"{name}.{member}"


@pytest.mark.parametrize("module", PUBLIC)
def test_types_are_whole(module: str) -> None:
    """What a user's type checker sees of functions: every argument, and what comes back."""
    for name in (name for where, name in LISTED if where == module):
        thing = getattr(import_module(module), name)
        if inspect.isfunction(thing):
            known = set(thing.__annotations__)
            assert known >= {*inspect.signature(thing).parameters, "return"}, name


def test_arrays_say_their_shape() -> None:
    assert list(shapeless()) == []


def test_numbers_in_records_say_what_they_are() -> None:
    """``extra`` words below a field: its unit, or what it counts."""
    silent = [
        f"{name}.{field}"
        for module, name in LISTED
        for kind in [getattr(import_module(module), name)]
        if inspect.isclass(kind) and issubclass(kind, BaseModel)
        for field, about in kind.model_fields.items()
        if about.annotation in (float, int) and not (about.description or kind.__doc__)
    ]
    assert silent == []


def test_no_public_call_keeps_silent_about_an_error_it_raises() -> None:
    assert list(untold()) == []


def test_a_call_that_keeps_silent_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PUBLIC, "vmr_agent.keys", ("checked_address",))
    monkeypatch.setattr("ast.get_docstring", lambda _: "")
    found = list(untold())
    assert "vmr_agent.keys.checked_address raises SettingsError" in found
    assert any(each.startswith("vmr_agent.VMRAgent.search raises QueryError") for each in found)
