"""Asking a film what is known about it: under which settings."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from evals.ask import _settings
from vmr_agent.errors import SettingsError


def test_what_is_left_out_is_said_by_the_command_line_or_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VMR_WITHOUT", '["caption"]')
    assert _settings([]).without == ("caption",)
    assert _settings(["verify", "widen"]).without == ("verify", "widen")
    monkeypatch.delenv("VMR_WITHOUT")
    assert _settings([]).without == ()


def test_what_is_no_room_or_no_setting_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="without"):
        _settings(["kitchen"])
    monkeypatch.setenv("VMR_WITHOUT", '["kitchen"]')
    with pytest.raises(SettingsError, match="VMR_WITHOUT"):
        _settings([])
