"""Profiles: what each sets, and that whatever is said besides counts more."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from vmr_agent import Settings
from vmr_agent.errors import SettingsError
from vmr_agent.limits import StripSettings, VideoSettings
from vmr_agent.settings import PROFILES, ChatSettings, ModelSettings, from_environment


def brief(settings: Settings) -> tuple[str, float, str, str]:
    models = settings.models
    return settings.video.frames, settings.strip.fps, models.whisper, models.reader


EXPECTED = {
    "full": ("all", 2.0, "auto", "auto"),
    "balanced": ("reference", 1.0, "packaged-tiny", "auto"),
    "lean": ("key", 1.0, "packaged-tiny", "off"),
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VMR_PROFILE", "VMR_STRIP", "VMR_STRIP__FPS", "VMR_VIDEO__REEL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("profile", EXPECTED)
def test_each_profile_sets_its_values(monkeypatch: pytest.MonkeyPatch, profile: Any) -> None:
    assert brief(Settings(profile=profile)) == EXPECTED[profile]
    monkeypatch.setenv("VMR_PROFILE", profile)
    found = from_environment()
    assert (found.profile, brief(found)) == (profile, EXPECTED[profile])


def test_without_a_word_everything_is_looked_at() -> None:
    assert set(EXPECTED) == set(PROFILES)
    assert Settings() == Settings(profile="full")
    assert brief(Settings()) == EXPECTED["full"]


@pytest.mark.parametrize(
    "given",
    [
        {"strip": {"fps": 5}},
        {"strip": StripSettings(fps=5)},
        {"strip": StripSettings(fps=5, quality=90), "video": VideoSettings(reel=30)},
        {"strip": {"fps": "5"}, "models": ModelSettings()},
    ],
    ids=["words", "group", "groups", "empty group"],
)
def test_what_is_said_counts_more_than_the_profile(given: dict[str, Any]) -> None:
    assert brief(Settings(profile="lean", **given)) == ("key", 5, "packaged-tiny", "off")


@pytest.mark.parametrize(
    "given", [{"frames": "all"}, VideoSettings(frames="all")], ids=["words", "group"]
)
def test_even_if_it_is_what_would_be_without_one(given: Any) -> None:
    settings = Settings(profile="lean", video=given)
    assert settings.video.frames == "all"
    assert settings.strip.fps == 1


def test_the_rest_of_a_group_stays_as_the_profile_says() -> None:
    settings = Settings(profile="lean", models={"whisper": "off"}, video={"reel": 30})  # type: ignore[arg-type]
    assert (settings.models.whisper, settings.models.reader) == ("off", "off")
    assert (settings.video.frames, settings.video.reel) == ("key", 30)
    assert settings.strip.quality == StripSettings().quality


@pytest.mark.parametrize(("name", "value"), [("VMR_STRIP__FPS", "5"), ("VMR_STRIP", '{"fps": 5}')])
def test_the_environment_counts_more_than_the_profile(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("VMR_PROFILE", "lean")
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("VMR_VIDEO__REEL", "30")
    found = from_environment()
    assert brief(found) == ("key", 5, "packaged-tiny", "off")
    assert found.video.reel == 30


def test_an_argument_counts_more_than_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMR_PROFILE", "lean")
    monkeypatch.setenv("VMR_STRIP__FPS", "5")
    assert brief(Settings(profile="balanced", strip={"fps": 7})) == (  # type: ignore[arg-type]
        *("reference", 7, "packaged-tiny", "auto"),
    )


def test_an_unknown_profile_is_an_error_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMR_PROFILE", "quick")
    with pytest.raises(SettingsError, match=r"VMR_PROFILE: .*'lean'.*, not 'quick'") as caught:
        from_environment()
    assert "\n" not in str(caught.value)
    with pytest.raises(ValidationError, match="profile"):
        Settings(profile="quick")  # type: ignore[arg-type]


def test_a_wrong_value_is_named_under_a_profile_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMR_PROFILE", "lean")
    monkeypatch.setenv("VMR_STRIP__FPS", "often")
    with pytest.raises(SettingsError, match=r"VMR_STRIP__FPS: .*, not 'often'"):
        from_environment()


def test_no_error_shows_what_may_be_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMR_CHAT__API_KEY", "sk-canary-Zq81vTn7")
    for make in (Settings, from_environment, lambda: ChatSettings(api_key="sk-canary-Zq81vTn7")):  # type: ignore[call-arg]
        with pytest.raises((ValidationError, SettingsError), match=r"(?i)api_key") as caught:
            make()
        assert "canary" not in str(caught.value) + repr(caught.value)


def test_what_profiles_set_is_there_to_be_set() -> None:
    """A misspelt name in a profile would fail only for those who choose it."""
    for groups in PROFILES.values():
        for group, values in groups.items():
            assert set(values) <= set(type(getattr(Settings(), group)).model_fields)
