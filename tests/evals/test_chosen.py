"""Settings by name on a command line: what is chosen is in force, what is wrong is told."""

from __future__ import annotations

import pytest

from evals.chosen import chosen
from vmr_agent.errors import SettingsError


def test_settings_are_given_by_name() -> None:
    settings = chosen(["verify.accept=0.6", "models.reader=off", "verify.most=3"])
    assert (settings.verify.accept, settings.verify.most) == (0.6, 3)
    assert settings.models.reader == "off"


def test_what_is_left_out_is_said_by_the_command_line_or_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VMR_WITHOUT", '["caption"]')
    assert chosen([]).without == ("caption",)
    assert chosen([], ["verify", "widen"]).without == ("verify", "widen")
    monkeypatch.delenv("VMR_WITHOUT")
    assert chosen([]).without == ()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["verify.accept"], "SETTING=VALUE"),
        (["verify.x=1"], "verify.x: there is no such setting"),
        (["verify.accept=2"], "verify.accept"),
        (["verify=3", "verify.accept=0.6"], "given as a whole"),
        (["without=kitchen"], "without"),
    ],
)
def test_what_is_no_setting_is_told_in_one_line(words: list[str], says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        chosen(words)
    assert "\n" not in str(caught.value)


def test_what_is_no_room_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"without\.0"):
        chosen([], ["kitchen"])
    monkeypatch.setenv("VMR_WITHOUT", '["kitchen"]')
    with pytest.raises(SettingsError, match="VMR_WITHOUT"):
        chosen([])
