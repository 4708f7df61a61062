"""The only place where adapters are made: which ones the settings ask for.

Making one is cheap; models load when they are first used.
"""

from __future__ import annotations

from pathlib import Path

from vmr_agent.errors import SettingsError, WeightsError
from vmr_agent.library import Shelf
from vmr_agent.protocols import (
    ChatModel,
    Encoder,
    Gate,
    Grounder,
    Listener,
    Reader,
    Sentences,
    Transcriber,
)
from vmr_agent.settings import Settings

VISION = "vision:"
"""What the setting of a grounder begins with that looks at frames."""


def encoder(settings: Settings, shelf: Shelf, sentences: Sentences, device: str) -> Encoder:
    """Looks at pictures. Raises SettingsError if there is no such encoder."""
    choice = settings.models.encoder
    if choice in ("auto", "concepts"):
        from vmr_agent.adapters.concepts import Concepts

        return Concepts(shelf, sentences, device)
    kind, _, rest = choice.partition(":")
    architecture, _, weights = rest.partition(":")
    if kind != "open_clip" or not architecture or not weights:
        raise SettingsError(
            f"models.encoder is {choice!r}: use auto, concepts or open_clip:ARCHITECTURE:WEIGHTS"
        )
    from vmr_agent.adapters.clip import OpenClip

    return OpenClip(architecture, weights, device)


def listener(settings: Settings, device: str) -> Listener:
    """Measures sound, and names it where there is a tagger."""
    from vmr_agent.adapters.sound import Levels
    from vmr_agent.adapters.tagger import Tagger, nearby

    choice = settings.models.tagger
    model = nearby() if choice == "auto" else None if choice == "off" else choice
    return Tagger(Levels(), model, device) if model else Levels()


def grounder(settings: Settings, device: str) -> Grounder | None:
    """Places boundaries; None where the hand rules do. Raises SettingsError without a folder."""
    choice = settings.models.grounder
    if choice == "rules":
        return None
    from vmr_agent.adapters.grounder import SmallGrounder, shipped

    packaged = shipped()
    small = SmallGrounder(packaged, device) if packaged is not None else None
    if choice == "auto":
        return small
    if choice.startswith(VISION):
        return _looking(choice.removeprefix(VISION), small, settings, device)
    folder = Path(choice).expanduser()
    if not folder.is_dir():
        raise SettingsError(
            f"models.grounder is {choice!r}: use auto, rules, vision:MODEL, or the folder of a "
            "network that `vmr train ground` wrote"
        )
    return SmallGrounder(folder, device)


def _looking(model: str, small: Grounder | None, settings: Settings, device: str) -> Grounder:
    """One that looks at frames, joined with the small one that comes with this package."""
    from vmr_agent.adapters.joined import JoinedGrounder
    from vmr_agent.adapters.vision import VisionGrounder
    from vmr_agent.grounding.fusion import EVEN, load

    large, told = VisionGrounder(model, device, settings.vision), settings.vision.fusion
    try:
        fusion = load(told.expanduser()) if told else EVEN
    except WeightsError as error:
        raise SettingsError(f"vision.fusion: {error}") from error
    return JoinedGrounder(small, large, fusion) if small is not None else large


def gate(settings: Settings) -> Gate | None:
    """Says what sound counts; None where nobody does. Raises SettingsError without a folder."""
    choice = settings.models.gate
    if choice == "off":
        return None
    from vmr_agent.adapters.gate import AudioGate, shipped

    if choice == "auto":
        packaged = shipped()
        return AudioGate(packaged) if packaged is not None else None
    folder = Path(choice).expanduser()
    if not folder.is_dir():
        raise SettingsError(
            f"models.gate is {choice!r}: use auto, off, or the folder of a network that "
            "`vmr train audio-gate` wrote"
        )
    return AudioGate(folder)


def transcriber(settings: Settings, home: Path, device: str) -> Transcriber | None:
    """Hears words; None if that is switched off."""
    model, language = settings.models.whisper, settings.models.language
    if model == "off":
        return None
    from vmr_agent.adapters.whisper import WhisperX

    model = "packaged" if model == "auto" else model
    return WhisperX(home, model, device, language, settings.transcribe)


def chat(settings: Settings) -> ChatModel | None:
    """The chat model; None if none is named."""
    if not settings.chat.model:
        return None
    from vmr_agent.adapters.chat import ChatServer

    return ChatServer(settings.chat)


def reader(settings: Settings) -> Reader | None:
    """Reads words in pictures; None if that is switched off."""
    if settings.models.reader == "off":
        return None
    from vmr_agent.adapters.ocr import RapidText

    return RapidText()
