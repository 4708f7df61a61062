"""Every number in the house, with its unit and its reason. ``VMR_RETRIEVE__TOP_K=50`` sets one."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as NotJson

from vmr_agent.errors import SettingsError
from vmr_agent.limits import Group as Group
from vmr_agent.limits import StripSettings as StripSettings
from vmr_agent.limits import VideoSettings as VideoSettings
from vmr_agent.outside import McpSettings as McpSettings
from vmr_agent.outside import TraceSettings as TraceSettings
from vmr_agent.serving import ServeSettings as ServeSettings
from vmr_agent.terms import Budget as Budget
from vmr_agent.terms import ChatSettings as ChatSettings
from vmr_agent.thresholds import CaptionSettings as CaptionSettings
from vmr_agent.thresholds import FilterSettings as FilterSettings
from vmr_agent.thresholds import GroundSettings as GroundSettings
from vmr_agent.thresholds import RetrieveSettings as RetrieveSettings
from vmr_agent.thresholds import TrimSettings as TrimSettings
from vmr_agent.thresholds import VerifySettings as VerifySettings
from vmr_agent.thresholds import VisionSettings as VisionSettings

ALIKE = 0.9
"""Likeness from which a name in the environment was meant for a setting's: one letter of ten."""


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


LANGUAGES = frozenset(
    """af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he
    hi hr ht hu hy id is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl
    nn no oc pa pl ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz
    vi yi yo yue zh""".split()
)
"""What Whisper can be told to hear; faster-whisper has the list too, and is slow to import."""


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
    grounder: str = "auto"
    """Places boundaries: ``auto`` (weights that come with this package, else ``rules``), ``rules``
    (by hand, from the curves), a folder that ``vmr train ground`` wrote, or ``vision:MODEL``, a
    folder or hub name of a video-language model."""
    gate: str = "auto"
    """Says how much sound counts where something is seen and heard: ``auto`` (weights that come
    with this package, if there are any), ``off``, or a folder that ``vmr train audio-gate``
    wrote, from curves and candidates called ``seen`` and ``heard``."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where tensors live."""
    language: str | None = None
    """Spoken language, ISO 639-1; None lets the recogniser tell."""

    @field_validator("language")
    @classmethod
    def _heard(cls, language: str | None) -> str | None:
        if language is not None and language not in LANGUAGES:
            raise ValueError("give the code of a language that Whisper knows, such as en or de")
        return language


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


PROFILES: dict[str, dict[str, dict[str, object]]] = {
    "full": {},
    "balanced": {
        "video": {"frames": "reference"},
        "strip": {"fps": 1.0},
        "models": {"whisper": "packaged-tiny"},
    },
    "lean": {
        "video": {"frames": "key"},
        "strip": {"fps": 1.0, "key_writing": False},
        "models": {"whisper": "packaged-tiny", "reader": "off"},
    },
}
"""What each profile sets, where nothing else was said."""


Ablation = Literal[
    "detect_shots",
    "embed_frames",
    "read_text",
    "listen",
    "transcribe",
    "understand",
    "filter_relevance",
    "caption",
    "trim",
    "ground",
    "verify",
    "widen",
]
"""Rooms that an answer can do without; without the other two, nothing is found."""


class Settings(BaseSettings):
    """All settings. From the environment (``VMR_ROOM__NAME``), or as arguments."""

    model_config = SettingsConfigDict(
        env_prefix="VMR_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        hide_input_in_errors=True,  # what was set may be a key
    )

    profile: Literal["full", "balanced", "lean"] = "full"
    """How closely a film is looked at, and so how long an hour of 720p takes on two cores that
    decode it alone in 143 s (docs/performance.md): ``full``, 328 s, decodes every frame, takes up
    to two samples a second and has Whisper base; ``balanced``, 218 s, skips frames that no other
    refers to, takes one and has the tiny Whisper; ``lean``, 75 s, decodes key frames alone and
    reads no text besides. What is set counts more than the profile."""
    without: tuple[Ablation, ...] = ()
    """Rooms whose work is left out of every answer, to see what it is worth; for evaluations."""
    home: Path | None = None
    """Where the shelf, the index and unpacked weights live; None is the user's cache folder."""
    video: VideoSettings = VideoSettings()
    strip: StripSettings = StripSettings()
    shots: ShotSettings = ShotSettings()
    models: ModelSettings = ModelSettings()
    chat: ChatSettings = ChatSettings()
    embed: EmbedSettings = EmbedSettings()
    transcribe: TranscribeSettings = TranscribeSettings()
    read: ReadSettings = ReadSettings()
    retrieve: RetrieveSettings = RetrieveSettings()
    filter: FilterSettings = FilterSettings()
    caption: CaptionSettings = CaptionSettings()
    trim: TrimSettings = TrimSettings()
    ground: GroundSettings = GroundSettings()
    verify: VerifySettings = VerifySettings()
    vision: VisionSettings = VisionSettings()
    mcp: McpSettings = McpSettings()
    trace: TraceSettings = TraceSettings()
    serve: ServeSettings = ServeSettings()
    max_query_words: int = Field(default=200, ge=1)
    """Words; longer is no question, and the text encoder reads no further."""

    @model_validator(mode="before")
    @classmethod
    def _profiled(cls, given: Any) -> Any:
        preset = PROFILES.get(str(given.get("profile", "full")), {})
        return {**given, **{room: _under(given.get(room), set_) for room, set_ in preset.items()}}

    @model_validator(mode="after")
    def _calibrated(self) -> Self:
        slow = "chat" if self.chat.model else "vision" if _looks(self.models.grounder) else ""
        if self.verify.false_alarms is not None and slow:
            raise ValueError(
                f"verify.false_alarms asks each film hundreds of questions, too many for a {slow} "
                "model: leave one of them out"
            )
        return self


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
            raise SettingsError(f"{name}: there is no such setting") from None
        told = first["msg"].removeprefix("Value error, ")
        # What was set may be a key.
        given = "" if name.startswith(("VMR_CHAT", "VMR_SERVE")) else f", not {first['input']!r}"
        raise SettingsError(f"{name}: {told}{given}") from None
    except NotJson as error:
        field = re.search(r'field "(\w+)"', str(error))
        name = f"VMR_{field[1].upper()}…" if field else "VMR_…"
        # What was set may be a key.
        given = (
            "what is set"
            if "CHAT" in name or "SERVE" in name
            else repr(getattr(error.__cause__, "doc", ""))
        )
        raise SettingsError(
            f"{name}: {given} is not JSON, which lists and whole groups of settings are given in"
        ) from None


def _looks(grounder: str) -> bool:
    return grounder.startswith("vision:")


def _under(given: Any, preset: dict[str, object]) -> Any:
    """What was said about a room, on top of what the profile says."""
    if isinstance(given, Group):
        given = {name: getattr(given, name) for name in given.model_fields_set}
    return {**preset, **given} if isinstance(given, dict) else given or preset


def _misspelt(name: str) -> bool:
    """Whether it looks like a setting and pydantic would pass over it."""
    fields = {f"VMR_{field}".upper(): info for field, info in Settings.model_fields.items()}
    groups = [field for field, info in fields.items() if isinstance(info.default, Group)]
    group, nested, _ = name.partition("__")
    if nested:
        return name.startswith("VMR_") and group not in groups
    if name in fields:
        return False
    of_group = name.startswith(tuple(f"{group}_" for group in groups))
    return of_group or bool(get_close_matches(name, fields, 1, ALIKE))
