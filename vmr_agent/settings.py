"""Every number in the house, with its unit and its reason. ``VMR_RETRIEVE__TOP_K=50`` sets one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as NotJson

from vmr_agent.errors import SettingsError
from vmr_agent.limits import Group as Group
from vmr_agent.limits import StripSettings as StripSettings
from vmr_agent.limits import VideoSettings as VideoSettings


class ShotSettings(Group):
    """Cuts (PySceneDetect)."""

    detector: Literal["content", "adaptive", "histogram", "hash", "gradual"] = "gradual"
    """Which detector: PySceneDetect's own, or ``gradual``, its adaptive one with a second look and
    an eye for fades and dissolves (evals/results/shots.json compares them)."""
    threshold: float | None = Field(default=None, gt=0)
    """Change that is a cut, in the detector's own measure; None is PySceneDetect's default."""
    min_length: float = Field(default=0.6, ge=0)
    """Seconds; shorter shots are merged into the one before."""


class EmbedSettings(Group):
    """What frames look like, stored little (SMORE)."""

    alike: float = Field(default=0.93, ge=0, le=1)
    """Cosine with the first of a group above which a frame joins it. Of 672 answers none changed at
    .95, one at .93 for a fifth less room, five at .90 (evals/LOG.md)."""
    energy: float = Field(default=0.95, gt=0, le=1)
    """Share of a group's energy that its one vector is made from (SMORE)."""


class ModelSettings(Group):
    """Which models, by tier (see the README)."""

    encoder: str = "auto"
    """``auto``, ``concepts`` (packaged), or ``open_clip:ARCHITECTURE:WEIGHTS``, with WEIGHTS a
    file or a hub tag that is already in the cache."""
    whisper: str = "auto"
    """``auto`` (``packaged``), ``packaged`` (base), ``packaged-tiny`` (twice as fast, English by
    itself), ``off``, or a faster-whisper folder or model name."""
    reader: Literal["auto", "rapidocr", "off"] = "auto"
    """On-screen text."""
    tagger: str = "auto"
    """Names sounds: ``auto`` (one already in the hub's cache, else none), ``off``, or a folder or
    hub name of CLAP or an audio classifier, with safetensors weights."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where tensors live."""
    language: str | None = None
    """Spoken language, ISO 639-1; None lets the recogniser tell."""


class TranscribeSettings(Group):
    """Speech."""

    chunk: float = Field(default=240.0, ge=60, le=3600, multiple_of=4)
    """Seconds of sound that are worked on, and shelved, together: what a kill costs at most. Every
    fourth second begins a frame of the speech detector."""
    batch: int = Field(default=2, ge=1)
    """Stretches of speech recognised together: on one core 2 are an eighth faster than 1, and 4
    no faster than 2 for 400 MB more."""
    min_logprob: float = -1.0
    """Mean log-probability below which a stretch counts as misheard (Whisper's own value)."""
    max_no_speech: float = Field(default=0.6, ge=0, le=1)
    """No-speech probability above which a stretch counts as silence (Whisper's own value)."""


class ReadSettings(Group):
    """On-screen text."""

    min_confidence: float = Field(default=0.8, ge=0, le=1)
    """The reader's confidence below which a line is taken for texture: title cards and subtitles
    are read at .95 and more, railings and bricks at up to .77."""


class RetrieveSettings(Group):
    """Relevance curves and candidates."""

    step: float = Field(default=0.5, gt=0)
    """Seconds between values of a curve: no finer than the strip, or it only repeats itself."""
    smooth: tuple[float, ...] = Field(default=(2.0, 0.5), min_length=1, max_length=5)
    """Seconds to each side over which the picture curve is averaged within a shot, one for each
    round: first what lasts, then, if that was in vain, what is brief."""
    caution: float = Field(default=0.1, ge=0)
    """By how much more a picture has to convince in every later round: brief is also noisy."""
    picture_middle: float = 0.42
    """Picture relevance, plus its standing out, at which yes and no are equally likely."""
    picture_slope: float = Field(default=27.0, gt=0)
    """Steepness of that decision."""
    outstanding: float = Field(default=0.1, ge=0)
    """Weight of how far the picture stands out from the film's own background."""
    words_middle: float = 0.455
    """Cosine of meanings, plus shared words, at which yes and no are equally likely."""
    words_slope: float = Field(default=15.0, gt=0)
    """Steepness of that decision."""
    shared_words: float = Field(default=0.4, ge=0)
    """Weight of the share of the question's words that are said or written."""
    verbatim: float = Field(default=0.75, gt=0, le=1)
    """Share of the question's words that make speech a quotation of it."""
    mention: float = Field(default=0.2, ge=0, le=1)
    """Relevance from which what was said or written is noted as evidence."""
    loud: float = 12.0
    """Decibels above the film's median at which a second counts as loud."""
    silent: float = -50.0
    """dBFS at which a second counts as silent."""
    top_k: int = Field(default=5, ge=1)
    """Candidates of the first round; every later round takes twice as many."""
    fall: float = Field(default=0.5, gt=0, lt=1)
    """Share of the way from the background to the peak at which a candidate ends."""
    bridge: float = Field(default=1.5, ge=0)
    """Seconds of dip that do not split a candidate."""


class FilterSettings(Group):
    """Which candidates go on."""

    keep: float = Field(default=0.5, ge=0, le=1)
    """Relevance from which a candidate is kept."""
    drop: float = Field(default=0.3, ge=0, le=1)
    """Relevance below which it is dropped; in between it needs a rank."""
    ranks: int = Field(default=3, ge=0)
    """How many of the best are kept although they are in between."""


class TrimSettings(Group):
    """Coarse clips."""

    pad: float = Field(default=4.0, ge=0)
    """Seconds of context at each side of what is looked at closely."""


class GroundSettings(Group):
    """Boundaries from the curves."""

    fall: float = Field(default=0.5, gt=0, lt=1)
    """Share of the way from the background to the peak at which a moment ends."""
    bridge: float = Field(default=1.5, ge=0)
    """Seconds of dip that do not split a moment."""
    snap: float = Field(default=1.0, ge=0)
    """Seconds within which a boundary moves to a cut."""
    stretch: float = Field(default=1.6, ge=1)
    """Times its own length up to which a spoken mention grows to the shots it is made in."""
    glimpse: float = Field(default=1.0, ge=0)
    """Seconds; a picture seen for only so long counts half: few samples, much noise."""
    faint: float = Field(default=0.5, gt=0, le=1)
    """Share of a clip's highest peak below which a further peak in it is no proposal."""
    min_length: float = Field(default=0.5, gt=0)
    """Seconds; what is shorter is no moment."""


class VerifySettings(Group):
    """Verdicts."""

    accept: float = Field(default=0.5, ge=0, le=1)
    """Probability from which a proposal is a moment."""
    overlap: float = Field(default=0.5, gt=0, le=1)
    """IoU above which the lower-scored of two moments is a duplicate."""
    merge: float = Field(default=1.0, ge=0)
    """Seconds; moments nearer to each other than this are one."""
    most: int = Field(default=20, ge=1)
    """Moments in an answer."""


PROFILES: dict[str, dict[str, dict[str, object]]] = {
    "full": {},
    "balanced": {
        "video": {"frames": "reference"},
        "strip": {"fps": 1.0},
        "models": {"whisper": "packaged-tiny"},
    },
    "lean": {
        "video": {"frames": "key"},
        "strip": {"fps": 1.0},
        "models": {"whisper": "packaged-tiny", "reader": "off"},
    },
}
"""What each profile sets, where nothing else was said."""


class Settings(BaseSettings):
    """All settings. From the environment (``VMR_ROOM__NAME``), or as arguments."""

    model_config = SettingsConfigDict(
        env_prefix="VMR_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
    )

    profile: Literal["full", "balanced", "lean"] = "full"
    """How closely a film is looked at, and so how long that takes (see docs/performance.md):
    ``full`` decodes every frame, takes up to two samples a second and has Whisper base;
    ``balanced`` skips frames that no other refers to, takes one and has the tiny Whisper; ``lean``
    decodes key frames alone and reads no text besides. What is set counts more than the profile."""
    home: Path | None = None
    """Where the shelf, the index and unpacked weights live; None is the user's cache folder."""
    video: VideoSettings = VideoSettings()
    strip: StripSettings = StripSettings()
    shots: ShotSettings = ShotSettings()
    models: ModelSettings = ModelSettings()
    embed: EmbedSettings = EmbedSettings()
    transcribe: TranscribeSettings = TranscribeSettings()
    read: ReadSettings = ReadSettings()
    retrieve: RetrieveSettings = RetrieveSettings()
    filter: FilterSettings = FilterSettings()
    trim: TrimSettings = TrimSettings()
    ground: GroundSettings = GroundSettings()
    verify: VerifySettings = VerifySettings()
    max_query_words: int = Field(default=200, ge=1)
    """Words; longer is no question, and the text encoder reads no further."""

    @model_validator(mode="before")
    @classmethod
    def _profiled(cls, given: Any) -> Any:
        preset = PROFILES.get(given.get("profile", "full"), {})
        return {**given, **{room: _under(given.get(room), set_) for room, set_ in preset.items()}}


def from_environment() -> Settings:
    """Settings from ``VMR_…``. Raises SettingsError that names what is wrong."""
    for name in sorted(os.environ):
        if _misspelt(name.upper()):
            raise SettingsError(f"{name}: there is no such setting")
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "VMR_" + "__".join(str(part) for part in first["loc"]).upper()
        if first["type"] == "extra_forbidden":
            raise SettingsError(f"{name}: there is no such setting") from error
        raise SettingsError(f"{name}: {first['msg']}, not {first['input']!r}") from error
    except NotJson as error:
        value = getattr(error.__cause__, "doc", "")
        raise SettingsError(
            f"VMR_…: {value!r} is not JSON, which lists and whole groups of settings are given in"
        ) from error


def _under(given: Any, preset: dict[str, object]) -> Any:
    """What was said about a room, on top of what the profile says."""
    if isinstance(given, Group):
        given = {name: getattr(given, name) for name in given.model_fields_set}
    return {**preset, **given} if isinstance(given, dict) else given or preset


def _misspelt(name: str) -> bool:
    """Whether it looks like a room's setting and pydantic would pass over it."""
    fields = {f"VMR_{field}".upper(): info for field, info in Settings.model_fields.items()}
    groups = [field for field, info in fields.items() if isinstance(info.default, Group)]
    group, nested, _ = name.partition("__")
    if nested:
        return name.startswith("VMR_") and group not in groups
    return name not in fields and name.startswith(tuple(f"{group}_" for group in groups))
